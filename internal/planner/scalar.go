package planner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/image"
	"github.com/mallardml/mallard/internal/quote"
)

// function writes a call of a scalar function. It is nil for a function of the user's own.
func (ex *expander) function(ctx context.Context, f *dialect.Function, q *dialect.Query) (*dialect.Substitution, error) {
	if own, err := ex.owned(ctx, f.Name); own || err != nil {
		return nil, dialect.At(f.Span, err)
	}
	if strings.HasPrefix(f.Name, "AI.") {
		if place := keeps(q); place != "" {
			return nil, dialect.At(f.Span, fmt.Errorf("%s cannot stand in %s, which would not find its endpoint again; "+
				"make a remote model and select from AI.GENERATE_TEXT or AI.GENERATE_EMBEDDING", f.Name, place))
		}
		return ex.ask(ctx, f)
	}
	p, ok := functiontable.Named(f.Name)
	if !ok {
		return nil, dialect.At(f.Span, fmt.Errorf("%s is not part of this version", f.Name))
	}
	if slices.ContainsFunc(f.Args, func(a dialect.Argument) bool { return a.Name != "" }) && f.Name == "OBJ.MAKE_REF" {
		ex.use(f, p.Plain)
		return makeRef(f, p)
	}
	if f.Name == "ML.RESIZE_IMAGE" && len(f.Args) == 4 {
		if err := checkSize(f.Args[1], f.Args[2]); err != nil {
			return nil, err
		}
	}
	name := "system.main." + p.Plain + "("
	decodes := f // the function that reads the bytes
	switch other := ex.fused[f]; {
	case other == nil:
	case f.Name == "ML.DECODE_IMAGE":
		if own, err := ex.owned(ctx, other.Name); err != nil || !own {
			return &dialect.Substitution{Keep: []int{0}, Text: []string{"", ""}}, dialect.At(f.Span, err)
		}
	default:
		own, err := ex.owned(ctx, other.Name)
		if err != nil {
			return nil, dialect.At(f.Span, err)
		}
		if !own {
			name, decodes = "system.main.ml_decode_image(", other
		}
	}
	s := &dialect.Substitution{Text: []string{name}}
	for i, a := range f.Args {
		if a.Name != "" {
			return nil, dialect.At(a.Span, fmt.Errorf("%s has no argument named %s; it takes %s", f.Name, a.Name, p.Takes))
		}
		s.Keep = append(s.Keep, i)
		s.Text = append(s.Text, ", ")
	}
	least, most := p.Arity()
	if n := len(f.Args); n < least || n > most {
		return nil, dialect.At(f.Span, fmt.Errorf("%s takes %s, not %s", f.Name, p.Takes, amount.Of(n, "argument")))
	}
	closing := ")"
	if decodes.Name == "ML.DECODE_IMAGE" {
		bytes := decodes.Args[0].Span
		i, ok := slices.BinarySearchFunc(q.Data, bytes.Pos, func(d *dialect.DataRef, pos int) int { return d.Pos - pos })
		if ok && q.Data[i].Span == bytes {
			if t, err := ex.objectsOf(ctx, q.Data[i]); err != nil {
				return nil, err
			} else if t != nil {
				closing = ", " + alias(*t) + ".uri)"
			}
		}
	}
	s.Text[len(s.Keep)] = closing
	ex.use(f, strings.TrimSuffix(strings.TrimPrefix(name, "system.main."), "("))
	return s, nil
}

// checkSize refuses a constant height or width that no image can have. Of a row, it is that row's fault.
func checkSize(height, width dialect.Argument) error {
	pixels := int64(1)
	for _, side := range []struct {
		name string
		a    dialect.Argument
	}{{"height", height}, {"width", width}} {
		if side.a.Const == nil || side.a.Const.Kind != dialect.Int {
			continue
		}
		n := side.a.Const.Int
		if err := image.CheckSide(n); err != nil {
			return dialect.At(side.a.Span, fmt.Errorf("ML.RESIZE_IMAGE: %s %w", side.name, err))
		}
		if pixels *= n; image.CheckSide(pixels) != nil {
			return dialect.At(side.a.Span, fmt.Errorf("ML.RESIZE_IMAGE: %d × %d is too large: "+
				"no image has more than %d pixels", height.Const.Int, n, image.MostPixels))
		}
	}
	return nil
}

// fuse finds the calls ML.RESIZE_IMAGE(ML.DECODE_IMAGE(…), …), which become one call that keeps no whole images, and gives
// each half its other one.
func fuse(functions []*dialect.Function) map[*dialect.Function]*dialect.Function {
	resizes := map[dialect.Span]*dialect.Function{}
	halves := map[*dialect.Function]*dialect.Function{}
	positional := func(f *dialect.Function, n int) bool {
		return len(f.Args) == n && !slices.ContainsFunc(f.Args, func(a dialect.Argument) bool { return a.Name != "" })
	}
	for _, f := range functions {
		switch {
		case f.Name == "ML.RESIZE_IMAGE" && positional(f, 4):
			resizes[f.Args[0].Span] = f
		case f.Name == "ML.DECODE_IMAGE" && positional(f, 1) && resizes[f.Span] != nil:
			halves[f], halves[resizes[f.Span]] = resizes[f.Span], f
		}
	}
	return halves
}

// makeRef writes OBJ.MAKE_REF(uri, authorizer [, version => …] [, details => …]), whose names may come in any order
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/objectref_functions#objmake_ref).
func makeRef(f *dialect.Function, p functiontable.Function) (*dialect.Substitution, error) {
	s := &dialect.Substitution{Text: []string{"system.main." + p.Plain + "("}}
	before := ""
	for i, a := range f.Args {
		switch a.Name {
		case "":
		case "version":
			if before != "" { // the order of the arguments is kept
				return nil, dialect.At(a.Span, fmt.Errorf("%s: give version before details", f.Name))
			}
		case "details":
			if before == "" {
				s.Text[i] += "NULL, "
			}
		default:
			return nil, dialect.At(a.Span, fmt.Errorf("%s has no argument named %s; "+
				"it takes version and details behind %s", f.Name, a.Name, p.Takes))
		}
		before = a.Name
		s.Keep = append(s.Keep, i)
		s.Text = append(s.Text, ", ")
	}
	last := len(s.Keep)
	switch {
	case before != "" && len(f.Args) < 3 || last == 0:
		return nil, dialect.At(f.Span, fmt.Errorf("%s takes %s", f.Name, p.Takes))
	case before == "version":
		s.Text[last] = ", NULL)"
	default:
		s.Text[last] = ")"
	}
	return s, nil
}

// owned reports whether the name belongs to a function that the user has made in a schema ml, obj or ai. In GoogleSQL it
// never does.
func (ex *expander) owned(ctx context.Context, name string) (bool, error) {
	schema, fn, ok := strings.Cut(name, ".")
	if !ok || ex.lang == dialect.GoogleSQL {
		return false, nil
	}
	schema, fn = strings.ToLower(schema), strings.ToLower(fn)
	if own, ok := ex.own[schema]; ok {
		return own[fn], nil
	}
	// Listing all functions takes milliseconds, and hardly anybody has such a schema.
	rows, err := ex.Catalog.Rows(ctx, "SELECT 1 FROM duckdb_schemas() WHERE lower(schema_name) = "+quote.Text(schema)+" LIMIT 1")
	if err == nil && len(rows) > 0 {
		rows, err = ex.Catalog.Rows(ctx, "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE "+
			"lower(schema_name) = "+quote.Text(schema))
	}
	if err != nil {
		return false, err
	}
	own := map[string]bool{}
	for _, r := range rows {
		if name, ok := r[0].(string); ok {
			own[name] = true
		}
	}
	if ex.own == nil {
		ex.own = map[string]map[string]bool{}
	}
	ex.own[schema] = own
	return own[fn], nil
}

// keeps names the place where a statement keeps its expressions beyond itself; "" when it does not.
func keeps(q *dialect.Query) string {
	switch {
	case q.InView:
		return "a view"
	case q.InMacro && q.Verb != "PREPARE":
		return "a macro"
	case q.InTable:
		return "the definition of a table"
	}
	return ""
}
