package planner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/spelling"
)

// defaultEndpoint is asked by the functions that name no endpoint; BigQuery chooses one of its own.
const defaultEndpoint = "gemini-2.5-flash"

// ask writes a call of a scalar function over an endpoint, without a model:
// AI.GENERATE, AI.GENERATE_BOOL, AI.GENERATE_INT, AI.GENERATE_DOUBLE, AI.EMBED and AI.SIMILARITY
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-ai-generate).
func (w *expander) ask(ctx context.Context, f *dialect.Function) (*dialect.Substitution, error) {
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
	cfg := w.Config
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
	s, err := w.remoteSpec(catalog.Entry{QualifiedName: catalog.QualifiedName{Schema: "main", Name: endpoint}, Spec: rec}, fn, options, inputKind{similar: f.Name == "AI.SIMILARITY"})
	if err != nil {
		return nil, dialect.At(endpointAt, err)
	}
	scalar := s.ScalarFunction()
	if err := w.Models.RemoteFunction(ctx, scalar); err != nil {
		return nil, err
	}
	w.use(f, w.Models.FunctionName(scalar.Name))
	before, after := s.ScalarSQL(w.Models.FunctionName)
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
