package googlesql

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestTimesSmall compares the fast product with that of big integers, at the borders of its range too.
func TestTimesSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := []int64{0, 1, -1, 499999999, 500000000, -500000000, 1000000000, math.MaxInt64, math.MinInt64, math.MinInt64 + 1}
	for range 2000 {
		values = append(values, int64(r.Uint64())>>r.IntN(64))
	}
	for i, a := range values {
		for _, b := range values[:min(len(values), 10+i%50)] {
			want, err := times(numeric{big.NewInt(a)}, numeric{big.NewInt(b)})
			if err != nil {
				t.Fatal(err)
			}
			if got := timesSmall(a, b).Big(true); got.Cmp(want.Int) != 0 {
				t.Fatalf("%d * %d: %s, not %s", a, b, got, want.Int)
			}
		}
	}
}

// FuzzParseDecimal: what is read is written as a number that is read again as the same.
func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"1.5", " - 1,234.5e3 ", "12-", ".", "1e", "1e99999", "+", "99999999999999999999999999999.999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseDecimal[numeric](s)
		if err != nil {
			return
		}
		again, err := parseDecimal[numeric](decimalText(n))
		if err != nil || again.Cmp(n.Int) != 0 {
			t.Fatalf("%q is %s, read again %v, %v", s, decimalText(n), again, err)
		}
	})
}
