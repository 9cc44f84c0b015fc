package googlesql

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

type decimal interface{ numeric | bignumeric }

// scaleOf is how many digits behind the point a type keeps, and how many Google's does.
func scaleOf[T decimal]() (kept, full int64, name string) {
	if _, ok := any(*new(T)).(numeric); ok {
		return 9, 9, "numeric"
	}
	return 18, 38, "BIGNUMERIC"
}

func coefficient[T decimal](x T) *big.Int { return struct{ *big.Int }(x).Int }

var tens = func() (all [128]*big.Int) {
	for i := range all {
		all[i] = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(i)), nil)
	}
	return all
}()

func tenTo(n int64) *big.Int {
	if n < int64(len(tens)) {
		return tens[n]
	}
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil)
}

// fits reports whether a coefficient has at most 38 digits.
func fits(n *big.Int) bool { return n.CmpAbs(mostDecimal) < 0 }

// mostBigNumeric is the greatest coefficient of Google's BIGNUMERIC, of 38 digits behind the point.
var mostBigNumeric = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(1))

// decimalText writes a number without zeros at its end.
func decimalText[T decimal](x T) string {
	scale, _, _ := scaleOf[T]()
	s := new(big.Int).Abs(coefficient(x)).String()
	if len(s) <= int(scale) {
		s = strings.Repeat("0", int(scale)-len(s)+1) + s
	}
	whole, fraction := s[:len(s)-int(scale)], strings.TrimRight(s[len(s)-int(scale):], "0")
	if fraction != "" {
		whole += "." + fraction
	}
	if coefficient(x).Sign() < 0 {
		return "-" + whole
	}
	return whole
}

// errOverflow says that a number is out of the range of its type.
var errOverflow = errors.New("overflow")

// exactly makes a value of num / den, rounded as the type does.
func exactly[T decimal](num, den *big.Int) (T, error) {
	kept, full, _ := scaleOf[T]()
	if den.Sign() < 0 {
		num, den = new(big.Int).Neg(num), new(big.Int).Neg(den)
	}
	n := halfAway(new(big.Int).Mul(num, tenTo(full)), den)
	return fromFull[T](n, kept, full)
}

// fromFull makes a value of a coefficient with all digits of Google's type.
func fromFull[T decimal](n *big.Int, kept, full int64) (T, error) {
	if kept == full {
		if !fits(n) {
			return T{}, errOverflow
		}
		return T{n}, nil
	}
	if n.CmpAbs(mostBigNumeric) > 0 {
		return T{}, errOverflow
	}
	q, r := new(big.Int).QuoRem(n, tenTo(full-kept), new(big.Int))
	if r.Sign() != 0 || !fits(q) {
		return T{}, fmt.Errorf("the BIGNUMERIC %s has no place in DECIMAL(38,18), in which DuckDB keeps the type", fullText(n, full))
	}
	return T{q}, nil
}

func fullText(n *big.Int, scale int64) string {
	return strings.TrimRight(strings.TrimRight(new(big.Rat).SetFrac(n, tenTo(scale)).FloatString(int(scale)), "0"), ".")
}

// worded gives an overflow its message.
func worded[T decimal](r T, err error, format string, args ...T) (T, error) {
	if errors.Is(err, errOverflow) {
		texts := make([]any, len(args))
		for i, a := range args {
			texts[i] = decimalText(a)
		}
		_, _, name := scaleOf[T]()
		return r, fmt.Errorf("%s overflow: "+format, append([]any{name}, texts...)...)
	}
	return r, err
}

func decimalDivide[T decimal](a, b T) (T, error) {
	if coefficient(b).Sign() == 0 {
		return T{}, fmt.Errorf("division by zero: %s / %s", decimalText(a), decimalText(b))
	}
	r, err := exactly[T](coefficient(a), coefficient(b))
	return worded(r, err, "%s / %s", a, b)
}

func decimalDiv[T decimal](a, b T) (T, error) {
	if coefficient(b).Sign() == 0 {
		return T{}, fmt.Errorf("division by zero: DIV(%s, %s)", decimalText(a), decimalText(b))
	}
	r, err := exactly[T](new(big.Int).Quo(coefficient(a), coefficient(b)), big.NewInt(1))
	return worded(r, err, "DIV(%s, %s)", a, b)
}

func decimalMod[T decimal](a, b T) (T, error) {
	if coefficient(b).Sign() == 0 {
		return T{}, fmt.Errorf("division by zero: MOD(%s, %s)", decimalText(a), decimalText(b))
	}
	return T{new(big.Int).Rem(coefficient(a), coefficient(b))}, nil
}

func doubleTo[T decimal](x float64) (T, error) {
	_, _, name := scaleOf[T]()
	if !finite(x) {
		return T{}, fmt.Errorf("Illegal conversion of non-finite floating point number to %s: %s", name, shortFloat(x))
	}
	// BIGNUMERIC takes the digits that tell the number apart, as it is written.
	n := new(big.Rat).SetFloat64(x)
	r, err := exactly[T](n.Num(), n.Denom())
	if errors.Is(err, errOverflow) {
		return r, fmt.Errorf("%s out of range: %s", name, shortFloat(x))
	}
	return r, err
}

// toDigits rounds to digits behind the point, or before it.
func toDigits[T decimal](x T, digits int64, to func(num, den *big.Int) *big.Int) (T, error) {
	kept, _, _ := scaleOf[T]()
	switch {
	case digits >= kept:
		return x, nil
	case digits < -100:
		return T{new(big.Int)}, nil
	}
	unit := tenTo(kept - digits)
	r := to(coefficient(x), unit)
	r.Mul(r, unit)
	if !fits(r) {
		return T{}, errOverflow
	}
	return T{r}, nil
}

// halfEven is num / den rounded to the nearest whole number, halves to the even one; den is positive.
func halfEven(num, den *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(new(big.Int).Abs(num), den, new(big.Int))
	if c := r.Lsh(r, 1).Cmp(den); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	if num.Sign() < 0 {
		q.Neg(q)
	}
	return q
}

// digits are those that roots, powers and logarithms are computed with: more than a result may have.
var digits = func() *apd.Context {
	c := apd.BaseContext.WithPrecision(100)
	c.Traps = 0
	return c
}()

func toAPD[T decimal](x T) *apd.Decimal {
	kept, _, _ := scaleOf[T]()
	return apd.NewWithBigInt(new(apd.BigInt).SetMathBigInt(coefficient(x)), int32(-kept))
}

func fromAPD[T decimal](d *apd.Decimal) (T, error) {
	kept, full, _ := scaleOf[T]()
	if d.IsZero() { // whose exponent may be anything
		return fromFull[T](new(big.Int), kept, full)
	}
	if d.Form != apd.Finite || d.NumDigits()+int64(d.Exponent) > 60 {
		return T{}, errOverflow
	}
	n := d.Coeff.MathBigInt()
	if d.Negative {
		n.Neg(n)
	}
	if e := int64(d.Exponent) + full; e >= 0 {
		n.Mul(n, tenTo(e))
	} else {
		n = halfAway(n, tenTo(min(-e, 400)))
	}
	return fromFull[T](n, kept, full)
}

func analyticFunction[T decimal](name string, defined func(sign int) bool, undefined string,
	f func(*apd.Context, *apd.Decimal, *apd.Decimal) (apd.Condition, error)) definition {
	return unary(func(x T) (T, error) {
		if !defined(coefficient(x).Sign()) {
			return T{}, fmt.Errorf("%s: %s(%s)", undefined, name, decimalText(x))
		}
		d := new(apd.Decimal)
		if name == "EXP" && new(big.Int).Abs(coefficient(x)).Cmp(new(big.Int).Mul(big.NewInt(200), tenTo(9))) > 0 && coefficient(x).Sign() > 0 {
			if f, _ := new(big.Rat).SetString(decimalText(x)); f.Cmp(big.NewRat(200, 1)) > 0 {
				return worded(T{}, errOverflow, name+"(%s)", x)
			}
		}
		if _, err := f(digits, d, toAPD(x)); err != nil {
			return worded(T{}, errOverflow, name+"(%s)", x)
		}
		r, err := fromAPD[T](d)
		return worded(r, err, name+"(%s)", x)
	})
}

func decimalLog[T decimal](x, base T) (T, error) {
	kept, _, _ := scaleOf[T]()
	if coefficient(x).Sign() <= 0 || coefficient(base).Sign() <= 0 || coefficient(base).Cmp(tenTo(kept)) == 0 {
		return T{}, fmt.Errorf("LOG is undefined for zero or negative value, or when base equals 1: LOG(%s, %s)", decimalText(x),
			decimalText(base))
	}
	a, b := new(apd.Decimal), new(apd.Decimal)
	_, err := digits.Ln(a, toAPD(x))
	_, err2 := digits.Ln(b, toAPD(base))
	_, err3 := digits.Quo(a, a, b)
	if err = errors.Join(err, err2, err3); err != nil {
		return T{}, err
	}
	r, err := fromAPD[T](a)
	return worded(r, err, "LOG(%s, %s)", x, base)
}

func decimalPower[T decimal](x, y T) (T, error) {
	kept, _, name := scaleOf[T]()
	whole := new(big.Int).Rem(coefficient(y), tenTo(kept)).Sign() == 0
	switch {
	case coefficient(x).Sign() == 0 && coefficient(y).Sign() < 0:
		return T{}, fmt.Errorf("division by zero: POW(%s, %s)", decimalText(x), decimalText(y))
	case coefficient(x).Sign() < 0 && !whole:
		return T{}, fmt.Errorf("Negative %s value cannot be raised to a fractional power: POW(%s, %s)", strings.ToUpper(name), decimalText(x),
			decimalText(y))
	case coefficient(y).Sign() == 0:
		return T{tenTo(kept)}, nil
	case coefficient(x).Sign() == 0:
		return T{new(big.Int)}, nil
	}
	overflow := func() (T, error) { return worded(T{}, errOverflow, "POW(%s, %s)", x, y) }
	// The size of the result is known before its digits: what is far too great is not computed, and what is far too small is 0.
	size, _ := new(big.Rat).SetFrac(new(big.Int).Abs(coefficient(x)), tenTo(kept)).Float64()
	exponent, _ := new(big.Rat).SetFrac(coefficient(y), tenTo(kept)).Float64()
	if magnitude := math.Log10(size) * exponent; magnitude > 60 {
		return overflow()
	} else if magnitude < -60 {
		return T{new(big.Int)}, nil
	}
	d := new(apd.Decimal)
	base := toAPD(x)
	negative := base.Negative
	base.Negative = false
	_, err := digits.Ln(d, base)
	_, err2 := digits.Mul(d, d, toAPD(y))
	_, err3 := digits.Exp(d, d)
	if errors.Join(err, err2, err3) != nil {
		return overflow()
	}
	d.Negative = negative && new(big.Int).Quo(coefficient(y), tenTo(kept)).Bit(0) == 1
	// A result with few digits comes out as …9999 or …0001: the digits past those that count are rounded away.
	if _, err := digits.WithPrecision(90).Round(d, d); err != nil {
		return overflow()
	}
	r, err := fromAPD[T](d)
	return worded(r, err, "POW(%s, %s)", x, y)
}

// parseDecimal reads what PARSE_NUMERIC does: blanks around the sign, which may stand behind, commas between digits, an
// exponent.
func parseDecimal[T decimal](s string) (T, error) {
	_, _, name := scaleOf[T]()
	wrong := fmt.Errorf("Invalid input to PARSE_%s: %q", strings.ToUpper(name), s)
	t := strings.Trim(s, " \t\n\v\f\r")
	negative, signed := false, false
	sign := func(c byte) bool {
		if c != '+' && c != '-' {
			return false
		}
		negative, signed = c == '-', true
		return true
	}
	if t != "" && sign(t[0]) {
		t = strings.TrimLeft(t[1:], " \t\n\v\f\r")
	}
	if t != "" && !signed && sign(t[len(t)-1]) {
		t = strings.TrimRight(t[:len(t)-1], " \t\n\v\f\r")
	}
	mantissa, exponent, scientific := t, "", false
	if i := strings.IndexAny(t, "eE"); i >= 0 {
		mantissa, exponent, scientific = t[:i], t[i+1:], true
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	whole = strings.ReplaceAll(whole, ",", "")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" || len(whole)+len(fraction) > 10000 {
		return T{}, wrong
	}
	e := int64(0)
	if scientific {
		if _, err := fmt.Sscanf(exponent+"\n", "%d\n", &e); err != nil || strings.Trim(exponent, "+-0123456789") != "" || e > 10000 ||
			e < -10000 {
			return T{}, wrong
		}
	}
	n, _ := new(big.Int).SetString(whole+fraction, 10)
	if negative {
		n.Neg(n)
	}
	num, den := n, big.NewInt(1)
	if e -= int64(len(fraction)); e >= 0 {
		num = new(big.Int).Mul(n, tenTo(e))
	} else {
		den = tenTo(-e)
	}
	r, err := exactly[T](num, den)
	if errors.Is(err, errOverflow) {
		return r, wrong
	}
	return r, err
}

func checkedSum[T decimal](x T) (T, error) {
	if !fits(coefficient(x)) {
		_, _, name := scaleOf[T]()
		return x, fmt.Errorf("%s overflow: SUM", name)
	}
	return x, nil
}
