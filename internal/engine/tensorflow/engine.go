// Package tensorflow is the engine of MODEL_TYPE 'TENSORFLOW': SavedModels, by connectors/tensorflow.
package tensorflow

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/modelspec"
)

// Kind reads and runs SavedModels. TensorFlow's library is opened with the first of them.
type Kind struct {
	c config.TensorFlowConfig
}

var _ engine.Kind = Kind{}

// New gives the kind; the library's path must be complete.
func New(c config.TensorFlowConfig) Kind { return Kind{c} }

// ModelType implements [engine.Kind].
func (Kind) ModelType() string { return "TENSORFLOW" }

// Open implements [engine.Kind].
func (k Kind) Open(ctx context.Context, dir string, s *modelspec.Spec) (engine.Engine, error) {
	rt, err := k.runtime()
	if err != nil {
		return nil, failure.As(failure.ErrTensorFlow, err)
	}
	outputs := make([]string, len(s.Outputs))
	for i, p := range s.Outputs {
		outputs[i] = p.Name
	}
	interOp := k.c.InterOpThreads
	if interOp == 0 {
		// Operations run on the thread that asks: package functions spreads batches over the cores itself, and handing
		// each operation to another thread more than doubles the time of a small batch.
		interOp = -1
	}
	loaded, err := rt.LoadModel(ctx, tensorflow.LoadOptions{
		Dir: dir, Name: strings.TrimSuffix(s.Path, "/*"), Tags: s.Tags, Signature: s.Signature, Outputs: outputs,
		CustomOps: s.CustomOps, AllowOps: k.c.AllowOps,
		IntraOpThreads: k.intraOp(dir, s), InterOpThreads: interOp, XLA: k.c.XLA,
	})
	if err == nil {
		err = agree(s, loaded)
	}
	if err != nil {
		if loaded != nil {
			_ = loaded.Close() // there is an error to tell already
		}
		return nil, err
	}
	return session{loaded}, nil
}

// agree holds a record against what the files say: statements were planned with the record, and a stranger may have written it.
func agree(s *modelspec.Spec, loaded *tensorflow.Session) error {
	differ := func(what string) error {
		return fmt.Errorf("its record and its files differ in %s; create the model again with CREATE OR REPLACE MODEL", what)
	}
	if s.Stateless && !loaded.Signature.Stateless {
		return differ("whether equal rows give equal outputs")
	}
	for _, ports := range []struct {
		what  string
		said  []modelspec.Port
		files []tensorflow.Port
	}{{"input", s.Inputs, loaded.Inputs}, {"output", s.Outputs, loaded.Outputs}} {
		if len(ports.said) != len(ports.files) {
			return differ("the number of " + ports.what + "s")
		}
		for i, p := range ports.said {
			f := ports.files[i]
			if p.Name != f.Name || p.DType != f.DType.String() || !slices.Equal(p.Shape, f.Shape) || p.Binary && f.DType != tensorflow.String {
				return differ(ports.what + " `" + p.Name + "`")
			}
		}
	}
	if s.FixedBatch != fixedBatch(loaded.Inputs) {
		return differ("the rows of a run")
	}
	return nil
}

// fixedBatch gives the rows that a run must have, or 0: Signature.Check has seen that the inputs agree.
func fixedBatch(inputs []tensorflow.Port) int {
	for _, p := range inputs {
		if p.Shape[0] > 0 {
			return int(p.Shape[0])
		}
	}
	return 0
}

// runtime opens TensorFlow, once per process.
func (k Kind) runtime() (*tensorflow.Runtime, error) {
	lib, err := tensorflow.Find(tensorflow.FindOptions{Path: k.c.Library})
	if err != nil {
		return nil, err
	}
	return tensorflow.Open(lib)
}

// smallModel is the bytes of a model's files up to which its operations are taken to be short.
const smallModel = 4 << 20

// intraOp gives the threads of one operation. Batches are spread over the cores by package functions, so a second thread
// inside an operation has work only where one row is slow, as of an image; elsewhere it costs a switch of threads at every
// operation (measured on two cores: a perceptron a quarter of its time, a transformer a fifth of its processor time).
func (k Kind) intraOp(dir string, s *modelspec.Spec) int {
	if n := k.c.IntraOpThreads; n > 0 {
		return n
	}
	if runtime.GOMAXPROCS(0) <= 2 {
		return 1
	}
	for _, p := range s.Inputs {
		if len(p.Shape) == 0 || len(p.Shape) > 2 {
			return 0
		}
	}
	left := int64(smallModel)
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, err := d.Info()
		if err == nil {
			left -= i.Size()
		}
		return err
	})
	if err != nil || left < 0 {
		return 0
	}
	return 1
}

// dtypes ties TensorFlow's element types to those of package functions.
var dtypes = []struct {
	tf tensorflow.DType
	fn functions.DType
}{
	{tensorflow.Bool, functions.Bool},
	{tensorflow.Int8, functions.Int8}, {tensorflow.Int16, functions.Int16},
	{tensorflow.Int32, functions.Int32}, {tensorflow.Int64, functions.Int64},
	{tensorflow.Uint8, functions.Uint8}, {tensorflow.Uint16, functions.Uint16},
	{tensorflow.Uint32, functions.Uint32}, {tensorflow.Uint64, functions.Uint64},
	{tensorflow.Float16, functions.Float16}, {tensorflow.BFloat16, functions.BFloat16},
	{tensorflow.Float32, functions.Float32}, {tensorflow.Float64, functions.Float64},
	{tensorflow.String, functions.String},
}

// toTF and fromTF are the same table by index; both enumerations are small.
var toTF, fromTF = func() (map[functions.DType]tensorflow.DType, map[tensorflow.DType]functions.DType) {
	to, from := map[functions.DType]tensorflow.DType{}, map[tensorflow.DType]functions.DType{}
	for _, d := range dtypes {
		to[d.fn], from[d.tf] = d.tf, d.fn
	}
	return to, from
}()

// session is a TensorFlow session as package functions wants it.
type session struct{ s *tensorflow.Session }

// Run implements [functions.Engine].
func (e session) Run(ctx context.Context, in []functions.Tensor) (functions.Batch, error) {
	var few [4]tensorflow.Tensor
	tensors := few[:0]
	for _, t := range in {
		tensors = append(tensors, tensorflow.Tensor{DType: toTF[t.DType], Shape: t.Shape, Data: t.Data, Strings: t.Strings})
	}
	r, err := e.s.Run(ctx, tensors)
	if err != nil {
		return nil, err
	}
	return batch{r}, nil
}

// Close implements [engine.Engine].
func (e session) Close() error { return e.s.Close() }

type batch struct{ r *tensorflow.Result }

// Output implements [functions.Batch].
func (b batch) Output(i int) (functions.Tensor, error) {
	t, err := b.r.Output(i)
	return functions.Tensor{DType: fromTF[t.DType], Shape: t.Shape, Data: t.Data, Strings: t.Strings}, err
}

// Close implements [functions.Batch]. Freeing outputs cannot fail in a way that a query should hear of.
func (b batch) Close() { _ = b.r.Close() }
