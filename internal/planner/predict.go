package planner

import (
	"context"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
)

// predict writes a prediction by a TensorFlow model.
func (ex *expander) predict(ctx context.Context, f catalog.Entry, types functions.Types) (*called, error) {
	live, err := ex.Models.Version(f)
	if err != nil {
		return nil, err
	}
	if !ex.Unmeasured {
		if err := live.Probe(ctx); err != nil {
			return nil, err
		}
	}
	fn, err := ex.Models.PredictFunction(ctx, live.Outputs, types)
	if err != nil {
		return nil, err
	}
	x := &called{}
	x.open, x.after = live.PredictSQL(ex.Models.FunctionName(fn), types)
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
			return dialect.At(o.Span, fmt.Errorf("ML.PREDICT has no argument `%s`; "+
				"it takes threshold, keep_original_columns and trial_id", o.Name))
		}
		if !ok {
			return dialect.At(o.Value.Span, fmt.Errorf("ML.PREDICT: `%s` has a value of the wrong type; "+
				"threshold is FLOAT64, keep_original_columns BOOL, trial_id INT64", o.Name))
		}
	}
	return nil
}
