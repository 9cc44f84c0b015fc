package planner

import (
	"context"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
)

// localEmbedding writes ML.GENERATE_EMBEDDING over a TensorFlow model with one string input and one vector output:
// embeddings with no cloud at all. The columns are those of an open model's: the embedding, its status, and the input's
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-generate-embedding).
func (ex *expander) localEmbedding(ctx context.Context, f catalog.Entry, fn string, options []dialect.Option) (*called, error) {
	flat := true
	for _, o := range options {
		if fn != "ML.GENERATE_EMBEDDING" || !strings.EqualFold(o.Name, "flatten_json_output") || o.Value.Kind != dialect.Bool {
			return nil, dialect.At(o.Span, fmt.Errorf("%s over a TensorFlow model has no argument `%s` of this type; "+
				"ML.GENERATE_EMBEDDING takes flatten_json_output, a BOOL", fn, o.Name))
		}
		flat = o.Value.Bool
	}
	in, out := f.Spec.Inputs, f.Spec.Outputs
	text := len(in) == 1 && in[0].DType == "string" && len(in[0].Shape) == 1
	vector := len(out) == 1 && len(out[0].Shape) == 2 && (strings.HasPrefix(out[0].DType, "float") || out[0].DType == "bfloat16")
	if !text || !vector {
		return nil, fmt.Errorf("%s needs a model with one string input and one vector output; model %s takes %s and gives %s; "+
			"choose an output with OPTIONS(outputs=['…'])",
			fn, f.QualifiedName, modelspec.PortsText(in), modelspec.PortsText(out))
	}
	x, err := ex.predict(ctx, f, functions.BigQuery)
	if err != nil {
		return nil, err
	}
	input, output := quote.Name(in[0].Name), quote.Name(out[0].Name)
	names := [2]string{"ml_generate_embedding_result", "ml_generate_embedding_status"}
	if fn == "AI.GENERATE_EMBEDDING" {
		names = [2]string{"embedding", "status"}
	}
	result := "__e." + output
	if !flat {
		result = "to_json(__e." + output + ")"
	}
	open := fmt.Sprintf("(SELECT %s AS %s, CASE WHEN __e.%s IS NULL THEN 'content is NULL' ELSE '' END AS %s, __e.* EXCLUDE (%s",
		result, names[0], output, names[1], output)
	inner := "SELECT __c.* FROM ("
	if !strings.EqualFold(in[0].Name, "content") {
		open += ", " + input
		inner = "SELECT __c.content AS " + input + ", __c.* FROM ("
	}
	x.open = open + ") FROM " + x.open + inner
	x.after = "\n) AS __c" + x.after + " AS __e)"
	x.inputs = []inputColumn{{"content", "VARCHAR"}}
	return x, nil
}
