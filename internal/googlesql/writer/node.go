package writer

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// inner follows the oneofs of a wrapper such as AnyResolvedScanProto to the node itself, and gives the part of it that is of
// type T: the node, or one of its parents.
func inner[T proto.Message](m proto.Message) (found T) {
	r := m.ProtoReflect()
	for {
		if t, ok := r.Interface().(T); ok {
			return t
		}
		d := r.Descriptor()
		var next protoreflect.FieldDescriptor
		if d.Oneofs().Len() == 1 && strings.HasPrefix(string(d.Name()), "Any") {
			next = r.WhichOneof(d.Oneofs().Get(0))
		} else {
			next = d.Fields().ByName("parent")
		}
		if next == nil || next.Message() == nil || !r.Has(next) {
			return found
		}
		r = r.Get(next).Message()
	}
}

// scanColumns is the column list of a scan of any kind.
func scanColumns(s *resolved.AnyResolvedScanProto) []*resolved.ResolvedColumnProto {
	return inner[*resolved.ResolvedScanProto](s).GetColumnList()
}

// exprType is the type of an expression of any kind.
func exprType(e *resolved.AnyResolvedExprProto) *resolved.TypeProto {
	return inner[*resolved.ResolvedExprProto](e).GetType()
}

// location is where a node stands in the statement.
func location(n *resolved.ResolvedNodeProto) *resolved.ParseLocationRangeProto {
	return n.GetParseLocationRange()
}

// place is where an expression of any kind stands.
func place(e *resolved.AnyResolvedExprProto) *resolved.ParseLocationRangeProto {
	return location(inner[*resolved.ResolvedNodeProto](e))
}

// nodeName is the name of what a wrapper holds, as messages show it: ResolvedPivotScan. A kind that package resolved leaves
// out has none.
func nodeName(m proto.Message) string {
	r := m.ProtoReflect()
	for {
		d := r.Descriptor()
		if d.Oneofs().Len() != 1 || !strings.HasPrefix(string(d.Name()), "Any") {
			return strings.TrimSuffix(string(d.Name()), "Proto")
		}
		f := r.WhichOneof(d.Oneofs().Get(0))
		if f == nil {
			return "of a kind that this version does not know"
		}
		r = r.Get(f).Message()
	}
}

func isNull(e *resolved.AnyResolvedExprProto) bool {
	l := e.GetResolvedLiteralNode()
	return l != nil && l.GetValue().GetValue().GetValue() == nil
}
