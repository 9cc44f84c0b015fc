package tensorflow

// Tensor is an input or an output. Numbers lie in Data in the machine's byte
// order, row by row; strings in Strings, one per element. The memory may be
// Go's or C's. As an input it is lent until Result.Close (an output may be the
// input itself); as an output it is valid until Result.Close.
type Tensor struct {
	DType   DType
	Shape   []int64
	Data    []byte
	Strings []string
}

// Elements is the product of the shape; 1 for a scalar.
func (t *Tensor) Elements() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}
