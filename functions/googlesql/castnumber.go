package googlesql

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// castNumbers are CAST of a number to STRING with FORMAT
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_numeric_type_as_string).
var castNumbers = map[string]definition{
	"int64_to_string_format": binary(func(n int64, format string) (string, error) {
		return numberByFormat(new(big.Rat).SetInt64(n), nil, n < 0, "", format)
	}),
	"float64_to_string_format": binary(castNumber),
	"numeric_to_string_format": binary(func(x numeric, format string) (string, error) {
		return numberByFormat(new(big.Rat).SetFrac(x.Int, tenTo(9)), nil, x.Sign() < 0, "", format)
	}),
	"bignumeric_to_string_format": binary(func(x bignumeric, format string) (string, error) {
		return numberByFormat(new(big.Rat).SetFrac(x.Int, tenTo(18)), nil, x.Sign() < 0, "", format)
	}),
}

func castNumber(f float64, format string) (string, error) {
	switch {
	case math.IsNaN(f):
		return numberByFormat(new(big.Rat), nil, false, "NAN", format)
	case math.IsInf(f, 0):
		return numberByFormat(new(big.Rat), nil, f < 0, "INF", format)
	}
	round := func(places int) string { return strconv.FormatFloat(math.Abs(f), 'f', places, 64) } // halves to even
	return numberByFormat(new(big.Rat).SetFloat64(f), round, math.Signbit(f), "", format)
}

// numberFormat is a format model of digits.
type numberFormat struct {
	whole, fraction string // of 9, 0, comma
	hex             string // of X, x, 0
	point           string // ".", or "V": none is written
	currency        string
	sign            string // "", S, -S (behind), MI, PR
	blank, fill     bool   // B, FM
	scientific      string // EEEE as it is written
}

func formatFault(format string, args ...any) error {
	return fmt.Errorf("Error in format string: "+format, args...)
}

// numberElements are the elements, the longest first.
var numberElements = strings.Fields("EEEE TM9 TME FM MI PR RN TM $ L C 9 0 X , G . D V S B")

func parseNumberFormat(format string) (*numberFormat, error) {
	p := &numberFormat{}
	digits := 0
	for rest := format; rest != ""; {
		element := ""
		for _, e := range numberElements {
			if len(rest) >= len(e) && strings.EqualFold(rest[:len(e)], e) {
				element = e
				break
			}
		}
		if element == "" {
			return nil, formatFault("Invalid format element '%s'", string([]rune(rest)[:1]))
		}
		written := rest[:len(element)]
		rest = rest[len(element):]
		to := &p.whole
		if p.point != "" {
			to = &p.fraction
		}
		switch element {
		case "TM", "TM9", "TME", "RN":
			return nil, fmt.Errorf("the format element %s is not supported", element)
		case "9", "0":
			digits++
			*to += element
			p.hex += element
		case "X":
			digits++
			p.hex += written
		case ",", "G":
			*to += ","
		case ".", "D", "V":
			if p.point != "" {
				return nil, formatFault("There can be at most one of '.', 'D', or 'V'")
			}
			if p.point = "."; element == "V" {
				p.point = "V"
			}
		case "$", "L":
			p.currency = "$"
		case "C":
			p.currency = "USD"
		case "S", "MI", "PR":
			if p.sign != "" {
				return nil, formatFault("There can be at most one of 'S', 'MI', or 'PR'")
			}
			if p.sign = element; element == "S" && digits > 0 {
				p.sign = "-S"
			}
		case "B":
			p.blank = true
		case "FM":
			p.fill = true
		case "EEEE":
			p.scientific = written[:1]
		}
	}
	if digits == 0 {
		return nil, formatFault("Format string must contain at least one of 'X', '0' or '9'")
	}
	if !strings.ContainsAny(p.hex, "Xx") {
		p.hex = ""
	}
	return p, nil
}

// numberFormats are those that were read.
var numberFormats = newCache[*numberFormat](1000)

// numberByFormat writes a number; word stands in place of one that is not finite. round gives its digits with some behind the
// point; nil rounds halves away from zero.
func numberByFormat(r *big.Rat, round func(places int) string, negative bool, word, format string) (string, error) {
	p, err := numberFormats.get(format, func() (*numberFormat, error) { return parseNumberFormat(strings.Clone(format)) })
	if err != nil {
		return "", err
	}
	abs := new(big.Rat).Abs(r)
	if round == nil {
		round = abs.FloatString
	}
	width, text := len(p.whole)+len(p.fraction), ""
	if p.point == "." {
		width++
	}
	switch {
	case p.hex != "":
		if word != "" || !fitsHex(abs) {
			return "", errors.New("the format element X takes whole numbers only")
		}
		text, width = p.hexadecimal(abs), len(p.hex)
	case word != "":
		text = word
		switch whole := len(p.whole) - strings.Count(p.whole, ","); {
		case p.scientific != "":
			width += len("E+00")
		case whole < len(word):
			text = p.decimal(func(places int) string { return strings.Repeat("9", whole+1) + "." + strings.Repeat("9", places) })
		default: // it stands where the whole number does
			text += strings.Repeat(" ", width-len(p.whole))
		}
	case p.scientific != "":
		text = scientific(abs, strings.Count(p.fraction, "9")+strings.Count(p.fraction, "0"))
		text = strings.Replace(text, "e", p.scientific, 1)
		width = len(text)
	default:
		text = p.decimal(round)
	}
	if p.blank && abs.Num().Sign() == 0 && word == "" {
		text = ""
	}
	return p.signed(text, negative, width, word == "NAN"), nil
}

func fitsHex(r *big.Rat) bool { return r.IsInt() && r.Num().BitLen() <= 64 }

func (p *numberFormat) hexadecimal(r *big.Rat) string {
	s := strconv.FormatUint(r.Num().Uint64(), 16)
	if strings.Contains(p.hex, "X") {
		s = strings.ToUpper(s)
	}
	if len(s) > len(p.hex) {
		return strings.Repeat("#", len(p.hex))
	}
	if zero := strings.IndexByte(p.hex, '0'); zero >= 0 {
		s = strings.Repeat("0", max(0, len(p.hex)-zero-len(s))) + s
	}
	return s
}

// decimal writes the digits; # in place of each when there is no room.
func (p *numberFormat) decimal(round func(places int) string) string {
	places := len(p.fraction) - strings.Count(p.fraction, ",")
	digits := round(places)
	whole, fraction, _ := strings.Cut(digits, ".")
	if p.point == "V" {
		whole, fraction = strings.TrimLeft(whole+fraction, "0"), ""
	}
	whole = strings.TrimLeft(whole, "0")
	pattern := p.whole
	if p.point == "V" {
		pattern += p.fraction
	}
	room := len(pattern) - strings.Count(pattern, ",")
	over := len(whole) > room
	if whole == "" && fraction == "" && room > 0 {
		whole = "0"
	}
	missing := room - len(whole)
	var b strings.Builder
	started := false
	at := 0
	for _, c := range pattern {
		switch {
		case c == ',':
			if started {
				b.WriteByte(',')
			}
			continue
		case over:
			b.WriteByte('#')
			started = true
		case at < missing:
			if started = started || c == '0'; started {
				b.WriteByte('0')
			}
		default:
			started = true
			b.WriteByte(whole[at-missing])
		}
		at++
	}
	if p.point == "." {
		b.WriteByte('.')
		at := 0
		for _, c := range p.fraction {
			switch {
			case c == ',':
				b.WriteByte(',')
				continue
			case over:
				b.WriteByte('#')
			default:
				b.WriteByte(fraction[at])
			}
			at++
		}
	}
	text := b.String()
	if p.fill && !over && p.point == "." {
		keep := len(text) - len(p.fraction)
		for len(text) > keep && text[len(text)-1] == '0' {
			text = text[:len(text)-1]
		}
	}
	return text
}

// signed puts sign and currency around the digits, and blanks before them.
func (p *numberFormat) signed(text string, negative bool, width int, nan bool) string {
	before, after := "", ""
	minus := func(otherwise string) string {
		if negative {
			return "-"
		}
		return otherwise
	}
	plus := "+"
	if nan {
		plus = " "
	}
	switch p.sign {
	case "":
		before = minus(" ")
	case "S":
		before = minus(plus)
	case "-S":
		after = minus(plus)
	case "MI":
		after = minus(" ")
	case "PR":
		before, after = " ", " "
		if negative {
			before, after = "<", ">"
		}
	}
	s := before + p.currency + text + after
	if p.fill {
		return strings.TrimSpace(s)
	}
	total := width + len(p.currency) + len(before) + len(after)
	return strings.Repeat(" ", max(0, total-len(s))) + s
}
