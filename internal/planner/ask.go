package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/spelling"
)

// defaultEndpoint is asked by the functions that name no endpoint; BigQuery chooses one of its own.
const defaultEndpoint = "gemini-2.5-flash"

// asked is a call of a scalar function over an endpoint, as it is written.
type asked struct {
	f          *dialect.Function
	rows       []string // the arguments that come from the row
	keep       []int    // where they stand
	options    []dialect.Option
	endpoint   string
	endpointAt dialect.Span
	connection *dialect.Path // nil for the default one
}

// ask writes a call of a scalar function over an endpoint, without a model:
// AI.GENERATE, AI.GENERATE_BOOL, AI.GENERATE_INT, AI.GENERATE_DOUBLE, AI.IF, AI.SCORE, AI.CLASSIFY, AI.EMBED and AI.SIMILARITY
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-ai-generate).
func (ex *expander) ask(ctx context.Context, f *dialect.Function) (*dialect.Substitution, error) {
	rows, fn := []string{"prompt"}, f.Name
	switch f.Name {
	case "AI.EMBED":
		rows = []string{"content"}
	case "AI.CLASSIFY":
		rows = []string{"input"}
	case "AI.SIMILARITY":
		rows, fn = []string{"content1", "content2"}, "AI.EMBED"
	}
	c, err := readAsked(f, rows)
	if err != nil {
		return nil, err
	}
	if c.endpoint == "" {
		if fn == "AI.EMBED" {
			return nil, dialect.At(f.Span, fmt.Errorf("%s needs the argument endpoint, such as endpoint => 'text-embedding-005'", f.Name))
		}
		c.endpoint = defaultEndpoint
	}
	e, err := ex.unnamed(c)
	if err != nil {
		return nil, err
	}
	s, err := ex.remoteSpec(e, fn, c.options, inputKind{similar: f.Name == "AI.SIMILARITY"})
	if err != nil {
		return nil, dialect.At(c.endpointAt, err)
	}
	scalar := s.ScalarFunction()
	if err := ex.Models.RemoteFunction(ctx, scalar); err != nil {
		return nil, err
	}
	ex.use(f, ex.Models.FunctionName(scalar.Name))
	before, after := s.ScalarSQL(ex.Models.FunctionName)
	switch f.Name {
	case "AI.IF", "AI.SCORE", "AI.CLASSIFY": // the value alone, NULL where there is none
		return &dialect.Substitution{Keep: c.keep, Text: []string{"struct_extract(" + before, after + ", 'result')"}}, nil
	case "AI.SIMILARITY":
	default:
		return &dialect.Substitution{Keep: c.keep, Text: []string{before, after}}, nil
	}
	// An embedding that could not be had is an empty list; its similarity is NULL. NULLIF would write the call twice, and
	// DuckDB would ask twice.
	vector, end := "list_extract(list_filter([struct_extract("+before, after+", 'result')], lambda v: len(v) > 0), 1)"
	return &dialect.Substitution{Keep: c.keep, Text: []string{
		"(1 - system.main.ml_distance(" + vector, end + ", " + vector, end + ", 'COSINE'))",
	}}, nil
}

// unnamed gives a model that has no name: the endpoint of a call.
func (ex *expander) unnamed(c *asked) (e catalog.Entry, err error) {
	name, err := connectionOf(ex.Config, c.connection, c.f.Span)
	if err != nil {
		return e, err
	}
	spec := &modelspec.Spec{Type: "REMOTE", Connection: name, Path: c.endpoint}
	p, err := config.Provider(name, ex.Config.Connections[name])
	if err == nil {
		spec.Endpoint, err = p.Endpoint(c.endpoint)
	}
	e = catalog.Entry{QualifiedName: catalog.QualifiedName{Schema: "main", Name: c.endpoint}, Spec: spec}
	return e, dialect.At(c.endpointAt, err)
}

// readAsked reads the arguments of a call: first those that come from the row, by position or name, then named constants.
func readAsked(f *dialect.Function, rows []string) (*asked, error) {
	c := &asked{f: f, rows: rows, endpointAt: f.Span}
	seen := map[string]bool{}
	for i, a := range f.Args {
		name := a.Name
		if name == "" && f.Name == "AI.CLASSIFY" && len(c.keep) == 1 && len(seen) == 1 {
			name = "categories"
		}
		if name == "" {
			if len(c.keep) == len(rows) || len(seen) > len(c.keep) {
				return nil, dialect.At(a.Span, fmt.Errorf("%s takes %s, then named arguments such as endpoint => '%s'",
					f.Name, strings.Join(rows, " and "), defaultEndpoint))
			}
			name = rows[len(c.keep)]
		}
		if seen[name] {
			return nil, dialect.At(a.NameSpan, fmt.Errorf("%s: argument `%s` is given twice", f.Name, name))
		}
		seen[name] = true
		var err error
		if k := slices.Index(rows, name); k >= 0 {
			err = c.row(i, k, a)
		} else {
			err = c.constant(name, a)
		}
		if err != nil {
			return nil, err
		}
	}
	if f.Name == "AI.CLASSIFY" && !seen["categories"] {
		return nil, dialect.At(f.Span, errors.New("AI.CLASSIFY needs the argument categories, such as categories => ['news', 'sport']"))
	}
	if len(c.keep) < len(rows) {
		return nil, dialect.At(f.Span, fmt.Errorf("%s needs the argument %s", f.Name, rows[len(c.keep)]))
	}
	return c, nil
}

// row takes argument i, which is number k of those that come from the row.
func (c *asked) row(i, k int, a dialect.Argument) error {
	if k != len(c.keep) {
		return dialect.At(a.Span, fmt.Errorf("%s: give %s first", c.f.Name, strings.Join(c.rows, ", then ")))
	}
	if kind := constantType(a.Const); kind != "" {
		return dialect.At(a.Span, remote.WantsPrompt(c.f.Name, c.rows[k], kind))
	}
	c.keep = append(c.keep, i)
	return nil
}

// constant takes an argument that is the same for all rows.
func (c *asked) constant(name string, a dialect.Argument) error {
	fn := c.f.Name
	if known := argumentNames(fn); !slices.Contains(known, name) {
		return dialect.At(a.NameSpan, unknownArgument(fn, name, known))
	}
	if a.Const == nil {
		return dialect.At(a.Span, fmt.Errorf("%s: argument `%s` must be a constant: it is the same for all rows", fn, name))
	}
	if a.Const.Kind == dialect.Null { // as if it were not there, which is how DataFrames leave an argument out
		return nil
	}
	if name != "endpoint" && name != "connection_id" {
		c.options = append(c.options, dialect.Option{Span: a.Span, Name: name, Value: *a.Const})
		return nil
	}
	if a.Const.Kind != dialect.String || a.Const.Str == "" {
		return dialect.At(a.Span, fmt.Errorf("%s: argument `%s` must be a STRING that is not empty", fn, name))
	}
	if name == "endpoint" {
		c.endpoint, c.endpointAt = a.Const.Str, a.Span
	} else {
		c.connection = &dialect.Path{Span: a.Span, Parts: strings.Split(a.Const.Str, ".")}
	}
	return nil
}

// argumentNames lists the arguments of a function, in their order.
func argumentNames(fn string) []string {
	f, _ := functiontable.Named(fn) // there is one
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
	case spelling.Nearest(name, known) == "" && strings.HasPrefix(fn, "AI.GENERATE") &&
		spelling.Nearest(name, remote.ArgumentNames("AI.GENERATE_TEXT", remote.Gemini)) != "":
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
