package dialect

import (
	"slices"
	"strings"
)

// column notes the select item that starts at the token i, when its column can be given a name: it has none, and it is
// one column.
func (f *dataFinder) column(i, to int) {
	if f.isWord(i, "DISTINCT") || f.isWord(i, "ALL") {
		return
	}
	end := i
	for end < to && !f.isPunct(end, ',') && (!clauseStart[f.word(end)] || f.word(end) == "FROM" && f.distinctFrom(end)) {
		if f.isPunct(end, '*') && (end == i || f.isPunct(end-1, '.')) {
			return // many columns
		}
		end = f.step(end)
	}
	end = min(end, to)
	if k, _ := slices.BinarySearch(f.many, i); k < len(f.many) && f.many[k] < end {
		return
	}
	if end <= i || f.isPunct(i+1, ':') && !f.isPunct(i+2, ':') || !f.endsValue(i, end) {
		return
	}
	f.items = append(f.items, column{Span{f.toks[i].Pos, f.toks[end-1].End}, f.field(i, end)})
}

// valueWords are words that are no aliases, and may end an expression.
var valueWords = wordSet("END NULL TRUE FALSE")

// endsValue reports whether the last token of a select item surely belongs to its expression. A word may be an alias,
// and so may the end of a type's name be.
func (f *dataFinder) endsValue(i, end int) bool {
	last, before := f.at(end-1), f.at(end-2)
	switch {
	case valueWords[f.word(end-1)]:
		return true
	case last.kind != kindWord && last.kind != kindQuoted, end-1 == i:
		return true
	case before.kind == kindPunct:
		return strings.IndexByte(")]}!", f.src[before.Pos]) < 0
	}
	return before.kind == kindWord && beforeValue[f.word(end-2)]
}

// field gives the name of the field that the tokens take from a function of ours, or from a bracket; "" when they are
// another expression. DuckDB names a column by it.
func (f *dataFinder) field(i, end int) string {
	if c := f.ours[f.toks[i].Pos]; c != nil {
		for i < end && f.toks[i].Pos < c.End {
			i++
		}
	} else {
		if !f.isPunct(i, '(') {
			return ""
		}
		i = f.step(i)
	}
	name := ""
	for f.isPunct(i, '.') && i+1 < end {
		field, ok := f.nameAt(i + 1)
		if !ok {
			return ""
		}
		name, i = field, i+2
	}
	if i != end {
		return ""
	}
	return name
}

// nameColumns gives the select items that hold something of ours, written at these places, the names that people expect:
// what they wrote. named holds the places of those that have one.
func nameColumns(src string, q *Query, written []int, named map[int]bool, e *edits) {
	slices.Sort(written)
	for _, c := range q.columns {
		if at, _ := slices.BinarySearch(written, c.Pos); at == len(written) || written[at] >= c.End || named[c.Pos] {
			continue
		}
		name := c.name
		if name == "" {
			name = strings.Join(strings.Fields(src[c.Pos:c.End]), " ")
		}
		e.insertAfter(c.End, " AS "+quoteName(name))
	}
}
