package planner

import (
	"context"
	"fmt"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
)

// call writes a call of any function over any model.
func (ex *expander) call(
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
