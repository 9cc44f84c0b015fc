package googlesql

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// floats are the functions over FLOAT64: results that leave the numbers are errors, but for arguments that had left them
// before.
var floats = map[string]definition{
	"double_add":           arithmetic("+", false),
	"double_subtract":      arithmetic("-", false),
	"double_multiply":      arithmetic("*", false),
	"double_divide":        arithmetic("/", false),
	"safe_double_add":      arithmetic("+", true),
	"safe_double_subtract": arithmetic("-", true),
	"safe_double_multiply": arithmetic("*", true),
	"safe_double_divide":   arithmetic("/", true),
	"ieee_divide":          binary(func(a, b float64) (float64, error) { return a / b, nil }),
	"sqrt": unary(func(x float64) (float64, error) {
		if x < 0 {
			return 0, fmt.Errorf("Argument to SQRT cannot be negative: %s", shortFloat(x))
		}
		return math.Sqrt(x), nil
	}),
	"cbrt":  unary(func(x float64) (float64, error) { return math.Cbrt(x), nil }),
	"exp":   elementary("EXP", math.Exp),
	"ln":    elementary("LN", ln),
	"log10": elementary("LOG10", func(x float64) float64 { return logOf(x, 10) }),
	"log":   binary(logarithm),
	"pow":   binary(power),
	"sin":   elementary("SIN", math.Sin),
	"cos":   elementary("COS", math.Cos),
	"tan":   elementary("TAN", math.Tan),
	"asin":  elementary("ASIN", math.Asin),
	"acos":  elementary("ACOS", math.Acos),
	"atan":  elementary("ATAN", math.Atan),
	"atan2": binary(func(y, x float64) (float64, error) { return math.Atan2(y, x), nil }),
	"sinh":  hyperbolic("SINH", math.Sinh),
	"cosh":  hyperbolic("COSH", math.Cosh),
	"tanh":  elementary("TANH", math.Tanh),
	"asinh": elementary("ASINH", math.Asinh),
	"acosh": elementary("ACOSH", math.Acosh),
	"atanh": elementary("ATANH", math.Atanh),
	"cot":   elementary("COT", func(x float64) float64 { return 1 / math.Tan(x) }),
	"csc":   elementary("CSC", func(x float64) float64 { return 1 / math.Sin(x) }),
	"sec":   elementary("SEC", func(x float64) float64 { return 1 / math.Cos(x) }),
	"coth":  elementary("COTH", func(x float64) float64 { return 1 / math.Tanh(x) }),
	"csch":  elementary("CSCH", func(x float64) float64 { return 1 / math.Sinh(x) }),
	"sech":  elementary("SECH", func(x float64) float64 { return 1 / math.Cosh(x) }),
	"round_float": binary(func(x float64, digits int64) (float64, error) {
		r := digitsOf(x, digits, math.Round, halfAway)
		if math.IsInf(r, 0) && !math.IsInf(x, 0) {
			return 0, fmt.Errorf("Floating point overflow in function: ROUND(%s, %d)", shortFloat(x), max(digits, -digits))
		}
		return r, nil
	}),
	"trunc_float": binary(func(x float64, digits int64) (float64, error) {
		return digitsOf(x, digits, math.Trunc, towardZero), nil
	}),

	"double_to_int64": unary(func(x float64) (int64, error) {
		switch r := math.Round(x); {
		case math.IsNaN(x) || math.IsInf(x, 0):
			return 0, fmt.Errorf("Illegal conversion of non-finite floating point number to an integer: %s", shortFloat(x))
		case r >= 1<<63 || r < -1<<63:
			return 0, fmt.Errorf("int64 out of range: %s", shortFloat(x))
		default:
			return int64(r), nil
		}
	}),
}

// shortFloat writes a number as messages do: six digits.
func shortFloat(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	case math.IsNaN(x):
		return "nan"
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// arithmetic makes an operator. It works on the arrays of a chunk and looks at single rows only when some result is not
// finite. A safe one is NULL where the other is an error.
func arithmetic(sign string, safe bool) definition {
	of := udf.Of(mapping.TypeDouble)
	return definition{params: []udf.Type{of, of}, result: of, bind: bound(func(chunk mapping.DataChunk, out mapping.Vector) error {
		n := int(mapping.DataChunkGetSize(chunk))
		left, right := udf.Read(mapping.DataChunkGetVector(chunk, 0)), udf.Read(mapping.DataChunkGetVector(chunk, 1))
		if n == 0 {
			return nil
		}
		a, b := unsafe.Slice((*float64)(left.Data), n), unsafe.Slice((*float64)(right.Data), n)
		r := unsafe.Slice((*float64)(mapping.VectorGetData(out)), n)
		beyond := 0.0 // NaN as soon as a result is not finite
		switch sign {
		case "+":
			for i := range r {
				r[i] = a[i] + b[i]
				beyond += r[i] * 0
			}
		case "-":
			for i := range r {
				r[i] = a[i] - b[i]
				beyond += r[i] * 0
			}
		case "*":
			for i := range r {
				r[i] = a[i] * b[i]
				beyond += r[i] * 0
			}
		default:
			for i := range r {
				r[i] = a[i] / b[i]
				beyond += r[i] * 0
			}
		}
		if left.Mask == nil && right.Mask == nil && beyond == 0 {
			return nil
		}
		for i := range r {
			switch {
			case left.Null(i) || right.Null(i),
				safe && (sign == "/" && b[i] == 0 || !finite(r[i]) && finite(a[i]) && finite(b[i])):
				udf.SetNull(out, i)
			case sign == "/" && b[i] == 0:
				return fmt.Errorf("division by zero: %s / %s", shortFloat(a[i]), shortFloat(b[i]))
			case !finite(r[i]) && finite(a[i]) && finite(b[i]):
				return fmt.Errorf("double overflow: %s %s %s", shortFloat(a[i]), sign, shortFloat(b[i]))
			}
		}
		return nil
	})}
}

// elementary makes a function that is an error where it has no finite value for a finite argument.
func elementary(name string, f func(float64) float64) definition {
	return unary(func(x float64) (float64, error) {
		r := f(x)
		if !finite(r) && finite(x) {
			return 0, fmt.Errorf("Floating point error in function: %s(%s)", name, shortFloat(x))
		}
		return r, nil
	})
}

func hyperbolic(name string, f func(float64) float64) definition {
	return unary(func(x float64) (float64, error) {
		r := f(x)
		if !finite(r) && finite(x) {
			return 0, fmt.Errorf("Floating point overflow in function: %s(%s)", name, shortFloat(x))
		}
		return r, nil
	})
}

func power(x, y float64) (float64, error) {
	r := math.Pow(x, y)
	if !finite(r) && finite(x) && finite(y) {
		return 0, fmt.Errorf("Floating point error in function: POW(%s, %s)", shortFloat(x), shortFloat(y))
	}
	return r, nil
}

func logarithm(x, base float64) (float64, error) {
	switch {
	case math.IsNaN(x) || math.IsNaN(base) || math.IsInf(x, -1) || math.IsInf(base, 0):
		return math.NaN(), nil
	case x <= 0 || base <= 0 || base == 1:
		return 0, fmt.Errorf("Floating point error in function: LOG(%s, %s)", shortFloat(x), shortFloat(base))
	}
	return logOf(x, base), nil
}

func logOf(x, base float64) float64 {
	switch {
	case base == 2:
		return math.Log2(x)
	case base == 10 && x >= smallestNormal:
		return math.Log10(x)
	}
	return ln(x) / ln(base)
}

const smallestNormal = 0x1p-1022

// ln is math.Log, which is wrong below the normal numbers where it is written in assembly.
func ln(x float64) float64 {
	if x > 0 && x < smallestNormal {
		return math.Log(x*0x1p54) - 54*math.Ln2
	}
	return math.Log(x)
}

var errNotExact = errors.New("not exact")

// digitsOf rounds a number to a number of digits behind the point, or before it. What lies too near to a border for the
// arithmetic of FLOAT64 is rounded exactly.
func digitsOf(x float64, digits int64, whole func(float64) float64, exact func(num, den *big.Int) *big.Int) float64 {
	switch {
	case digits == 0 || !finite(x) || x == 0:
		return whole(x)
	case digits > 400:
		return x
	case digits < -400:
		return 0
	}
	if digits >= -22 && digits <= 22 {
		if r, err := nearby(x, int(digits), whole); err == nil {
			return r
		}
	}
	n := new(big.Rat).SetFloat64(x)
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(digits, -digits)), nil)
	scaled := new(big.Rat)
	if digits > 0 {
		scaled.Mul(n, new(big.Rat).SetInt(ten))
	} else {
		scaled.Quo(n, new(big.Rat).SetInt(ten))
	}
	r := new(big.Rat).SetInt(exact(scaled.Num(), scaled.Denom()))
	if digits > 0 {
		r.Quo(r, new(big.Rat).SetInt(ten))
	} else {
		r.Mul(r, new(big.Rat).SetInt(ten))
	}
	f, _ := r.Float64()
	if f == 0 && digits > 0 {
		f = math.Copysign(0, x)
	}
	return f
}

// nearby rounds with FLOAT64's arithmetic, if its faults can't matter.
func nearby(x float64, digits int, whole func(float64) float64) (float64, error) {
	ten := math.Pow10(max(digits, -digits))
	y := x * ten
	if digits < 0 {
		y = x / ten
	}
	if math.Abs(y) > 1<<50 {
		return 0, errNotExact
	}
	// Rounding changes at whole numbers (TRUNC) and at halves (ROUND).
	if twice := math.Abs(y * 2); math.Abs(twice-math.Round(twice)) <= 1e-9+twice*1e-14 {
		return 0, errNotExact
	}
	r := whole(y)
	if digits < 0 {
		return r * ten, nil
	}
	return r / ten, nil
}

// halfAway is num / den rounded to the nearest whole number, halves away from zero; den is positive.
func halfAway(num, den *big.Int) *big.Int {
	n := new(big.Int).Abs(num)
	n.Lsh(n, 1).Add(n, den)
	n.Quo(n, new(big.Int).Lsh(den, 1))
	if num.Sign() < 0 {
		n.Neg(n)
	}
	return n
}

func towardZero(num, den *big.Int) *big.Int { return new(big.Int).Quo(num, den) }
