package modeltest_test

import (
	"math"
	"testing"

	"github.com/mallardml/mallard/internal/modeltest"
)

// TestTolerance: what a machine without AVX-512 gave for the values of one with it is within, what is wrong is not.
func TestTolerance(t *testing.T) {
	for _, tt := range []struct {
		dtype     string
		depth     int
		got, want float64
		ok        bool
	}{
		{"float32", modeltest.Shallow, 0.0343737676739, 0.0343737713992, true},
		{"float32", modeltest.BasicPitch, 0.45763272047042847, 0.4574248790740967, true},
		{"float32", modeltest.Shallow, 0.45763272047042847, 0.4574248790740967, false},
		{"float32", modeltest.BasicPitch, 0.48, 0.45, false},
		{"float64", modeltest.Shallow, 0.1 + 0.2, 0.3, true},
		{"float64", modeltest.Shallow, 0.3000001, 0.3, false},
		{"bfloat16", modeltest.Shallow, 1.0078125, 1, true},
		{"bfloat16", modeltest.Shallow, 1.02, 1, false},
		{"float16", modeltest.Shallow, 1.01, 1, false},
		{"int64", modeltest.BasicPitch, 1000001, 1000000, false},
		{"float32", modeltest.Shallow, math.NaN(), math.NaN(), true},
		{"float32", modeltest.Shallow, math.NaN(), 1, false},
		{"float32", modeltest.Shallow, 1, math.NaN(), false},
		{"float32", modeltest.Shallow, math.Inf(1), math.Inf(1), true},
		{"float32", modeltest.Shallow, math.Inf(1), 1, false},
		{"float32", modeltest.Shallow, math.MaxFloat32, math.Inf(1), false},
	} {
		err := modeltest.Check(tt.got, tt.want, modeltest.Tolerance(tt.dtype, tt.depth))
		if (err == nil) != tt.ok {
			t.Errorf("%s of depth %d: %v", tt.dtype, tt.depth, err)
		}
	}
}
