package writer

import (
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// ConstructName begins the names under which constructs stand in the analyzer's catalog: mallard_0, mallard_1, ….
const ConstructName = "mallard_"

// construct finds the construct that a function of the catalog stands for.
func (w *writer) construct(at *resolved.ParseLocationRangeProto, name string) (Construct, string) {
	i := strings.LastIndex(name, ConstructName)
	if i < 0 {
		refuse(at, "the table function %s", strings.ToUpper(name))
	}
	n, err := strconv.Atoi(name[i+len(ConstructName):])
	if err != nil || n >= len(w.names.Constructs) {
		refuse(at, "the table function %s", strings.ToUpper(name))
	}
	return w.names.Constructs[n], mark(n)
}

// mark stands before the text of a construct, so that its place in the statement can be found. It is taken out at the end. No
// statement of DuckDB's has a NUL: see text.
func mark(n int) string { return "\x00" + strconv.Itoa(n) + "\x00" }

// Piece is a part of a written statement: what follows the beginning of a construct's text.
type Piece struct {
	Construct int // -1 before the first one
	SQL       string
}

// Pieces cuts a written statement at its constructs.
func Pieces(sql string) []Piece {
	parts := strings.Split(sql, "\x00")
	pieces := []Piece{{-1, parts[0]}}
	for i := 1; i+1 < len(parts); i += 2 {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			n = -1
		}
		pieces = append(pieces, Piece{n, parts[i+1]})
	}
	return pieces
}

// write calls a construct; its error ends the writing.
func (f Construct) write(relations, args []string) string {
	text, err := f(relations, args)
	if err != nil {
		panic(failed{err})
	}
	return text
}

// constructCall writes a call of a scalar function that is a construct; false for one of GoogleSQL's own.
func (c *call) construct() (string, bool) {
	if !strings.Contains(c.name, ConstructName) {
		return "", false
	}
	f, mark := c.w.construct(c.at, c.name)
	args := c.args
	for i, t := range c.types { // a sparse vector, whose fields may have any names
		if t.Kind == googlesql.Array && t.Elem.Kind == googlesql.Struct && len(t.Elem.Fields) == 2 &&
			t.Elem.Fields[1].Type.Kind == googlesql.Float64 {
			vector := googlesql.ArrayOf(googlesql.StructOf(googlesql.Field{Name: "key", Type: t.Elem.Fields[0].Type},
				googlesql.Field{Name: "value", Type: t.Elem.Fields[1].Type}))
			args[i] = c.w.cast(c.at, args[i], t, vector)
		}
	}
	for i, e := range c.exprs { // a tuple of prompts is one of DuckDB's, too
		if s := e.GetResolvedMakeStructNode(); s != nil && anonymous(s) {
			parts := make([]string, len(s.GetFieldList()))
			for k, x := range s.GetFieldList() {
				parts[k] = c.w.expr(x)
			}
			args[i] = "row(" + strings.Join(parts, ", ") + ")"
		}
	}
	return mark + f.write(nil, args), true
}

func anonymous(s *resolved.ResolvedMakeStructProto) bool {
	for _, f := range analyzer.TypeOf(s.GetParent().GetType()).Fields {
		if f.Name != "" {
			return false
		}
	}
	return true
}
