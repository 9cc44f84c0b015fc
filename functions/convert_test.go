package functions

import (
	"math"
	"testing"
)

// TestSmallFloats compares with what numpy (float16) and ml_dtypes (bfloat16) give.
func TestSmallFloats(t *testing.T) {
	for _, tt := range []struct {
		give           float64
		half, bfloat16 uint16
	}{
		{0, 0x0000, 0x0000}, {math.Copysign(0, -1), 0x8000, 0x8000}, {1, 0x3c00, 0x3f80}, {-2.5, 0xc100, 0xc020},
		{65504, 0x7bff, 0x4780}, {65519.99, 0x7bff, 0x4780}, {65520, 0x7c00, 0x4780}, {1e10, 0x7c00, 0x5015}, {-1e10, 0xfc00, 0xd015},
		{6e-08, 0x0001, 0x3381}, {2.9802322387695312e-08, 0x0000, 0x3300}, {2.980232536792755e-08, 0x0001, 0x3300},
		{5.960464477539063e-08, 0x0001, 0x3380}, {6.097555160522461e-05, 0x03ff, 0x3880}, {6.1035e-05, 0x0400, 0x3880},
		{0.1, 0x2e66, 0x3dcd}, {1.0 / 3, 0x3555, 0x3eab}, {2049, 0x6800, 0x4500}, {2051, 0x6802, 0x4500}, {2049.0000000001, 0x6801, 0x4500},
		{1e-300, 0x0000, 0x0000}, {3.3895313892515355e+38, 0x7c00, 0x7f7f}, {3.4e+38, 0x7c00, 0x7f80}, {1.00390625, 0x3c04, 0x3f80},
		{1.01171875, 0x3c0c, 0x3f82}, {math.Inf(1), 0x7c00, 0x7f80}, {math.Inf(-1), 0xfc00, 0xff80},
	} {
		if got := float16(tt.give); got != tt.half {
			t.Errorf("float16(%v) = %#04x, want %#04x", tt.give, got, tt.half)
		}
		if got := bfloat16(tt.give); got != tt.bfloat16 {
			t.Errorf("bfloat16(%v) = %#04x, want %#04x", tt.give, got, tt.bfloat16)
		}
	}
	if f := widen16(float16(math.NaN())); f == f {
		t.Errorf("NaN became %v", f)
	}
	if f := math.Float32frombits(uint32(bfloat16(math.NaN())) << 16); f == f {
		t.Errorf("NaN became %v", f)
	}
	for h := range 1 << 16 { // every float16 is a float64 and comes back
		f := float64(widen16(uint16(h)))
		if f == f && float16(f) != uint16(h) {
			t.Fatalf("%#04x is %v and comes back as %#04x", h, f, float16(f))
		}
		if b := math.Float32frombits(uint32(h) << 16); b == b && bfloat16(float64(b)) != uint16(h) {
			t.Fatalf("bfloat16 %#04x is %v and comes back as %#04x", h, b, bfloat16(float64(b)))
		}
	}
}
