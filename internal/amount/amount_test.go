package amount

import "testing"

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		n    int
		noun string
		want string
	}{
		{0, "row", "0 rows"}, {1, "row", "1 row"}, {2, "row", "2 rows"}, {1000, "row", "1,000 rows"}, {1234567, "token", "1,234,567 tokens"},
		{-1, "row", "-1 rows"}, {-1000, "row", "-1,000 rows"}, {-100, "row", "-100 rows"}, {1, "retry", "1 retry"}, {2, "retry", "2 retries"}, {2, "day", "2 days"},
		{2, "batch", "2 batches"}, {2, "box", "2 boxes"}, {3, "wrong answer", "3 wrong answers"},
	} {
		if got := Of(tt.n, tt.noun); got != tt.want {
			t.Errorf("%d %s: got %q, want %q", tt.n, tt.noun, got, tt.want)
		}
	}
}

func TestMoney(t *testing.T) {
	for give, want := range map[float64]string{
		0: "0.0000", 1: "1.0000", 12.34567: "12.3457", 0.0123: "0.0123", 0.00123: "0.0012", 0.001: "0.0010", 0.00042: "0.00042", 0.0000123: "0.000012", 3e-9: "0.0000000030",
		-0.00002: "-0.000020", 0.00099999: "0.00100",
	} {
		if got := Money(give); got != want {
			t.Errorf("%g: got %s, want %s", give, got, want)
		}
	}
}
