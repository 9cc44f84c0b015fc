package planner

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/googlesql/translator"
)

// Wording is what is said of a failure, and its place; both ends are -1 when that is not known.
type Wording struct {
	Msg string
	dialect.Span
}

// Explain gives what DuckDB says of a plan the names that the user wrote, their places, and what to do. A nil plan has none.
func (p *Plan) Explain(e *Wording, src string, err error) {
	if p != nil && p.Lang == dialect.GoogleSQL && !p.Plain {
		e.Msg = translator.Message(e.Msg)
	}
	p.InUserTerms(e, src, err)
	misplaced(e, src)
	p.AtSubject(e, src, err)
	p.advise(e, err)
}

// aboutSubject is an error about what a statement makes, changes or drops.
type aboutSubject struct{ error }

func (e aboutSubject) Unwrap() error { return e.error }

// AtSubject places an error about what a statement of GoogleSQL makes, changes or drops, of which DuckDB does not say the place. What is
// wrong with a value has none.
func (p *Plan) AtSubject(e *Wording, src string, err error) {
	if p == nil || e.Pos >= 0 || p.source.End == 0 {
		return
	}
	var about aboutSubject
	if !errors.As(err, &about) && !duckapi.Is(err, duckdb.ErrorTypeCatalog, duckdb.ErrorTypeBinder, duckdb.ErrorTypeDependency) {
		return
	}
	if at, ok := dialect.Subject(src, p.source); ok {
		e.Pos, e.End = at.Pos, at.End
	}
}

// InUserTerms gives an error about a function of ours the name that the user wrote, its place, and what it takes. The cause is
// what it was before.
func (p *Plan) InUserTerms(e *Wording, src string, cause error) {
	switch {
	case p == nil:
	case len(p.uses) == 0:
		e.inCall(src, p)
	case p.noOverload(e), p.noted(e, cause):
	case strings.Contains(e.Msg, "VECTOR_SEARCH: "): // of vector_search_distance
		if u, ok := p.used(e, isSearch); ok && e.Pos < 0 {
			e.Msg = strings.TrimPrefix(e.Msg, "Invalid Input Error: ")
			e.point(u)
		}
	case p.prefixed(e):
	default:
		before := e.Msg
		p.rename(e, src)
		if strings.Contains(before, "STRUCT(result ") {
			p.wholeStruct(e)
		}
	}
}

// inCall places what a scalar function says that was called by its plain name, if there is one such call.
func (e *Wording) inCall(src string, p *Plan) {
	name, _, ok := strings.Cut(e.Msg, ": ")
	f, known := functiontable.Named(name)
	if !ok || !known || f.Kind != functiontable.Scalar || e.Pos >= 0 || p.Pos < 0 || p.Text != nil {
		return
	}
	if calls := dialect.Called(src[p.Pos:min(p.Pos+len(p.SQL), len(src))], name); len(calls) == 1 {
		e.Pos, e.End = p.Pos+calls[0].Pos, p.Pos+calls[0].End
	}
}

// used gives the only use that a test holds for, or the one that DuckDB has pointed at.
func (p *Plan) used(e *Wording, is func(u use) bool) (use, bool) {
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

// point places an error at the name of a function.
func (e *Wording) point(u use) { e.Pos, e.End = u.Pos, min(u.Pos+len(u.name), u.End) }

// noOverload words that a function takes other types.
func (p *Plan) noOverload(e *Wording) bool {
	name, types, ok := duckapi.NoOverload(e.Msg)
	if !ok {
		return false
	}
	u, ok := p.used(e, func(u use) bool { return u.internal == name })
	if !ok {
		return false
	}
	f, _ := functiontable.Named(u.name)
	if f.Takes == "" {
		return false
	}
	e.Msg = fmt.Sprintf("%s takes %s, not (%s)%s", u.name, f.Takes, duckapi.FirstTypes(types, u.args), f.Tip)
	e.point(u)
	return true
}

// noted words what a function of ours has noted, whose name DuckDB puts before it.
func (p *Plan) noted(e *Wording, cause error) bool {
	if e.Pos >= 0 || cause == nil {
		return false
	}
	u, ok := p.used(e, func(u use) bool { return u.internal != "" && strings.Contains(cause.Error(), u.internal+": "+e.Msg) })
	if ok {
		e.Msg = u.name + ": " + e.Msg
		e.point(u)
	}
	return ok
}

// prefixed words what begins with the name of a function of ours.
func (p *Plan) prefixed(e *Wording) bool {
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
		u, ok := p.used(e, func(u use) bool { return asks(u) || u.internal == name })
		if !ok {
			continue
		}
		e.Msg = u.name + ": " + rest
		if e.Pos < 0 {
			e.point(u)
			if asks(u) && u.first.End > 0 {
				e.Span = u.first
			}
		}
		return true
	}
	return false
}

// rename writes the names of the user's functions for those that DuckDB was given, unless the user wrote these.
func (p *Plan) rename(e *Wording, src string) {
	written := strings.ToLower(src)
	for _, u := range p.uses {
		if u.internal == "" || strings.Contains(written, u.internal) {
			continue
		}
		call := regexp.MustCompile(`(?:"?system"?\.main\.)?` + regexp.QuoteMeta(u.internal) + `\(` + version(u))
		e.Msg = call.ReplaceAllLiteralString(e.Msg, u.name+"(")
		e.Msg = strings.ReplaceAll(e.Msg, u.internal, u.name)
	}
}

// wholeStruct says where the answer is in what a function gives.
func (p *Plan) wholeStruct(e *Wording) {
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
	e.Msg = duckapi.WithoutAdvice(e.Msg) + fmt.Sprintf("; %s gives a STRUCT, "+
		"whose field result has the answer: %s(…).result", one.name, one.name)
	if u, ok := p.used(e, asks); ok && e.Pos < 0 {
		e.point(u)
	}
}

var qualified = regexp.MustCompile(`^(?i:ML|AI|OBJ)\s*\.\s*\w+`)

var objList = regexp.MustCompile(`(?i)\bOBJ\s*\.\s*LIST\b`)

// misplaced words DuckDB's complaint about a function of ours that is misspelt, stands in the wrong place or lacks MODEL.
func misplaced(e *Wording, src string) {
	missing, table, ok := duckapi.MissingFunction(errors.New(e.Msg))
	list := ok && table && missing == "list" || duckapi.LacksColumn(errors.New(e.Msg), "obj")
	if at := objList.FindStringIndex(src); at != nil && list {
		e.Msg, e.Pos, e.End = unknownFunction("OBJ.LIST").Error(), at[0], at[1] // DuckDB has a function list, and gives no place
		return
	}
	if !ok || e.Pos < 0 {
		return
	}
	written := qualified.FindString(src[e.Pos:])
	name := strings.ToUpper(strings.Join(strings.Fields(written), ""))
	f, known := functiontable.Named(name)
	switch {
	case strings.EqualFold(missing, "vector_search"):
		e.Msg = "VECTOR_SEARCH takes tables as TABLE name or (query): VECTOR_SEARCH(TABLE base, 'column', TABLE query)"
		return
	case written == "":
		return
	case known && f.Kind == functiontable.Model:
		e.Msg = fmt.Sprintf("%s stands in FROM and takes a model and its input: %[1]s(MODEL name, "+
			"TABLE table) or %[1]s(MODEL name, (query))", name)
	case known:
		e.Msg = fmt.Sprintf("%s is an expression and no table: write SELECT %s(…)", name, name)
	default:
		e.Msg = unknownFunction(name).Error()
	}
	e.End = e.Pos + len(written)
}

// advise adds what to do to complaints of DuckDB's about what is ours and stands in the wrong place.
func (p *Plan) advise(e *Wording, err error) {
	if p == nil {
		return
	}
	switch {
	case duckapi.ManyColumns(e.Msg):
		fn := ""
		for _, m := range p.Models {
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
	case duckapi.LacksColumn(err, PseudoColumn) && (p.Verb == "MERGE" || p.Verb == "DELETE"):
		e.Msg += fmt.Sprintf("; %s reads the bytes of an object table in a subquery: USING (SELECT *, data FROM object_table) AS …", p.Verb)
	}
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
