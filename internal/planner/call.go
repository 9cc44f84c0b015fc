package planner

import (
	"context"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
)

// inputKind is what the columns of an input tell of it.
type inputKind struct {
	titled  bool // texts have titles
	objects bool // the rows are objects of an object table, and no texts
	media   bool // the column content is an ObjectRef, or the JSON of one, and no text

	versioned bool // objects have a column generation
	similar   bool // the embeddings are for AI.SIMILARITY
}

func kindOfInput(columns []Column) inputKind {
	has := func(name string) bool {
		_, ok := named(columns, name)
		return ok
	}
	content, ok := named(columns, "content")
	generation, versioned := named(columns, "generation")
	return inputKind{
		titled:    has("title"),
		objects:   has("uri") && has("content_type") && !has("prompt") && !ok,
		versioned: versioned && generation.Type.Kind == mapping.TypeBigInt,
		media:     content.Type.Kind == mapping.TypeStruct || content.Type.Alias == "JSON",
	}
}

// called is the SQL of a call: what stands around its input, and the columns it reads from it.
type called struct {
	open, after string
	inputs      []inputColumn
}

// inputColumn is a column that a call reads, with the DuckDB type that suits it.
type inputColumn struct{ name, sqlType string }

// call writes a call of any function over any model.
func (w *expander) call(
	ctx context.Context, f catalog.Entry, fn string, options []dialect.Option, types functions.Types, in inputKind,
) (*called, error) {
	if f.Spec.Remote() {
		return w.remoteCall(ctx, f, fn, options, in)
	}
	switch fn {
	case "ML.PREDICT":
		if err := checkPredictOptions(options); err != nil {
			return nil, err
		}
		return w.predict(ctx, f, types)
	case "ML.GENERATE_EMBEDDING", "AI.GENERATE_EMBEDDING":
		return w.localEmbedding(ctx, f, fn, options)
	case "ML.GENERATE_TEXT", "AI.GENERATE_TEXT", "AI.GENERATE_TABLE":
		return nil, fmt.Errorf("%s needs a remote model, and %s is a TensorFlow model; "+
			"make one with CREATE MODEL … REMOTE WITH CONNECTION … OPTIONS(ENDPOINT='gemini-2.5-flash')", fn, f.QualifiedName)
	}
	return nil, fmt.Errorf("%s is not part of this version; ML.PREDICT, ML.GENERATE_TEXT and ML.GENERATE_EMBEDDING are", fn)
}

// predict writes a prediction by a TensorFlow model.
func (w *expander) predict(ctx context.Context, f catalog.Entry, types functions.Types) (*called, error) {
	live, err := w.Models.Version(f)
	if err != nil {
		return nil, err
	}
	if !w.Unmeasured {
		if err := live.Probe(ctx); err != nil {
			return nil, err
		}
	}
	fn, err := w.Models.PredictFunction(ctx, live.Outputs, types)
	if err != nil {
		return nil, err
	}
	x := &called{}
	x.open, x.after = live.PredictSQL(w.Models.FunctionName(fn), types)
	suits := live.InputTypes()
	for _, p := range live.Inputs {
		x.inputs = append(x.inputs, inputColumn{p.Name, suits[p.Name]})
	}
	return x, nil
}

// checkPredictOptions accepts what ML.PREDICT documents and knows nothing of a TensorFlow model: the arguments have no
// effect there (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-predict).
func checkPredictOptions(options []dialect.Option) error {
	for _, o := range options {
		ok := false
		switch strings.ToLower(o.Name) {
		case "threshold":
			ok = o.Value.Kind == dialect.Float || o.Value.Kind == dialect.Int
		case "keep_original_columns":
			ok = o.Value.Kind == dialect.Bool
		case "trial_id":
			ok = o.Value.Kind == dialect.Int
		default:
			return dialect.At(o.Span, fmt.Errorf("ML.PREDICT has no argument `%s`; it takes threshold, keep_original_columns and trial_id", o.Name))
		}
		if !ok {
			return dialect.At(o.Value.Span, fmt.Errorf("ML.PREDICT: `%s` has a value of the wrong type; "+
				"threshold is FLOAT64, keep_original_columns BOOL, trial_id INT64", o.Name))
		}
	}
	return nil
}
