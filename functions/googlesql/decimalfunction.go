package googlesql

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// decimals are the functions over NUMERIC and BIGNUMERIC. Those of BIGNUMERIC are exact to its 38 digits behind the point, and
// an error where DuckDB's type has no room for them.
var decimals = merge(decimalFunctions[numeric](), decimalFunctions[bignumeric](), map[string]definition{
	"numeric_multiply":    multiplyNumeric(times[numeric]),
	"bignumeric_multiply": binary(times[bignumeric]),
	"numeric_mean":        meanNumeric(),
	"parse_numeric":       unary(parseDecimal[numeric]),
	"parse_bignumeric":    unary(parseDecimal[bignumeric]),
	"bignumeric_to_numeric": unary(func(x bignumeric) (numeric, error) {
		r := numeric{halfAway(x.Int, tenTo(9))}
		if !fits(r.Int) {
			return r, fmt.Errorf("numeric out of range: %s", decimalText(x))
		}
		return r, nil
	}),
})

func decimalFunctions[T decimal]() map[string]definition {
	kept, _, name := scaleOf[T]()
	unit := tenTo(kept)
	p := strings.ToLower(name) + "_"
	infix := func(sign string, f func(a, b *big.Int) (num, den *big.Int)) definition {
		return binary(func(a, b T) (T, error) {
			num, den := f(coefficient(a), coefficient(b))
			r, err := exactly[T](num, den)
			return worded(r, err, "%s "+sign+" %s", a, b)
		})
	}
	round := func(f string, to func(num, den *big.Int) *big.Int) func(T, int64) (T, error) {
		return func(x T, digits int64) (T, error) {
			r, err := toDigits(x, digits, to)
			if err != nil {
				_, _, name := scaleOf[T]()
				return r, fmt.Errorf("%s overflow: %s(%s, %d)", name, f, decimalText(x), digits)
			}
			return r, nil
		}
	}
	whole := func(f string, to func(num, den *big.Int) *big.Int) definition {
		return unary(func(x T) (T, error) {
			r, err := toDigits(x, 0, to)
			return worded(r, err, f+"(%s)", x)
		})
	}
	return map[string]definition{
		p + "add":      infix("+", func(a, b *big.Int) (*big.Int, *big.Int) { return new(big.Int).Add(a, b), unit }),
		p + "subtract": infix("-", func(a, b *big.Int) (*big.Int, *big.Int) { return new(big.Int).Sub(a, b), unit }),
		p + "divide":   binary(decimalDivide[T]),
		p + "average": ternary(func(whole hugeint, fractions T, n int64) (T, error) {
			sum := new(big.Int).Mul(whole.Int, unit)
			sum.Add(sum, coefficient(fractions))
			r, err := exactly[T](sum, new(big.Int).Mul(big.NewInt(n), unit))
			return worded(r, err, "%s", r)
		}),
		// A SUM: of its whole numbers and fractions by themselves, or one whose digits are still to be counted.
		p + "sum": binary(func(whole hugeint, fractions T) (T, error) {
			sum := new(big.Int).Mul(whole.Int, unit)
			r, err := checkedSum(T{sum.Add(sum, coefficient(fractions))})
			return r, err
		}),
		p + "checked":    unary(checkedSum[T]),
		p + "div":        binary(decimalDiv[T]),
		p + "mod":        binary(decimalMod[T]),
		p + "round":      binary(round("ROUND", halfAway)),
		p + "round_even": binary(round("ROUND", halfEven)),
		p + "trunc":      binary(round("TRUNC", towardZero)),
		p + "round0":     whole("ROUND", halfAway),
		p + "trunc0":     whole("TRUNC", towardZero),
		p + "ceil": whole("CEIL", func(num, den *big.Int) *big.Int {
			return new(big.Int).Neg(new(big.Int).Div(new(big.Int).Neg(num), den))
		}),
		p + "floor": whole("FLOOR", func(num, den *big.Int) *big.Int { return new(big.Int).Div(num, den) }),
		p + "sqrt":  analyticFunction[T]("SQRT", func(x int) bool { return x >= 0 }, "SQRT is undefined for negative value", (*apd.Context).Sqrt),
		p + "cbrt":  analyticFunction[T]("CBRT", func(int) bool { return true }, "", (*apd.Context).Cbrt),
		p + "exp":   analyticFunction[T]("EXP", func(int) bool { return true }, "", (*apd.Context).Exp),
		p + "ln": analyticFunction[T]("LN", func(x int) bool { return x > 0 }, "LN is undefined for zero or negative value",
			(*apd.Context).Ln),
		p + "log10": analyticFunction[T]("LOG10", func(x int) bool { return x > 0 }, "LOG10 is undefined for zero or negative value",
			(*apd.Context).Log10),
		p + "log": binary(decimalLog[T]),
		p + "pow": binary(decimalPower[T]),
		p + "to_int64": unary(func(x T) (int64, error) {
			r := halfAway(coefficient(x), unit)
			if !r.IsInt64() {
				return 0, fmt.Errorf("int64 out of range: %s", decimalText(x))
			}
			return r.Int64(), nil
		}),
		"double_to_" + strings.ToLower(name): unary(doubleTo[T]),
	}
}
