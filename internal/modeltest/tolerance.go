// Package modeltest says how far a model's floats may be from those that TensorFlow's Python runtime gave on another machine.
//
// Kernels differ from one kind of processor to another (AVX-512, AVX2, SSE4.1, oneDNN or Eigen): they add up in another order, and each sum
// is
// rounded anew. `make test-cpus` runs the tests with several of them.
package modeltest

import (
	"fmt"
	"math"
)

// Depths of the real models and of the fixtures: the layers that sum up (matrix products, convolutions, means) on the longest way through.
const (
	Shallow    = 1  // the tiny models of testdata/models, and guesslang
	BasicPitch = 16 // nine octaves of a constant-Q transform, then seven convolutions
)

// Tolerance is what numbers of a tensor's data type may differ by, relative to the larger of one and the number itself; 0 for types that
// are no
// floats. A layer rounds its sums by some tens of units in the last place, and makes what came in wrong worse: so the square of the depth.
// Halves are computed as float32 and rounded once more.
func Tolerance(dtype string, depth int) float64 {
	layers := 64 * float64(depth*depth)
	switch dtype {
	case "float16":
		return 0x1p-10 + 0x1p-23*layers
	case "bfloat16":
		return 0x1p-7 + 0x1p-23*layers
	case "float32":
		return 0x1p-23 * layers
	case "float64":
		return 0x1p-52 * layers
	}
	return 0
}

// Check gives an error where two numbers are further from each other than the tolerance.
func Check(got, want, tolerance float64) error {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return nil
	}
	if d := math.Abs(got - want); math.IsInf(want, 0) || !(d <= tolerance*max(1, math.Abs(want))) {
		return fmt.Errorf("%v, want %v within %.2g", got, want, tolerance)
	}
	return nil
}
