package googlesql

import (
	"fmt"
	"slices"
	"strings"
)

// element is an element of a format.
type element struct {
	name     string // upper-case; "" for a literal
	text     string // as it is written; the literal
	category string
}

// categories are those of the elements, the longest names first.
var categories = []element{
	{name: "SSSSS", category: "SECOND"}, {name: "MONTH", category: "MONTH"},
	{name: "YYYY", category: "YEAR"}, {name: "RRRR", category: "YEAR"}, {name: "HH24", category: "HOUR"}, {name: "HH12", category: "HOUR"},
	{name: "A.M.", category: "MERIDIAN_INDICATOR"}, {name: "P.M.", category: "MERIDIAN_INDICATOR"}, {name: "IYYY", category: ""},
	{name: "YYY", category: "YEAR"}, {name: "MON", category: "MONTH"}, {name: "DAY", category: "DAY"}, {name: "DDD", category: "DAY"},
	{name: "TZH", category: "TIME_ZONE"}, {name: "TZM", category: "TIME_ZONE"}, {name: "IYY", category: ""},
	{name: "FF1", category: "SECOND"}, {name: "FF2", category: "SECOND"}, {name: "FF3", category: "SECOND"}, {name: "FF4", category: "SECOND"},
	{name: "FF5", category: "SECOND"}, {name: "FF6", category: "SECOND"}, {name: "FF7", category: "SECOND"}, {name: "FF8", category: "SECOND"},
	{name: "FF9", category: "SECOND"},
	{name: "YY", category: "YEAR"}, {name: "RR", category: "YEAR"}, {name: "MM", category: "MONTH"}, {name: "MI", category: "MINUTE"},
	{name: "DD", category: "DAY"}, {name: "DY", category: "DAY"}, {name: "HH", category: "HOUR"}, {name: "SS", category: "SECOND"},
	{name: "AM", category: "MERIDIAN_INDICATOR"}, {name: "PM", category: "MERIDIAN_INDICATOR"},
	{name: "CC", category: "CENTURY"}, {name: "WW", category: "WEEK"}, {name: "IW", category: "WEEK"}, {name: "IY", category: ""},
	{name: "Y", category: "YEAR"}, {name: "D", category: "DAY"}, {name: "Q", category: "QUARTER"}, {name: "W", category: "WEEK"},
	{name: "J", category: ""}, {name: "I", category: ""},
}

// elements are those of formats that were read.
var elements = newCache[[]element](1000)

func readFormat(format string) ([]element, error) {
	return elements.get(format, func() ([]element, error) { return parseFormat(strings.Clone(format)) })
}

func parseFormat(format string) ([]element, error) {
	all := []element{}
	for at := 0; at < len(format); {
		rest := format[at:]
		if strings.ContainsRune("-./,'; :\t\n", rune(rest[0])) {
			all = append(all, element{text: rest[:1]})
			at++
			continue
		}
		if rest[0] == '"' {
			text, n, ok := quotedLiteral(rest)
			if !ok {
				return nil, fmt.Errorf("Cannot find matching \" for quoted literal at %d", at)
			}
			all = append(all, element{text: text})
			at += n
			continue
		}
		upper := strings.ToUpper(rest[:min(len(rest), 5)])
		i := slices.IndexFunc(categories, func(e element) bool { return strings.HasPrefix(upper, e.name) })
		if i < 0 {
			return nil, fmt.Errorf("Cannot find matched format element at %d", at)
		}
		e := categories[i]
		if e.category == "" {
			return nil, fmt.Errorf("Unsupported format element '%s'", e.name)
		}
		e.text = rest[:len(e.name)]
		all = append(all, e)
		at += len(e.name)
	}
	return all, nil
}

// quotedLiteral reads "…", in which \ stands before " and \.
func quotedLiteral(s string) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), i + 1, true
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, false
}

// has reports whether a type has the part that an element is of.
func (e element) has(of string) bool {
	switch e.category {
	case "YEAR", "MONTH", "DAY":
		return of != "TIME"
	case "HOUR", "MINUTE", "SECOND", "MERIDIAN_INDICATOR":
		return of != "DATE"
	case "TIME_ZONE":
		return of == "TIMESTAMP"
	}
	return e.category == "" && e.name == ""
}
