package googlesql

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/mallardml/mallard/internal/udf"
)

// TestMean compares with big numbers.
func TestMean(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		sum := new(big.Int).Rsh(new(big.Int).SetUint64(g.Uint64()), uint(g.IntN(64)))
		sum.Mul(sum, new(big.Int).SetUint64(g.Uint64()>>(2+g.UintN(60))))
		if g.IntN(2) == 0 {
			sum.Neg(sum)
		}
		n := 1 + (g.Uint64() >> (1 + g.UintN(62)))
		want := halfAway(sum, new(big.Int).SetUint64(n))
		if got := mean(udf.HugeOf(sum), n).Big(true); got.Cmp(want) != 0 {
			t.Fatalf("%v / %d is %v, want %v", sum, n, got, want)
		}
	}
}
