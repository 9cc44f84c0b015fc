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

// call writes a call of any function over any model. In a plan that EXPLAIN shows the column of its answers has the model's name.
func (ex *expander) call(
	ctx context.Context, f catalog.Entry, fn string, options []dialect.Option, types functions.Types, in inputKind,
) (*called, error) {
	x, err := ex.calling(ctx, f, fn, options, types, in)
	if err == nil && ex.plan != nil && ex.plan.Verb == "EXPLAIN" {
		x.open = renamed(x.open, answersColumn, "MODEL "+f.QualifiedName.String())
	}
	return x, err
}

// answersColumn is the column of a call's answers, as functions and functions/remote write it.
const answersColumn = "__p"

// renamed gives another name to a name in DuckDB's SQL that may end anywhere.
func renamed(sql, from, to string) string {
	var b strings.Builder
	end := 0
	for _, p := range dialect.Pieces(sql, dialect.DuckDB) {
		if p.Class == dialect.Word && sql[p.Pos:p.End] == from {
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
