package extension

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/spelling"
)

// use is a function of ours in a statement: what the user wrote, and what DuckDB was given for it.
type use struct {
	dialect.Span
	name     string       // of the user's, upper-case
	internal string       // of the function that DuckDB calls; "" for a table function
	first    dialect.Span // the first argument
	args     int          // how many the user gave
}

// use notes a function for the errors of its statement.
func (w *writer) use(f *dialect.Function, internal string) {
	if w.plan == nil {
		return
	}
	u := use{Span: f.Span, name: f.Name, internal: internal, args: len(f.Args)}
	if len(f.Args) > 0 {
		u.first = f.Args[0].Span
	}
	w.plan.uses = append(w.plan.uses, u)
}

// inUserTerms gives an error about a function of ours the name that the user wrote, its place, and what it takes.
func (p *plan) inUserTerms(e *Error, src string) {
	if p == nil || len(p.uses) == 0 {
		return
	}
	// found gives the only use that a test holds for, or the one that DuckDB has pointed at.
	found := func(is func(u use) bool) (use, bool) {
		var one use
		n := 0
		for _, u := range p.uses {
			if is(u) {
				if u.Pos == e.Pos {
					return u, true
				}
				one, n = u, n+1
			}
		}
		return one, n == 1
	}
	point := func(u use) { e.Pos, e.End = u.Pos, min(u.Pos+len(u.name), u.End) }
	if name, types, ok := duckapi.NoOverload(e.Msg); ok {
		if u, ok := found(func(u use) bool { return u.internal == name }); ok {
			if f, _ := googlesql.FunctionNamed(u.name); f.Takes != "" {
				e.Msg = fmt.Sprintf("%s takes %s, not (%s)%s", u.name, f.Takes, duckapi.FirstTypes(types, u.args), f.Tip)
				point(u)
				return
			}
		}
	}
	if e.Pos < 0 && e.Cause != nil { // what a function of ours has noted, whose name DuckDB puts before it
		if u, ok := found(func(u use) bool { return u.internal != "" && strings.Contains(e.Cause.Error(), u.internal+": "+e.Msg) }); ok {
			e.Msg = u.name + ": " + e.Msg
			point(u)
			return
		}
	}
	if strings.Contains(e.Msg, "VECTOR_SEARCH: ") { // of vector_search_distance
		if u, ok := found(isSearch); ok && e.Pos < 0 {
			e.Msg = strings.TrimPrefix(e.Msg, "Invalid Input Error: ")
			point(u)
		}
		return
	}
	for _, prefix := range duckapi.Prefixes {
		rest, ok := strings.CutPrefix(e.Msg, prefix)
		if !ok {
			continue
		}
		name, rest, ok := strings.Cut(rest, ": ")
		if !ok {
			continue
		}
		asks := func(u use) bool { return u.name == name || u.name == "AI.SIMILARITY" && name == "AI.EMBED" }
		if u, ok := found(func(u use) bool { return asks(u) || u.internal == name }); ok {
			e.Msg = u.name + ": " + rest
			if e.Pos < 0 {
				point(u)
				if asks(u) && u.first.End > 0 {
					e.Pos, e.End = u.first.Pos, u.first.End
				}
			}
			return
		}
	}
	before := e.Msg
	written := strings.ToLower(src)
	for _, u := range p.uses {
		if u.internal != "" && !strings.Contains(written, u.internal) {
			e.Msg = regexp.MustCompile(`(?:"?system"?\.main\.)?`+regexp.QuoteMeta(u.internal)+`\(`+version(u)).ReplaceAllLiteralString(e.Msg, u.name+"(")
			e.Msg = strings.ReplaceAll(e.Msg, u.internal, u.name)
		}
	}
	if !strings.Contains(before, "STRUCT(result ") {
		return
	}
	var one use
	for _, u := range p.uses {
		if asks(u) {
			if one.name != "" && one.name != u.name {
				return
			}
			one = u
		}
	}
	if one.name == "" {
		return
	}
	e.Msg = duckapi.WithoutAdvice(e.Msg) + fmt.Sprintf("; %s gives a STRUCT, whose field result has the answer: %s(…).result", one.name, one.name)
	if u, ok := found(asks); ok && e.Pos < 0 {
		point(u)
	}
}

var qualified = regexp.MustCompile(`^(?i:ML|AI|OBJ)\s*\.\s*\w+`)

var objList = regexp.MustCompile(`(?i)\bOBJ\s*\.\s*LIST\b`)

// misplaced words DuckDB's complaint about a function of ours that is misspelt, stands in the wrong place or lacks MODEL.
func misplaced(e *Error, src string) {
	missing, table, ok := duckapi.MissingFunction(errors.New(e.Msg))
	if at := objList.FindStringIndex(src); at != nil && (ok && table && missing == "list" || duckapi.LacksColumn(errors.New(e.Msg), "obj")) {
		e.Msg, e.Pos, e.End = unknownFunction("OBJ.LIST").Error(), at[0], at[1] // DuckDB has a function list, and gives no place
		return
	}
	if !ok || e.Pos < 0 {
		return
	}
	written := qualified.FindString(src[e.Pos:])
	name := strings.ToUpper(strings.Join(strings.Fields(written), ""))
	f, known := googlesql.FunctionNamed(name)
	switch {
	case strings.EqualFold(missing, "vector_search"):
		e.Msg = "VECTOR_SEARCH takes tables as TABLE name or (query): VECTOR_SEARCH(TABLE base, 'column', TABLE query)"
		return
	case written == "":
		return
	case known && f.Kind == googlesql.ModelFunction:
		e.Msg = fmt.Sprintf("%s stands in FROM and takes a model and its input: %s(MODEL name, TABLE table) or %s(MODEL name, (query))", name, name, name)
	case known:
		e.Msg = fmt.Sprintf("%s is an expression and no table: write SELECT %s(…)", name, name)
	default:
		e.Msg = unknownFunction(name).Error()
	}
	e.End = e.Pos + len(written)
}

// advise adds what to do to complaints of DuckDB's about what is ours and stands in the wrong place.
func (p *plan) advise(e *Error, err error) {
	if p == nil {
		return
	}
	switch {
	case duckapi.ManyColumns(e.Msg):
		fn := ""
		for _, m := range p.models {
			fn = m.call.Func
		}
		for _, u := range p.uses {
			if u.internal == "" {
				fn = u.name
			}
		}
		if fn != "" {
			e.Msg += fmt.Sprintf("; %s gives a table and stands in FROM: SELECT … FROM %s(…)", fn, fn)
		}
	case duckapi.LacksColumn(err, pseudoColumn) && (p.verb == "MERGE" || p.verb == "DELETE"):
		e.Msg += fmt.Sprintf("; %s reads the bytes of an object table in a subquery: USING (SELECT *, data FROM object_table) AS …", p.verb)
	}
}

// unknownFunction says that there is no function of that name, which is upper-case, and which one may have been meant.
func unknownFunction(name string) error {
	if name == "OBJ.LIST" {
		return failure.As(failure.ErrNotSupported, errors.New(name+" is not part of this version; FROM gcs_objects('gs://bucket/prefix*') lists objects, "+
			"and so does an object table; the column ref of both has their ObjectRefs"))
	}
	return failure.As(failure.ErrNotSupported, spelling.Meant(fmt.Errorf("%s is not part of this version", name), name,
		googlesql.FunctionNames(googlesql.ModelFunction, googlesql.AskingFunction, googlesql.ScalarFunction)))
}

func isSearch(u use) bool { return u.name == "VECTOR_SEARCH" }

func asks(u use) bool { return strings.HasPrefix(u.name, "AI.") && u.name != "AI.SIMILARITY" }

// version is the argument of ours that stands first in a call that asks an endpoint.
func version(u use) string {
	if strings.HasPrefix(u.name, "AI.") {
		return `(?:\d+, )?`
	}
	return ""
}
