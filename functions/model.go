package functions

import "context"

// DType is the element type of a tensor.
type DType uint8

// The element types that models may have. The zero DType is none of them.
const (
	_ DType = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float16
	BFloat16
	Float32
	Float64
	String
)

var dtypes = [...]struct {
	name string
	size int
}{
	Bool: {"bool", 1}, Int8: {"int8", 1}, Int16: {"int16", 2}, Int32: {"int32", 4}, Int64: {"int64", 8},
	Uint8: {"uint8", 1}, Uint16: {"uint16", 2}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8},
	Float16: {"float16", 2}, BFloat16: {"bfloat16", 2}, Float32: {"float32", 4}, Float64: {"float64", 8},
	String: {"string", 0},
}

// String returns TensorFlow's name of the type, such as float32.
func (d DType) String() string {
	if int(d) >= len(dtypes) || d == 0 {
		return "unknown type"
	}
	return dtypes[d].name
}

// DTypeNamed gives the type of a name that String returns.
func DTypeNamed(name string) (DType, bool) {
	for d := range dtypes {
		if d > 0 && dtypes[d].name == name {
			return DType(d), true
		}
	}
	return 0, false
}

// Size returns the bytes of one element, 0 for strings.
func (d DType) Size() int {
	if int(d) >= len(dtypes) {
		return 0
	}
	return dtypes[d].size
}

// Float reports whether the type is one of the floating-point types.
func (d DType) Float() bool { return d >= Float16 && d <= Float64 }

// Integer reports whether the type is one of the integer types; bool is not.
func (d DType) Integer() bool { return d >= Int8 && d <= Uint64 }

// Port is one input or output of a model.
type Port struct {
	Name  string
	DType DType
	// Shape has the batch dimension first; -1 is an unknown length.
	Shape []int64
	// Binary asks for a string output as BLOB, with any bytes; otherwise its values must be valid UTF-8.
	Binary bool
}

// inner is the shape of one row.
func (p *Port) inner() []int64 {
	if len(p.Shape) == 0 {
		return nil
	}
	return p.Shape[1:]
}

// scalar reports whether one row is a single value: [None] and [None, 1].
func (p *Port) scalar() bool {
	in := p.inner()
	return len(in) == 0 || len(in) == 1 && in[0] == 1
}

// Tensor is a dense array in row-major order. String tensors have Strings, one per element, all others Data in the
// machine's byte order. What it points to is borrowed.
type Tensor struct {
	DType   DType
	Shape   []int64
	Data    []byte
	Strings []string
}

// Engine runs one loaded model. It is safe for concurrent use, and does not keep the memory of its inputs after Run returns.
type Engine interface {
	// Run takes the inputs in the order of Model.Inputs.
	Run(ctx context.Context, in []Tensor) (Batch, error)
}

// Batch is the result of a run. Its tensors are valid until Close.
type Batch interface {
	// Output returns the tensor of Model.Outputs[i].
	Output(i int) (Tensor, error)
	Close()
}

// Model is one frozen version of a model: all that prediction needs to know. It must not be copied or changed after its
// first use, and is safe for concurrent use.
type Model struct {
	Name    string
	Version int64 // unique in the process; a literal in the SQL that PredictSQL writes
	Inputs  []Port
	Outputs []Port // sorted byte-wise by name
	// BatchSize is the user's choice of rows per run; 0 lets measurement decide.
	BatchSize int
	// FixedBatch is the graph's own batch dimension when it is a number; otherwise 0.
	FixedBatch int
	// Stateless says that equal rows give equal outputs and that running has no lasting effect.
	Stateless bool
	// Open gives the engine. It is called once per bound statement; the provider caches.
	Open func(ctx context.Context) (Engine, error)

	tune tuning
}
