package extension

import (
	"context"

	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/functions"
)

// dtypes ties TensorFlow's element types to those of package functions and to the names that records use.
var dtypes = []struct {
	name string
	tf   tensorflow.DType
	fn   functions.DType
}{
	{"bool", tensorflow.Bool, functions.Bool},
	{"int8", tensorflow.Int8, functions.Int8}, {"int16", tensorflow.Int16, functions.Int16},
	{"int32", tensorflow.Int32, functions.Int32}, {"int64", tensorflow.Int64, functions.Int64},
	{"uint8", tensorflow.Uint8, functions.Uint8}, {"uint16", tensorflow.Uint16, functions.Uint16},
	{"uint32", tensorflow.Uint32, functions.Uint32}, {"uint64", tensorflow.Uint64, functions.Uint64},
	{"float16", tensorflow.Float16, functions.Float16}, {"bfloat16", tensorflow.BFloat16, functions.BFloat16},
	{"float32", tensorflow.Float32, functions.Float32}, {"float64", tensorflow.Float64, functions.Float64},
	{"string", tensorflow.String, functions.String},
}

func dtypeNamed(name string) (functions.DType, bool) {
	for _, d := range dtypes {
		if d.name == name {
			return d.fn, true
		}
	}
	return 0, false
}

// toTF and fromTF are the same table by index; both enumerations are small.
var toTF, fromTF = func() (map[functions.DType]tensorflow.DType, map[tensorflow.DType]functions.DType) {
	to, from := map[functions.DType]tensorflow.DType{}, map[tensorflow.DType]functions.DType{}
	for _, d := range dtypes {
		to[d.fn], from[d.tf] = d.tf, d.fn
	}
	return to, from
}()

// tfEngine is a TensorFlow session as package functions wants it.
type tfEngine struct{ s *tensorflow.Session }

var _ functions.Engine = tfEngine{}

// Run implements [functions.Engine].
func (e tfEngine) Run(ctx context.Context, in []functions.Tensor) (functions.Batch, error) {
	var few [4]tensorflow.Tensor
	tensors := few[:0]
	for _, t := range in {
		tensors = append(tensors, tensorflow.Tensor{DType: toTF[t.DType], Shape: t.Shape, Data: t.Data, Strings: t.Strings})
	}
	r, err := e.s.Run(ctx, tensors)
	if err != nil {
		return nil, err
	}
	return tfBatch{r}, nil
}

type tfBatch struct{ r *tensorflow.Result }

// Output implements [functions.Batch].
func (b tfBatch) Output(i int) (functions.Tensor, error) {
	t, err := b.r.Output(i)
	return functions.Tensor{DType: fromTF[t.DType], Shape: t.Shape, Data: t.Data, Strings: t.Strings}, err
}

// Close implements [functions.Batch]. Freeing outputs cannot fail in a way that a query should hear of.
func (b tfBatch) Close() { _ = b.r.Close() }
