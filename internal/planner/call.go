package planner

import (
	"context"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/quote"
)

// call writes a call of any function over any model. Where EXPLAIN may show it, and a person reads its names, these are the model's.
func (ex *expander) call(
	ctx context.Context, f catalog.Entry, fn string, options []dialect.Option, types functions.Types, in inputKind,
) (*called, error) {
	x, err := ex.calling(ctx, f, fn, options, types, in)
	if err == nil && (ex.shown || ex.plan != nil && ex.plan.Verb == "EXPLAIN") {
		names := map[string]string{"__p": "MODEL ", "__k": "rows of MODEL ", "__q": inputOfModel}
		for of := range names {
			names[of] += f.QualifiedName.String()
		}
		if f.Spec.Remote() {
			names["__p"] += ", remote: EXPLAIN ML tells its requests and cost"
		}
		x.open, x.after = renamed(x.open, names), renamed(x.after, names)
	}
	return x, err
}

// inputOfModel is how the name of a call's input begins where a person may read it.
const inputOfModel = "input of MODEL "

// isInput tells whether a name is the one that the expansion gives to the input of a call.
func isInput(table string) bool {
	return table == "__q" || table == "__c" || strings.HasPrefix(table, inputOfModel)
}

// renamed gives other names to names in DuckDB's SQL that may end anywhere.
func renamed(sql string, names map[string]string) string {
	var b strings.Builder
	end := 0
	for _, p := range dialect.Pieces(sql, dialect.DuckDB) {
		if to := names[sql[p.Pos:p.End]]; p.Class == dialect.Word && to != "" {
			b.WriteString(sql[end:p.Pos] + quote.Name(to))
			end = p.End
		}
	}
	return b.String() + sql[end:]
}

func (ex *expander) calling(
	ctx context.Context, f catalog.Entry, fn string, options []dialect.Option, types functions.Types, in inputKind,
) (*called, error) {
	if f.Spec.Remote() {
		return ex.remoteCall(ctx, f, fn, options, in)
	}
	switch fn {
	case "ML.PREDICT":
		if err := checkPredictOptions(options); err != nil {
			return nil, err
		}
		return ex.predict(ctx, f, types)
	case "ML.GENERATE_EMBEDDING", "AI.GENERATE_EMBEDDING":
		return ex.localEmbedding(ctx, f, fn, options)
	case "ML.GENERATE_TEXT", "AI.GENERATE_TEXT", "AI.GENERATE_TABLE":
		return nil, fmt.Errorf("%s needs a remote model, and %s is a TensorFlow model; "+
			"make one with CREATE MODEL … REMOTE WITH CONNECTION … OPTIONS(ENDPOINT='gemini-2.5-flash')", fn, f.QualifiedName)
	}
	return nil, fmt.Errorf("%s is not part of this version; ML.PREDICT, ML.GENERATE_TEXT and ML.GENERATE_EMBEDDING are", fn)
}
