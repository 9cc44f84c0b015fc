package extension

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions/image"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/spelling"
)

// function writes a call of a scalar function. It is nil for a function of the user's own.
func (w *writer) function(ctx context.Context, f *dialect.Function, q *dialect.Query) (*dialect.Substitution, error) {
	if own, err := w.owned(ctx, f.Name); own || err != nil {
		return nil, dialect.At(f.Span, err)
	}
	if strings.HasPrefix(f.Name, "AI.") {
		if place := keeps(q); place != "" {
			return nil, dialect.At(f.Span, fmt.Errorf("%s cannot stand in %s, which would not find its endpoint again; make a remote model and select from AI.GENERATE_TEXT or AI.GENERATE_EMBEDDING", f.Name, place))
		}
		return w.ask(ctx, f)
	}
	p, ok := googlesql.FunctionNamed(f.Name)
	if !ok {
		return nil, dialect.At(f.Span, fmt.Errorf("%s is not part of this version", f.Name))
	}
	if slices.ContainsFunc(f.Args, func(a dialect.Argument) bool { return a.Name != "" }) && f.Name == "OBJ.MAKE_REF" {
		w.use(f, p.Plain)
		return makeRef(f, p)
	}
	if f.Name == "ML.RESIZE_IMAGE" && len(f.Args) == 4 {
		if err := checkSize(f.Args[1], f.Args[2]); err != nil {
			return nil, err
		}
	}
	name := "system.main." + p.Plain + "("
	decodes := f // the function that reads the bytes
	switch other := w.fused[f]; {
	case other == nil:
	case f.Name == "ML.DECODE_IMAGE":
		if own, err := w.owned(ctx, other.Name); err != nil || !own {
			return &dialect.Substitution{Keep: []int{0}, Text: []string{"", ""}}, dialect.At(f.Span, err)
		}
	default:
		own, err := w.owned(ctx, other.Name)
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
		if i, ok := slices.BinarySearchFunc(q.Data, bytes.Pos, func(d *dialect.DataRef, pos int) int { return d.Pos - pos }); ok && q.Data[i].Span == bytes {
			if t, err := w.objectsOf(ctx, q.Data[i]); err != nil {
				return nil, err
			} else if t != nil {
				closing = ", " + alias(*t) + ".uri)"
			}
		}
	}
	s.Text[len(s.Keep)] = closing
	w.use(f, strings.TrimSuffix(strings.TrimPrefix(name, "system.main."), "("))
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
			return dialect.At(side.a.Span, fmt.Errorf("ML.RESIZE_IMAGE: %d × %d is too large: no image has more than %d pixels", height.Const.Int, n, image.MostPixels))
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
func makeRef(f *dialect.Function, p googlesql.Function) (*dialect.Substitution, error) {
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
			return nil, dialect.At(a.Span, fmt.Errorf("%s has no argument named %s; it takes version and details behind %s", f.Name, a.Name, p.Takes))
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
func (w *writer) owned(ctx context.Context, name string) (bool, error) {
	schema, fn, ok := strings.Cut(name, ".")
	if !ok || w.lang == dialect.GoogleSQL {
		return false, nil
	}
	schema, fn = strings.ToLower(schema), strings.ToLower(fn)
	if own, ok := w.own[schema]; ok {
		return own[fn], nil
	}
	// Listing all functions takes milliseconds, and hardly anybody has such a schema.
	rows, err := w.cat.Rows(ctx, "SELECT 1 FROM duckdb_schemas() WHERE lower(schema_name) = "+quote.Text(schema)+" LIMIT 1")
	if err == nil && len(rows) > 0 {
		rows, err = w.cat.Rows(ctx, "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE lower(schema_name) = "+quote.Text(schema))
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
	if w.own == nil {
		w.own = map[string]map[string]bool{}
	}
	w.own[schema] = own
	return own[fn], nil
}

// defaultEndpoint is asked by the functions that name no endpoint; BigQuery chooses one of its own.
const defaultEndpoint = "gemini-2.5-flash"

// ask writes a call of a scalar function over an endpoint, without a model:
// AI.GENERATE, AI.GENERATE_BOOL, AI.GENERATE_INT, AI.GENERATE_DOUBLE, AI.EMBED and AI.SIMILARITY
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-ai-generate).
func (w *writer) ask(ctx context.Context, f *dialect.Function) (*dialect.Substitution, error) {
	rows := []string{"prompt"} // the arguments that come from the row
	fn := f.Name
	switch f.Name {
	case "AI.EMBED":
		rows = []string{"content"}
	case "AI.SIMILARITY":
		rows, fn = []string{"content1", "content2"}, "AI.EMBED"
	}
	var keep []int
	var options []dialect.Option
	endpoint, endpointAt := "", f.Span
	var connection *dialect.Path
	seen := map[string]bool{}
	for i, a := range f.Args {
		name := a.Name
		if name == "" {
			if len(keep) == len(rows) || len(seen) > len(keep) {
				return nil, dialect.At(a.Span, fmt.Errorf("%s takes %s, then named arguments such as endpoint => '%s'", f.Name, strings.Join(rows, " and "), defaultEndpoint))
			}
			name = rows[len(keep)]
		}
		if seen[name] {
			return nil, dialect.At(a.NameSpan, fmt.Errorf("%s: argument `%s` is given twice", f.Name, name))
		}
		seen[name] = true
		if k := slices.Index(rows, name); k >= 0 {
			if k != len(keep) {
				return nil, dialect.At(a.Span, fmt.Errorf("%s: give %s first", f.Name, strings.Join(rows, ", then ")))
			}
			if kind := constantType(a.Const); kind != "" {
				return nil, dialect.At(a.Span, remote.WantsPrompt(f.Name, name, kind))
			}
			keep = append(keep, i)
			continue
		}
		if known := argumentNames(f.Name); !slices.Contains(known, name) {
			return nil, dialect.At(a.NameSpan, unknownArgument(f.Name, name, known))
		}
		if a.Const == nil {
			return nil, dialect.At(a.Span, fmt.Errorf("%s: argument `%s` must be a constant: it is the same for all rows", f.Name, name))
		}
		switch name {
		case "endpoint", "connection_id":
			if a.Const.Kind != dialect.String || a.Const.Str == "" {
				return nil, dialect.At(a.Span, fmt.Errorf("%s: argument `%s` must be a STRING that is not empty", f.Name, name))
			}
			if name == "endpoint" {
				endpoint, endpointAt = a.Const.Str, a.Span
			} else {
				connection = &dialect.Path{Span: a.Span, Parts: strings.Split(a.Const.Str, ".")}
			}
		default:
			options = append(options, dialect.Option{Span: a.Span, Name: name, Value: *a.Const})
		}
	}
	if len(keep) < len(rows) {
		return nil, dialect.At(f.Span, fmt.Errorf("%s needs the argument %s", f.Name, rows[len(keep)]))
	}
	if endpoint == "" {
		if fn == "AI.EMBED" {
			return nil, dialect.At(f.Span, fmt.Errorf("%s needs the argument endpoint, such as endpoint => 'text-embedding-005'", f.Name))
		}
		endpoint = defaultEndpoint
	}
	cfg := w.cfg
	name, err := connectionOf(cfg, connection, f.Span)
	if err != nil {
		return nil, err
	}
	rec := &modelspec.Spec{Type: "REMOTE", Connection: name, Path: endpoint}
	p, err := config.Provider(name, cfg.Connections[name])
	if err == nil {
		rec.Endpoint, err = p.Endpoint(endpoint)
	}
	if err != nil {
		return nil, dialect.At(endpointAt, err)
	}
	s, err := w.models.remoteSpec(catalog.Entry{QualifiedName: catalog.QualifiedName{Schema: "main", Name: endpoint}, Spec: rec}, fn, options, inputKind{similar: f.Name == "AI.SIMILARITY"})
	if err != nil {
		return nil, dialect.At(endpointAt, err)
	}
	scalar := s.ScalarFunction()
	if err := w.models.remoteFunction(ctx, scalar); err != nil {
		return nil, err
	}
	w.use(f, w.models.functionName(scalar.Name))
	before, after := s.ScalarSQL(w.models.functionName)
	if f.Name != "AI.SIMILARITY" {
		return &dialect.Substitution{Keep: keep, Text: []string{before, after}}, nil
	}
	// An embedding that could not be had is an empty list; its similarity is NULL. NULLIF would write the call twice, and
	// DuckDB would ask twice.
	vector, end := "list_extract(list_filter([struct_extract("+before, after+", 'result')], lambda v: len(v) > 0), 1)"
	return &dialect.Substitution{Keep: keep, Text: []string{
		"(1 - system.main.ml_distance(" + vector, end + ", " + vector, end + ", 'COSINE'))",
	}}, nil
}

// argumentNames lists the arguments of a function, in their order.
func argumentNames(fn string) []string {
	f, _ := googlesql.FunctionNamed(fn) // there is one
	names := make([]string, len(f.Args))
	for i, a := range f.Args {
		names[i] = a.Name
	}
	return names
}

func unknownArgument(fn, name string, known []string) error {
	err := fmt.Errorf("%s: there is no argument `%s`; it takes %s", fn, name, strings.Join(known, ", "))
	switch {
	case name == "model":
		return fmt.Errorf("%w; name the model with endpoint => '…'", err)
	case spelling.Nearest(name, known) == "" && strings.HasPrefix(fn, "AI.GENERATE") && spelling.Nearest(name, remote.ArgumentNames("AI.GENERATE_TEXT", remote.Gemini)) != "":
		return fmt.Errorf("%w; parameters of the model go into model_params => JSON '{…}'", err)
	}
	return spelling.Meant(err, name, known)
}

// constantType gives the type of a constant that is a number or a truth value, "" for any other.
func constantType(v *dialect.Value) string {
	switch {
	case v == nil:
	case v.Kind == dialect.Int:
		return "INT64"
	case v.Kind == dialect.Float:
		return "FLOAT64"
	case v.Kind == dialect.Bool:
		return "BOOL"
	}
	return ""
}

// tableFunction writes VECTOR_SEARCH and EXTERNAL_OBJECT_TRANSFORM; "" leaves a table function of the user's own.
func (w *writer) tableFunction(ctx context.Context, f *dialect.TableFunction, args []string) (string, error) {
	var sql string
	var err error
	if w.plan != nil {
		w.plan.uses = append(w.plan.uses, use{Span: f.Span, name: f.Name})
	}
	switch f.Name {
	case "VECTOR_SEARCH":
		sql, err = w.vectorSearch(ctx, f, args)
	case "EXTERNAL_OBJECT_TRANSFORM":
		sql, err = w.objectTransform(ctx, f, args)
	default:
		err = errors.New(f.Name + " is not part of this version")
	}
	return sql, dialect.At(f.Span, err)
}
