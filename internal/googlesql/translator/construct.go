package translator

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/googlesql/writer"
)

// Construct is a call in a statement of a function that is none of GoogleSQL's own, such as ML.PREDICT. The analyzer sees a
// function mallard_n with the relations and the arguments alone. One with a Text is no call: the text takes its place.
type Construct struct {
	Span      // from its name to its closing bracket
	Text      string
	Relations []Relation
	Args      []Span

	Result googlesql.Type // of an expression
	Query  string         // of a table function: a query over its relations input0, input1, … that has its columns
	Write  writer.Construct
	Fails  string // what is wrong where Query cannot be read over the relations; "" leaves it to the analyzer
}

// Span is a range of bytes of a statement.
type Span struct{ Pos, End int }

// Relation is an argument that is a table: the path behind TABLE, or the query inside its brackets.
type Relation struct {
	Span
	Table []string // the parts of the path; nil for a query
}

// Shift moves the places by so many bytes.
func (c *Construct) Shift(by int) {
	c.Span.shift(by)
	for i := range c.Relations {
		c.Relations[i].shift(by)
	}
	for i := range c.Args {
		c.Args[i].shift(by)
	}
}

func (s *Span) shift(by int) { s.Pos, s.End = s.Pos+by, s.End+by }

// edited is a statement whose constructs are calls of mallard_n.
type edited struct {
	text string
	runs []run
}

// run is a part of an edited text that was copied from pos of the statement.
type run struct{ out, pos int }

// source leads from a byte of the edited text to one of the statement.
func (e *edited) source(out int) int {
	i := sort.Search(len(e.runs), func(i int) bool { return e.runs[i].out > out }) - 1
	if i < 0 {
		return out
	}
	pos := e.runs[i].pos + out - e.runs[i].out
	if i+1 < len(e.runs) {
		pos = min(pos, e.runs[i+1].pos)
	}
	return pos
}

// edit writes the calls. Constructs stand in order of position, outer ones before those inside them.
func edit(sql string, constructs []Construct) *edited {
	e := &edited{}
	var b strings.Builder
	next := 0
	var copySpan func(s Span)
	copySpan = func(s Span) {
		pos := s.Pos
		for next < len(constructs) && constructs[next].Pos < s.End {
			n, c := next, constructs[next]
			next++
			e.runs = append(e.runs, run{b.Len(), pos})
			b.WriteString(sql[pos:c.Pos])
			e.runs = append(e.runs, run{b.Len(), c.Pos})
			if c.Text != "" {
				b.WriteString(c.Text)
				pos = c.End
				continue
			}
			fmt.Fprintf(&b, "%s%d(", writer.ConstructName, n)
			comma := ""
			for _, r := range c.Relations {
				b.WriteString(comma)
				comma = ", "
				skip(constructs, &next, r.Pos)
				e.runs = append(e.runs, run{b.Len(), r.Pos})
				if r.Table != nil { // quoted: the analyzer takes no dashes here
					parts := make([]string, len(r.Table))
					for i, p := range r.Table {
						parts[i] = googlesql.QuoteName(p)
					}
					b.WriteString("TABLE " + strings.Join(parts, "."))
					continue
				}
				b.WriteByte('(')
				copySpan(r.Span)
				b.WriteByte(')')
			}
			for _, a := range c.Args {
				b.WriteString(comma)
				skip(constructs, &next, a.Pos)
				copySpan(a)
				comma = ", "
			}
			b.WriteByte(')')
			skip(constructs, &next, c.End)
			pos = c.End
		}
		e.runs = append(e.runs, run{b.Len(), pos})
		b.WriteString(sql[pos:s.End])
	}
	copySpan(Span{0, len(sql)})
	e.text = b.String()
	return e
}

// skip leaves out the constructs before a position: they stand in an argument that the analyzer does not see.
func skip(constructs []Construct, next *int, pos int) {
	for *next < len(constructs) && constructs[*next].Pos < pos {
		*next++
	}
}

// declare puts the constructs into a catalog.
func declare(c *analyzer.Catalog, constructs []Construct) []writer.Construct {
	var writes []writer.Construct
	for i, k := range constructs {
		name := fmt.Sprintf("%s%d", writer.ConstructName, i)
		writes = append(writes, k.Write)
		if k.Text != "" {
			continue
		}
		if k.Query != "" {
			c.TableFunctions = append(c.TableFunctions, tableFunction(name, k))
			continue
		}
		signature := &resolved.FunctionSignatureProto{ReturnType: argument(resolved.SignatureArgumentKind_ARG_TYPE_FIXED,
			analyzer.TypeProto(k.Result))}
		for range k.Args {
			signature.Argument = append(signature.Argument, argument(resolved.SignatureArgumentKind_ARG_TYPE_ARBITRARY, nil))
		}
		c.Functions = append(c.Functions, &resolved.FunctionProto{
			NamePath: []string{name}, Group: proto.String("mallard"), Mode: resolved.FunctionEnums_SCALAR.Enum(),
			Signature: []*resolved.FunctionSignatureProto{signature},
		})
	}
	return writes
}

var invalidConstruct = regexp.MustCompile("Invalid table-valued function `?" + writer.ConstructName + `(\d+)`)

// invalid words the analyzer's complaint about the query of a construct, which the user did not write.
func invalid(message string, constructs []Construct) string {
	m := invalidConstruct.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	if n, err := strconv.Atoi(m[1]); err == nil && n < len(constructs) && constructs[n].Fails != "" {
		return constructs[n].Fails
	}
	return message
}

func argument(kind resolved.SignatureArgumentKind, t *resolved.TypeProto) *resolved.FunctionArgumentTypeProto {
	return &resolved.FunctionArgumentTypeProto{Kind: &kind, Type: t, NumOccurrences: proto.Int32(-1)}
}

func tableFunction(name string, k Construct) *resolved.TableValuedFunctionProto {
	f := &resolved.TableValuedFunctionProto{
		NamePath: []string{name}, Type: resolved.FunctionEnums_TEMPLATED_SQL_TVF.Enum(),
		Signature:           &resolved.FunctionSignatureProto{ReturnType: argument(resolved.SignatureArgumentKind_ARG_TYPE_RELATION, nil)},
		ParseResumeLocation: &resolved.ParseResumeLocationProto{Input: proto.String(k.Query)},
	}
	add := func(kind resolved.SignatureArgumentKind, name string) {
		a := argument(kind, nil)
		a.Options = &resolved.FunctionArgumentTypeOptionsProto{Cardinality: resolved.FunctionEnums_REQUIRED.Enum()}
		f.Signature.Argument = append(f.Signature.Argument, a)
		f.ArgumentName = append(f.ArgumentName, name)
	}
	for i := range k.Relations {
		add(resolved.SignatureArgumentKind_ARG_TYPE_RELATION, fmt.Sprintf("input%d", i))
	}
	for i := range k.Args {
		add(resolved.SignatureArgumentKind_ARG_TYPE_ARBITRARY, fmt.Sprintf("arg%d", i))
	}
	return f
}
