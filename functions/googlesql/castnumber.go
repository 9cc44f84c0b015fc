package googlesql

import (
	"fmt"
	"math"
	"math/big"
	"slices"
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
	return numberByFormat(new(big.Rat).SetFloat64(f), round, f < 0, "", format)
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
	seen            []string
}

func formatFault(format string, args ...any) error {
	return fmt.Errorf("Error in format string: "+format, args...)
}

// numberElements are the elements, the longest first.
var numberElements = strings.Fields("EEEE TM9 TME FM MI PR RN TM $ L C 9 0 X , G . D V S B")

func parseNumberFormat(format string) (*numberFormat, error) {
	p := &numberFormat{}
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
		if err := p.allows(element); err != nil {
			return nil, err
		}
		p.add(element, rest[:len(element)])
		rest = rest[len(element):]
	}
	switch {
	case p.digits() == 0:
		return nil, formatFault("Format string must contain at least one of 'X', '0' or '9'")
	case strings.Count(strings.ToUpper(p.hex), "X") > 16:
		return nil, formatFault("Max number of 'X' is 16")
	case !p.isHex():
		p.hex = ""
	}
	return p, nil
}

func (p *numberFormat) digits() int { return len(p.hex) }

func (p *numberFormat) isHex() bool { return strings.ContainsAny(p.hex, "Xx") }

// behind reports whether the sign stands behind the digits, where no further digit may be.
func (p *numberFormat) behind() bool { return p.sign != "" && p.sign != "S" }

// add puts an element into the format; written is as the user has it.
func (p *numberFormat) add(element, written string) {
	to := &p.whole
	if p.point != "" {
		to = &p.fraction
	}
	switch element {
	case "9", "0":
		*to += element
		p.hex += element
	case "X":
		p.hex += written
	case ",", "G":
		*to += ","
	case ".", "D":
		p.point = "."
	case "V":
		p.point = "V"
	case "$", "L":
		p.currency = "$"
	case "C":
		p.currency = "USD"
	case "S", "MI", "PR":
		if p.sign = element; element == "S" && p.digits() > 0 {
			p.sign = "-S"
		}
	case "B":
		p.blank = true
	case "FM":
		p.fill = true
	case "EEEE":
		p.scientific = written[:1]
	}
	p.seen = append(p.seen, element)
}

// allows says what is wrong with an element behind those before it.
func (p *numberFormat) allows(element string) error {
	switch element {
	case "TM", "TM9", "TME", "RN":
		return fmt.Errorf("the format element %s is not supported", element)
	case "9", "0", "X", "EEEE":
		if sign := strings.TrimPrefix(p.sign, "-"); p.behind() && sign == "S" {
			return formatFault("'S' can only appear before or after all digits and 'EEEE'")
		} else if p.behind() {
			return formatFault("'%s' can only appear after all digits and 'EEEE'", sign)
		}
	}
	if p.scientific != "" && slices.Contains([]string{"9", "0", "X", "EEEE", ",", "G", ".", "D", "V"}, element) {
		return formatFault("'%s' cannot appear after 'EEEE'", element)
	}
	if element == "X" || p.isHex() {
		for _, e := range append(p.seen, element) {
			if slices.Contains([]string{",", "G", "9", "V", ".", "D", "EEEE", "B", "$", "L", "C"}, e) {
				return formatFault("'X' cannot appear together with '%s'", e)
			}
		}
	}
	switch element {
	case ",", "G":
		switch {
		case p.behind():
			return formatFault("Unexpected format element '%s'", element)
		case p.point != "":
			return formatFault("',' or 'G' cannot appear after '.', 'D' or 'V'")
		case p.digits() == 0:
			return formatFault("Unexpected '%s'", element)
		}
	case ".", "D", "V":
		switch {
		case p.behind():
			return formatFault("Unexpected format element '%s'", element)
		case p.point != "":
			return formatFault("There can be at most one of '.', 'D', or 'V'")
		}
	case "$", "L", "C":
		if p.currency != "" {
			return formatFault("There can be at most one of '$', 'C' or 'L'")
		}
	case "S", "MI", "PR":
		if p.behind() {
			return formatFault("Unexpected format element '%s'", element)
		} else if p.sign != "" {
			return formatFault("There can be at most one of 'S', 'MI', or 'PR'")
		}
	case "B":
		if p.blank {
			return formatFault("There can be at most one 'B'")
		}
	case "FM":
		if p.fill {
			return formatFault("'FM' cannot be repeated")
		}
	case "EEEE":
		if p.digits() == 0 {
			return formatFault("Unexpected 'EEEE'")
		} else if strings.Contains(p.whole, ",") {
			return formatFault("',' or 'G' cannot appear together with 'EEEE'")
		}
	}
	return nil
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
	if p.scientific != "" {
		width = min(len(p.whole), 1) + len(p.fraction) + len("E+00")
	}
	if p.point == "." {
		width++
	}
	empty := false // there is no whole number
	switch {
	case p.hex != "":
		text, width = p.inHexadecimal(abs, word), len(p.hex)
	case word != "":
		switch {
		case p.scientific != "":
			text = word
		case len(p.whole) < len(word):
			text, _ = p.decimal(func(places int) string {
				return strings.Repeat("9", len(p.whole)+1) + "." + strings.Repeat("9", places)
			})
		default: // it stands where the whole number does
			text = word + strings.Repeat(" ", width-len(p.whole))
		}
	case p.scientific != "" && p.whole == "":
		text = p.point + strings.Repeat("#", width-len(p.point))
	case p.scientific != "":
		text = scientific(abs, len(p.fraction))
		text = strings.Replace(text, "e", p.scientific, 1)
		if p.point == "V" {
			text = strings.Replace(text, ".", "", 1)
		}
		empty = abs.Sign() == 0
		width = len(text)
	default:
		text, empty = p.decimal(round)
	}
	switch {
	case p.blank && empty && p.fill:
		return "", nil
	case p.blank && empty:
		return strings.Repeat(" ", len(p.signed(text, negative, width, false))), nil
	}
	return p.signed(text, negative, width, word == "NAN" && p.hex == ""), nil
}

// inHexadecimal writes a number that is rounded; # in place of each digit when there is no room.
func (p *numberFormat) inHexadecimal(r *big.Rat, word string) string {
	n, _ := new(big.Int).SetString(r.FloatString(0), 10)
	s := n.Text(16)
	if strings.Contains(p.hex, "X") {
		s = strings.ToUpper(s)
	}
	if len(s) > len(p.hex) || word != "" {
		return strings.Repeat("#", len(p.hex))
	}
	if zero := strings.IndexByte(p.hex, '0'); zero >= 0 {
		s = strings.Repeat("0", max(0, len(p.hex)-zero-len(s))) + s
	}
	return s
}

// decimal writes the digits; # in place of each when there is no room. It reports whether the whole number is 0.
func (p *numberFormat) decimal(round func(places int) string) (text string, empty bool) {
	digits := round(len(p.fraction))
	whole, fraction, _ := strings.Cut(digits, ".")
	whole = strings.TrimLeft(whole, "0")
	empty = whole == ""
	room := len(p.whole) - strings.Count(p.whole, ",")
	over := len(whole) > room
	if over {
		whole, fraction = strings.Repeat("#", room), strings.Repeat("#", len(fraction))
	} else if p.fill {
		fraction = strings.TrimRight(fraction, "0")
	}
	missing := room - len(whole)
	var b strings.Builder
	at := 0
	for _, c := range p.whole {
		switch {
		case c == ',' && b.Len() > 0:
			b.WriteByte(',')
		case c == ',':
		case at < missing:
			if at++; c == '0' || b.Len() > 0 {
				b.WriteByte('0')
			}
		default:
			b.WriteByte(whole[at-missing])
			at++
		}
	}
	if b.Len() == 0 && fraction == "" && room > 0 {
		b.WriteByte('0')
	}
	return b.String() + strings.TrimPrefix(p.point, "V") + fraction, empty
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
