package udf

import (
	"math"
	"math/big"
	"testing"
)

func TestHugeInt(t *testing.T) {
	for _, tt := range []struct {
		give   HugeInt
		signed bool
		float  float64
		big    string
	}{
		{HugeInt{5, 0}, true, 5, "5"},
		{HugeInt{math.MaxUint64, -1}, true, -1, "-1"},
		{HugeInt{0, -1}, true, -0x1p64, "-18446744073709551616"},
		{HugeInt{0, 1}, true, 0x1p64, "18446744073709551616"},
		{HugeInt{0, math.MinInt64}, true, -0x1p127, "-170141183460469231731687303715884105728"},
		{HugeInt{0, math.MinInt64}, false, 0x1p127, "170141183460469231731687303715884105728"},
		{HugeInt{0, -1}, false, 0x1p128 - 0x1p64, "340282366920938463444927863358058659840"},
	} {
		if got := tt.give.Float(tt.signed); got != tt.float {
			t.Errorf("%v: got %v, want %v", tt.give, got, tt.float)
		}
		if got := tt.give.Big(tt.signed).String(); got != tt.big {
			t.Errorf("%v: got %v, want %v", tt.give, got, tt.big)
		}
		v, _ := new(big.Int).SetString(tt.big, 10)
		if got := HugeOf(v); got != tt.give {
			t.Errorf("%s: got %v, want %v", tt.big, got, tt.give)
		}
	}
}
