package tensorflow

import "strconv"

// DType is the type of a tensor's elements, numbered as in TensorFlow's types.proto.
type DType int32

// The types that Mallard maps to SQL. Other numbers may stand in a Port that
// Inspect returns; Supported tells them apart.
const (
	invalid  DType = 0
	Float32  DType = 1
	Float64  DType = 2
	Int32    DType = 3
	Uint8    DType = 4
	Int16    DType = 5
	Int8     DType = 6
	String   DType = 7
	Int64    DType = 9
	Bool     DType = 10
	BFloat16 DType = 14
	Uint16   DType = 17
	Float16  DType = 19
	Uint32   DType = 22
	Uint64   DType = 23
)

// dtypes holds name and element size; the size of a string is that of its TF_TString.
var dtypes = map[DType]struct {
	name string
	size int
}{
	Float32: {"float32", 4}, Float64: {"float64", 8}, Float16: {"float16", 2}, BFloat16: {"bfloat16", 2},
	Int8: {"int8", 1}, Int16: {"int16", 2}, Int32: {"int32", 4}, Int64: {"int64", 8},
	Uint8: {"uint8", 1}, Uint16: {"uint16", 2}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8},
	Bool: {"bool", 1}, String: {"string", 0},
	8: {"complex64", 0}, 11: {"qint8", 0}, 12: {"quint8", 0}, 13: {"qint32", 0}, 15: {"qint16", 0}, 16: {"quint16", 0},
	18: {"complex128", 0}, 20: {"resource", 0}, 21: {"variant", 0},
	24: {"float8_e5m2", 0}, 25: {"float8_e4m3fn", 0}, 29: {"int4", 0}, 30: {"uint4", 0},
}

// String gives TensorFlow's own name of the type ("float32").
func (d DType) String() string {
	if t, ok := dtypes[d]; ok {
		return t.name
	}
	return "dtype " + strconv.Itoa(int(d))
}

// Size is the number of bytes of one element; 0 for strings and for unsupported types.
func (d DType) Size() int { return dtypes[d].size }

// Supported reports whether tensors of this type can be fed and fetched.
func (d DType) Supported() bool { return d == String || d.Size() > 0 }
