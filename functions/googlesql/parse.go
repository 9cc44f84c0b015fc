package googlesql

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// parses are the conversions of STRING to other types.
var parses = map[string]definition{
	"string_to_bool":        unary(parseBool),
	"string_to_int64":       unary(parseInt),
	"string_to_float64":     unary(parseFloat),
	"string_to_numeric":     unary(castDecimal[numeric]),
	"string_to_bignumeric":  unary(castDecimal[bignumeric]),
	"string_to_date":        unary(castDate),
	"string_to_datetime":    unary(castDateTime),
	"string_to_time":        unary(castTime),
	"string_to_timestamp":   binary(castTimestamp),
	"numeric_parameters":    ternary(bounded[numeric]),
	"bignumeric_parameters": ternary(bounded[bignumeric]),
	"string_length": binary(func(s string, most int64) (string, error) {
		if n := count(s); n > most {
			return "", fmt.Errorf("STRING(%d) has maximum length %[1]d but got a value with length %d", most, n)
		}
		return s, nil
	}),
	"bytes_length": binary(func(b []byte, most int64) ([]byte, error) {
		if n := len(b); int64(n) > most {
			return nil, fmt.Errorf("BYTES(%d) has maximum length %[1]d but got a value with length %d", most, n)
		}
		return b, nil
	}),
}

// spaces are those around a number.
const spaces = " \t\n\v\f\r"

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("Bad bool value: %s", s)
}

// parseInt reads a decimal number, or a hexadecimal one behind 0x.
func parseInt(s string) (int64, error) {
	t := strings.Trim(s, spaces)
	digits, base := strings.TrimLeft(t, "+-"), 10
	if strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X") {
		t, base = t[:len(t)-len(digits)]+digits[2:], 16
		if digits = digits[2:]; digits != "" && (digits[0] == '+' || digits[0] == '-') {
			t = ""
		}
	}
	n, err := strconv.ParseInt(t, base, 64)
	if err != nil {
		return 0, fmt.Errorf("Bad int64 value: %s", s)
	}
	return n, nil
}

func parseFloat(s string) (float64, error) {
	t := strings.ToLower(strings.Trim(s, spaces))
	unsigned := t
	if t != "" && (t[0] == '+' || t[0] == '-') {
		unsigned = t[1:]
	}
	if unsigned == "nan" {
		return math.NaN(), nil
	}
	if strings.HasPrefix(unsigned, "0x") && !strings.Contains(unsigned, "p") {
		t += "p0"
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil && !math.IsInf(f, 0) || strings.Contains(t, "_") {
		return 0, fmt.Errorf("Bad double value: %s", s)
	}
	return f, nil
}

var decimalForm = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$`)

// decimalRat reads a number exactly.
func decimalRat(s string) (*big.Rat, bool) {
	if !decimalForm.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func castDecimal[T decimal](s string) (T, error) {
	_, _, name := scaleOf[T]()
	r, ok := decimalRat(strings.Trim(s, spaces))
	if !ok {
		return T{}, fmt.Errorf("Invalid %s value: %s", strings.ToUpper(name), s)
	}
	x, err := exactly[T](r.Num(), r.Denom())
	if err == errOverflow {
		return x, fmt.Errorf("Invalid %s value: %s", strings.ToUpper(name), s)
	}
	return x, err
}

// bounded is a number of a type with parameters: rounded to its scale, and an error when it has more digits before the point.
func bounded[T decimal](x T, precision, scale int64) (T, error) {
	kept, _, name := scaleOf[T]()
	unit := tenTo(max(kept-scale, 0))
	n := new(big.Int).Mul(halfAway(coefficient(x), unit), unit)
	if precision > 0 && n.CmpAbs(tenTo(precision-scale+kept)) >= 0 {
		most := new(big.Rat).SetFrac(new(big.Int).Sub(tenTo(precision), big.NewInt(1)), tenTo(scale)).FloatString(int(scale))
		of := fmt.Sprintf("%s(%d, %d)", strings.ToUpper(name), precision, scale)
		if scale == 0 {
			of = fmt.Sprintf("%s(%d)", strings.ToUpper(name), precision)
		}
		const wrong = "%s has precision %d and scale %d but got a value that is not in range of [-%s, %s]"
		return x, fmt.Errorf(wrong, of, precision, scale, most, most)
	}
	return T{n}, nil
}
