package googlesql

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
)

// formats has FORMAT (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#format_string). Its
// first value is the pattern.
var formats = map[string]definition{
	"format": anyValues(func() func([]value) (sql.Null[string], error) {
		var p patterns
		return func(all []value) (sql.Null[string], error) {
			pattern, ok := all[0].data.(string)
			if !ok {
				return sql.Null[string]{}, nil
			}
			parts, err := p.parse(pattern)
			if err != nil {
				return sql.Null[string]{}, err
			}
			return format(pattern, parts, all[1:])
		}
	}),
	"typeof": unary(func(s string) (string, error) { return s, nil }),
}

// patterns keeps the last pattern that was read: most statements have one.
type patterns struct {
	mu    sync.Mutex
	text  string
	parts []specifier
}

// specifier is a part of a pattern: a text, or one %….
type specifier struct {
	text                             string // in place of a specifier
	minus, plus, space, sharp        bool
	zero, grouped                    bool
	width, precision                 int // -1 for none
	widthArgument, precisionArgument bool
	verb                             byte // 0 for a text
}

func (p *patterns) parse(pattern string) ([]specifier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parts != nil && p.text == pattern {
		return p.parts, nil
	}
	parts, err := parsePattern(strings.Clone(pattern))
	if err == nil {
		p.text, p.parts = strings.Clone(pattern), parts
	}
	return parts, err
}

func parsePattern(pattern string) ([]specifier, error) {
	parts := []specifier{}
	rest := pattern
	for rest != "" {
		text, after, found := strings.Cut(rest, "%")
		if text != "" {
			parts = append(parts, specifier{text: text})
		}
		if !found {
			break
		}
		if strings.HasPrefix(after, "%") {
			parts = append(parts, specifier{text: "%"})
			rest = after[1:]
			continue
		}
		s := specifier{width: -1, precision: -1}
		for {
			c := byte(0)
			if after != "" {
				c = after[0]
			}
			flag := map[byte]*bool{'-': &s.minus, '+': &s.plus, ' ': &s.space, '#': &s.sharp, '0': &s.zero, '\'': &s.grouped}[c]
			if flag == nil {
				break
			}
			*flag, after = true, after[1:]
		}
		s.width, s.widthArgument, after = size(after, -1)
		if strings.HasPrefix(after, ".") {
			s.precision, s.precisionArgument, after = size(after[1:], 0)
		}
		switch {
		case after == "" || after[0] == '%':
			return nil, fmt.Errorf("Invalid FORMAT string: %q", pattern)
		case !strings.ContainsRune("diouxXfFeEgGstTpP", rune(after[0])):
			_, n := utf8.DecodeRuneInString(after)
			return nil, fmt.Errorf("Invalid format specifier character %q in FORMAT string: %q", after[:n], pattern)
		}
		s.verb, rest = after[0], after[1:]
		parts = append(parts, s)
	}
	return parts, nil
}

// size reads a width or a precision.
func size(s string, none int) (n int, argument bool, rest string) {
	if strings.HasPrefix(s, "*") {
		return none, true, s[1:]
	}
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return none, false, s
	}
	n, err := strconv.Atoi(s[:i])
	if err != nil {
		n = math.MaxInt32
	}
	return n, false, s[i:]
}

var errFormatLong = errors.New("Output string too long while evaluating FORMAT; limit 1048576")

func format(pattern string, parts []specifier, args []value) (sql.Null[string], error) {
	var b strings.Builder
	null := sql.Null[string]{}
	want := 0
	for _, s := range parts {
		for _, is := range []bool{s.verb != 0, s.widthArgument, s.precisionArgument} {
			if is {
				want++
			}
		}
	}
	switch {
	case want > len(args):
		return null, fmt.Errorf("Too few arguments to FORMAT for pattern %q; Expected %d; Got %d", pattern, want+1, len(args)+1)
	case want < len(args):
		return null, fmt.Errorf("Too many arguments to FORMAT for pattern %q; Expected %d; Got %d", pattern, want+1, len(args)+1)
	}
	at, isNull := 0, false
	next := func() value { at++; return args[at-1] }
	number := func(to *int) error {
		v := next()
		n, ok := v.data.(int64)
		if v.of.Kind != googlesql.Int64 {
			return typeError(at+1, "INT64", v)
		}
		isNull = isNull || !ok
		*to = int(max(min(n, math.MaxInt32), -math.MaxInt32))
		return nil
	}
	for _, s := range parts {
		if s.verb == 0 {
			b.WriteString(s.text)
			continue
		}
		if s.widthArgument {
			if err := number(&s.width); err != nil {
				return null, err
			}
			if s.width < 0 {
				s.minus, s.width = true, -s.width
			}
		}
		if s.precisionArgument {
			if err := number(&s.precision); err != nil {
				return null, err
			}
		}
		v := next()
		if want := s.wants(v); want != "" {
			return null, typeError(at+1, want, v)
		}
		if isNull = isNull || v.data == nil && s.verb != 't' && s.verb != 'T'; isNull {
			continue
		}
		if max(s.width, s.precision) > maxOutput {
			return null, errFormatLong
		}
		b.WriteString(s.write(v))
		if b.Len() > maxOutput {
			return null, errFormatLong
		}
	}
	if isNull {
		return null, nil
	}
	return sql.Null[string]{V: b.String(), Valid: true}, nil
}

func typeError(argument int, want string, v value) error {
	return fmt.Errorf("Invalid type for argument %d to FORMAT; Expected %s; Got %s", argument, want, v.of)
}

// wants names the type that a specifier wants in place of a value's; "" when it takes it.
func (s specifier) wants(v value) string {
	k := v.of.Kind
	switch s.verb {
	case 'd', 'i', 'o', 'x', 'X':
		if k != googlesql.Int64 {
			return "integer"
		}
	case 'u':
		return "UINT"
	case 'f', 'F', 'e', 'E', 'g', 'G':
		if k != googlesql.Float64 && k != googlesql.Numeric && k != googlesql.BigNumeric {
			return "FLOAT64"
		}
	case 's':
		if k != googlesql.String {
			return "STRING"
		}
	case 'p', 'P':
		if k != googlesql.JSON {
			return "JSON"
		}
	}
	return ""
}

func (s specifier) write(v value) string {
	switch x := v.data.(type) {
	case int64:
		if s.verb != 't' && s.verb != 'T' {
			return s.integer(x)
		}
	case float64:
		if s.verb != 't' && s.verb != 'T' {
			return s.float(x)
		}
	case numeric:
		if s.verb != 't' && s.verb != 'T' {
			return s.decimal(new(big.Rat).SetFrac(x.Int, tenTo(9)))
		}
	case bignumeric:
		if s.verb != 't' && s.verb != 'T' {
			return s.decimal(new(big.Rat).SetFrac(x.Int, tenTo(18)))
		}
	}
	text := ""
	switch s.verb {
	case 's', 't':
		text = v.text()
	case 'T':
		text = v.literal()
	case 'p':
		text = canonicalJSON(v.data.(jsonText))
	case 'P':
		text = prettyJSON(v.data.(jsonText))
	}
	if s.verb == 's' {
		text, _, _ = strings.Cut(text, "\x00")
	}
	if s.precision >= 0 {
		text, _ = left(text, int64(s.precision))
	}
	return s.fill("", text, false)
}

// fill brings a text to the width; digits may be preceded by zeros.
func (s specifier) fill(sign, text string, digits bool) string {
	missing := s.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(text)
	switch {
	case missing <= 0:
		return sign + text
	case s.minus:
		return sign + text + strings.Repeat(" ", missing)
	case s.zero && digits:
		return sign + strings.Repeat("0", missing) + text
	}
	return strings.Repeat(" ", missing) + sign + text
}

func (s specifier) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case s.plus:
		return "+"
	case s.space:
		return " "
	}
	return ""
}

func (s specifier) integer(n int64) string {
	abs := uint64(n)
	if n < 0 {
		abs = -abs
	}
	base, group, between, before := 10, 3, ",", ""
	switch s.verb {
	case 'o':
		base, group, before = 8, 4, "0"
	case 'x', 'X':
		base, group, between, before = 16, 4, ":", "0x"
	}
	digits := strconv.FormatUint(abs, base)
	if s.precision == 0 && abs == 0 && base == 10 {
		digits = ""
	}
	digits = strings.Repeat("0", max(0, s.precision-len(digits))) + digits
	if s.grouped {
		digits = grouped(digits, group, between)
	}
	sign := s.sign(n < 0)
	if s.sharp && base != 10 && !(base == 8 && len(digits) > 1 && digits[0] == '0') {
		sign += before
	}
	if s.verb == 'X' {
		sign, digits = strings.ToUpper(sign), strings.ToUpper(digits)
	}
	return s.fill(sign, digits, s.precision < 0 || base != 10)
}

// grouped parts the digits before a point.
func grouped(digits string, group int, between string) string {
	end := strings.IndexAny(digits, ".eE")
	if end < 0 {
		end = len(digits)
	}
	var b strings.Builder
	for i := range end {
		if i > 0 && (end-i)%group == 0 {
			b.WriteString(between)
		}
		b.WriteByte(digits[i])
	}
	return b.String() + digits[end:]
}

func (s specifier) float(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		text := strings.TrimPrefix(floatString(f), "-")
		if s.verb < 'a' {
			text = strings.ToUpper(text)
		}
		return s.fill(s.sign(math.IsInf(f, -1)), text, false)
	}
	precision := s.precision
	if precision < 0 {
		precision = 6
	}
	verb := s.verb | 0x20
	if verb == 'g' {
		precision = max(precision, 1)
	}
	text := ""
	if verb == 'g' {
		text = general(strconv.FormatFloat(math.Abs(f), 'e', precision-1, 64), precision, s.sharp)
	} else {
		text = strconv.FormatFloat(math.Abs(f), verb, precision, 64)
	}
	return s.number(f < 0, text)
}

// number finishes the digits of a number.
func (s specifier) number(negative bool, text string) string {
	if s.sharp && !strings.Contains(text, ".") {
		if i := strings.IndexByte(text, 'e'); i >= 0 {
			text = text[:i] + "." + text[i:]
		} else {
			text += "."
		}
	}
	if s.grouped {
		text = grouped(text, 3, ",")
	}
	if s.verb < 'a' {
		text = strings.ToUpper(text)
	}
	return s.fill(s.sign(negative), text, true)
}

// general makes of d.ddde±xx the shorter form that C's %g has.
func general(scientific string, precision int, sharp bool) string {
	mantissa, e, _ := strings.Cut(scientific, "e")
	exponent, _ := strconv.Atoi(e)
	digits := strings.Replace(mantissa, ".", "", 1)
	trim := func(s string) string {
		if sharp || !strings.Contains(s, ".") {
			return s
		}
		return strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	switch {
	case exponent < -4 || exponent >= precision:
		return trim(mantissa) + "e" + e
	case exponent < 0:
		return trim("0." + strings.Repeat("0", -exponent-1) + digits)
	case exponent+1 == len(digits):
		return digits
	}
	return trim(digits[:exponent+1] + "." + digits[exponent+1:])
}

// decimal writes a NUMERIC or BIGNUMERIC, which is rounded half away from zero.
func (s specifier) decimal(r *big.Rat) string {
	precision := s.precision
	if precision < 0 {
		precision = 6
	}
	abs := new(big.Rat).Abs(r)
	verb := s.verb | 0x20
	text := ""
	switch verb {
	case 'f':
		text = abs.FloatString(precision)
	case 'e':
		text = scientific(abs, precision)
	default:
		precision = max(precision, 1)
		text = general(scientific(abs, precision-1), precision, s.sharp)
	}
	return s.number(r.Sign() < 0, text)
}

// scientific writes d.ddde±xx.
func scientific(r *big.Rat, precision int) string {
	exponent := 0
	if r.Sign() > 0 {
		whole := new(big.Int).Quo(r.Num(), r.Denom()).String()
		if exponent = len(whole) - 1; whole == "0" {
			for one := big.NewRat(1, 1); new(big.Rat).Mul(r, powerOfTen(-exponent)).Cmp(one) < 0; {
				exponent--
			}
		}
	}
	text := new(big.Rat).Mul(r, powerOfTen(-exponent)).FloatString(precision)
	if strings.HasPrefix(text, "10") {
		exponent++
		text = new(big.Rat).Mul(r, powerOfTen(-exponent)).FloatString(precision)
	}
	return fmt.Sprintf("%se%+03d", text, exponent)
}

func powerOfTen(n int) *big.Rat {
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil)
	if n < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), p)
	}
	return new(big.Rat).SetInt(p)
}
