package dialect

import (
	"fmt"
	"strconv"
	"strings"
)

// fcall is a function call that has been read: name ( arguments ).
type fcall struct {
	t        *translator
	name     token
	open     token
	args     []expr
	commas   []Span
	closing  token
	distinct bool
	star     bool
}

// function is an entry of the allow-list.
type function struct {
	min, max int  // number of arguments
	agg      bool // DISTINCT, ORDER BY and OVER may stand with it
	window   bool // OVER must follow
	nulls    bool // IGNORE NULLS and RESPECT NULLS may stand with it
	star     bool // takes *
	ints     int  // bit i set: argument i must be a plain integer literal, and stays one
	to       string
	write    func(c *fcall)
}

// functions is the allow-list: what DuckDB computes exactly like GoogleSQL, or what can be written so that it does. An
// entry without to or write has the same name, arguments and meaning in both; each other entry says its rule.
var functions = map[string]function{
	// Conditions.
	"COALESCE": {min: 1, max: 100},
	"IFNULL":   {min: 2, max: 2, to: "coalesce"},
	"NULLIF":   {min: 2, max: 2},
	"IF":       {min: 3, max: 3, write: writeIf}, // a NULL condition takes the last argument: CASE does the same

	// Aggregates.
	"COUNT":       {min: 1, max: 1, agg: true, star: true},
	"SUM":         {min: 1, max: 1, agg: true}, // of INT64 it is a HUGEINT, so it does not overflow
	"AVG":         {min: 1, max: 1, agg: true},
	"MIN":         {min: 1, max: 1, agg: true},
	"MAX":         {min: 1, max: 1, agg: true},
	"ANY_VALUE":   {min: 1, max: 1, agg: true},
	"COUNTIF":     {min: 1, max: 1, agg: true, write: writeCountif}, // DuckDB's is NULL when all are NULL
	"LOGICAL_AND": {min: 1, max: 1, agg: true, to: "bool_and"},
	"LOGICAL_OR":  {min: 1, max: 1, agg: true, to: "bool_or"},
	"ARRAY_AGG":   {min: 1, max: 1, agg: true},
	"STRING_AGG":  {min: 1, max: 2, agg: true}, // both: NULLs left out, a comma by default

	// Window functions.
	"ROW_NUMBER":   {window: true},
	"RANK":         {window: true},
	"DENSE_RANK":   {window: true},
	"PERCENT_RANK": {window: true},
	"CUME_DIST":    {window: true},
	"NTILE":        {min: 1, max: 1, window: true},
	"LAG":          {min: 1, max: 3, window: true},
	"LEAD":         {min: 1, max: 3, window: true},
	"FIRST_VALUE":  {min: 1, max: 1, window: true, nulls: true},
	"LAST_VALUE":   {min: 1, max: 1, window: true, nulls: true},

	// Numbers. Left out for their edges: EXP, POW (infinity for an error), LOG (another base), SIGN.
	"ABS":         {min: 1, max: 1},
	"CEIL":        {min: 1, max: 1},
	"CEILING":     {min: 1, max: 1},
	"FLOOR":       {min: 1, max: 1},
	"ROUND":       {min: 1, max: 2, ints: 1 << 1}, // both round halves away from zero
	"TRUNC":       {min: 1, max: 1},
	"SQRT":        {min: 1, max: 1}, // both fail below zero
	"LN":          {min: 1, max: 1}, // both fail at and below zero
	"LOG10":       {min: 1, max: 1},
	"MOD":         {min: 2, max: 2, write: writeDivision("%")},
	"DIV":         {min: 2, max: 2, write: writeDivision("//")},
	"SAFE_DIVIDE": {min: 2, max: 2, write: writeSafeDivide},
	"GREATEST":    {min: 1, max: 100, write: writeExtreme("list_max")}, // NULL when any is NULL; DuckDB skips NULLs
	"LEAST":       {min: 1, max: 100, write: writeExtreme("list_min")},
	"RAND":        {to: "random"},

	// Strings. Left out: REVERSE (graphemes), INSTR and SPLIT without a known separator (the empty one differs), FORMAT.
	"CONCAT":           {min: 1, max: 100, write: writeConcat}, // NULL when any is NULL; DuckDB's skips NULLs
	"LENGTH":           {min: 1, max: 1},
	"CHAR_LENGTH":      {min: 1, max: 1, to: "length"},
	"CHARACTER_LENGTH": {min: 1, max: 1, to: "length"},
	"BYTE_LENGTH":      {min: 1, max: 1, to: "strlen"}, // of BYTES DuckDB fails to bind
	"LOWER":            {min: 1, max: 1},
	"UPPER":            {min: 1, max: 1},
	"STARTS_WITH":      {min: 2, max: 2},
	"ENDS_WITH":        {min: 2, max: 2},
	"REPLACE":          {min: 3, max: 3},
	"STRPOS":           {min: 2, max: 2, write: literalText(1)},
	"REPEAT":           {min: 2, max: 2, ints: 1 << 1, write: noNegative(1)},
	"LEFT":             {min: 2, max: 2, ints: 1 << 1, write: noNegative(1)}, // a negative length is an error in GoogleSQL
	"RIGHT":            {min: 2, max: 2, ints: 1 << 1, write: noNegative(1)},
	"SUBSTR":           {min: 2, max: 3, ints: 1<<1 | 1<<2, write: writeSubstr},
	"SUBSTRING":        {min: 2, max: 3, ints: 1<<1 | 1<<2, write: writeSubstr},
	"TRIM":             {min: 1, max: 2, write: writeTrim}, // by default all white space; DuckDB's keeps tabs and newlines
	"LTRIM":            {min: 1, max: 2, write: writeTrim},
	"RTRIM":            {min: 1, max: 2, write: writeTrim},
	"SPLIT":            {min: 1, max: 2, write: writeSplit},
	"REGEXP_CONTAINS":  {min: 2, max: 2, to: "regexp_matches"}, // RE2 on both sides, with the same flags
	"REGEXP_REPLACE":   {min: 3, max: 3, write: writeRegexpReplace},
	"GENERATE_UUID":    {write: func(c *fcall) { c.rename("CAST(uuid"); c.after(" AS VARCHAR)") }},

	// Arrays.
	"ARRAY_LENGTH":    {min: 1, max: 1, to: "len"},
	"ARRAY_TO_STRING": {min: 2, max: 2}, // both leave NULLs out
	"GENERATE_ARRAY":  {min: 2, max: 2, to: "generate_series"},

	// JSON: functions of Mallard's own, since BigQuery's read broken JSON up to the field asked for.
	"JSON_QUERY": {min: 2, max: 2, to: "system.main.mallard_json_query"},
	"JSON_VALUE": {min: 1, max: 2, to: "system.main.mallard_json_value"},
}

// function translates a call of a function.
func (t *translator) function() expr {
	c := &fcall{t: t, name: t.at(0), open: t.at(1)}
	name := t.word(0)
	f, ok := functions[name]
	if !ok {
		t.refuse(c.name.Span, "the function "+name, "")
	}
	t.i += 2
	c.read(f, name)
	switch {
	case f.write != nil:
		f.write(c)
	case f.to != "":
		c.rename(f.to)
	}
	t.over(f, name)
	return expr{Span: t.since(c.name.Pos)}
}

func (c *fcall) read(f function, name string) {
	t := c.t
	if f.agg && t.accept("DISTINCT") {
		c.distinct = true
	}
	if f.star && t.isPunct(0, '*') && t.isPunct(1, ')') {
		c.star = true
		t.i++
	}
	for !t.isPunct(0, ')') && !c.star {
		i := len(c.args)
		if f.ints&(1<<i) != 0 {
			c.args = append(c.args, c.integer(name))
		} else {
			c.args = append(c.args, t.value())
		}
		if !t.isPunct(0, ',') {
			break
		}
		c.commas = append(c.commas, t.at(0).Span)
		t.i++
		if t.isPunct(0, ')') {
			t.must(t.expected("an argument"))
		}
	}
	if f.agg || f.nulls {
		switch w := t.word(0); w {
		case "IGNORE", "RESPECT":
			if !f.nulls {
				t.refuse(t.at(0).Span, w+" NULLS in "+name, "Filter the rows with WHERE")
			}
			t.i++
			t.must(t.expect("NULLS"))
		case "HAVING":
			t.refuse(t.at(0).Span, "HAVING in "+name, "")
		case "ORDER":
			if name != "ARRAY_AGG" && name != "STRING_AGG" {
				t.refuse(t.at(0).Span, "ORDER BY in "+name, "")
			}
			t.orderBy(false)
		}
		if t.isWord(0, "LIMIT") {
			t.refuse(t.at(0).Span, "LIMIT in "+name, "")
		}
	}
	c.closing = t.at(0)
	if t.isPunct(0, '=') && t.isPunct(1, '>') {
		t.refuse(Span{c.closing.Pos, t.at(1).End}, "a named argument", "")
	}
	t.must(t.expectPunct(')'))
	if n := len(c.args); !c.star && (n < f.min || n > f.max) {
		t.fail(Span{c.name.Pos, c.closing.End}, "", "Number of arguments does not match for function %s: it takes %s, not %d", name, arity(f), n)
	}
}

func arity(f function) string {
	switch {
	case f.min == f.max:
		return strconv.Itoa(f.min)
	case f.max >= 100:
		return fmt.Sprintf("at least %d", f.min)
	}
	return fmt.Sprintf("%d to %d", f.min, f.max)
}

// integer reads an argument that must be an integer literal, and keeps it one: DuckDB has some functions for INTEGER only.
func (c *fcall) integer(name string) expr {
	t := c.t
	start := t.at(0)
	sign := ""
	if t.isPunct(0, '-') {
		sign = "-"
		t.i++
	}
	tok := t.at(0)
	if n, err := strconv.ParseInt(t.text(tok), 10, 32); tok.kind != kindNumber || err != nil || n < 0 || !t.isPunct(1, ',') && !t.isPunct(1, ')') {
		t.refuse(start.Span, name+" with a computed position or length", "Write a number")
	}
	t.i++
	return expr{Span: t.since(start.Pos), num: sign + t.text(tok)}
}

// over reads the window behind a call.
func (t *translator) over(f function, name string) {
	if f.nulls {
		if t.isWord(0, "IGNORE") || t.isWord(0, "RESPECT") {
			t.refuse(t.at(0).Span, t.word(0)+" NULLS behind the bracket", "Write it inside")
		}
	}
	if !t.isWord(0, "OVER") {
		if f.window {
			t.must(t.expected("keyword OVER"))
		}
		return
	}
	at := t.at(0)
	if !f.agg && !f.window {
		t.refuse(at.Span, name+" with OVER", "")
	}
	t.i++
	if !t.isPunct(0, '(') {
		t.refuse(t.at(0).Span, "a named window", "Write the window after OVER")
	}
	t.i++
	if t.accept("PARTITION") {
		t.must(t.expect("BY"))
		for {
			t.value()
			if !t.acceptPunct(',') {
				break
			}
		}
	}
	if t.isWord(0, "ORDER") {
		t.orderBy(false)
	}
	if t.isWord(0, "ROWS") || t.isWord(0, "RANGE") {
		t.frame()
	}
	t.must(t.expectPunct(')'))
}

// frame reads ROWS or RANGE with its bounds.
func (t *translator) frame() {
	t.i++
	bound := func() {
		switch {
		case t.accept("UNBOUNDED", "PRECEDING"), t.accept("UNBOUNDED", "FOLLOWING"), t.accept("CURRENT", "ROW"):
			return
		case t.at(0).kind == kindNumber:
			t.i++
		case t.at(0).kind == kindParam:
			t.param()
		default:
			t.must(t.expected("a bound of the window"))
		}
		if !t.accept("PRECEDING") && !t.accept("FOLLOWING") {
			t.must(t.expected("keyword PRECEDING or keyword FOLLOWING"))
		}
	}
	if !t.accept("BETWEEN") {
		bound()
		return
	}
	bound()
	t.must(t.expect("AND"))
	bound()
}

// rename gives the function another name.
func (c *fcall) rename(to string) { c.t.edits.replace(c.name.Span, to) }

// around replaces the name and its bracket, and the closing bracket.
func (c *fcall) around(open, closing string) {
	c.t.edits.replace(Span{c.name.Pos, c.open.End}, open)
	c.t.edits.replace(c.closing.Span, closing)
}

// after adds text behind the closing bracket.
func (c *fcall) after(s string) { c.t.edits.insertAfter(c.closing.End, s) }

// comma replaces the comma behind argument i.
func (c *fcall) comma(i int, s string) { c.t.edits.replace(c.commas[i], s) }

func writeIf(c *fcall) {
	c.around("CASE WHEN ", " END")
	c.comma(0, " THEN ")
	c.comma(1, " ELSE ")
}

func writeCountif(c *fcall) {
	if c.distinct {
		c.t.refuse(c.name.Span, "COUNTIF(DISTINCT …)", "")
	}
	c.around("count(CASE WHEN ", " THEN 1 END)")
}

// writeDivision writes MOD and DIV, which fail for a divisor of zero where DuckDB gives NULL.
func writeDivision(op string) func(c *fcall) {
	return func(c *fcall) {
		if b := c.args[1]; b.num != "" && !isZero(b.num) {
			c.around("((", "))")
			c.comma(0, ") "+op+" (")
			return
		}
		c.around("list_transform([struct_pack(a := ", ")], lambda __v: CASE WHEN __v.b = 0 AND __v.a IS NOT NULL THEN error('division by zero') ELSE __v.a "+op+" __v.b END)[1]")
		c.comma(0, ", b :=")
	}
}

func writeSafeDivide(c *fcall) {
	c.around("((", ", 0))")
	c.comma(0, ") / nullif(")
}

func writeExtreme(fn string) func(c *fcall) {
	return func(c *fcall) {
		c.around("list_transform([[", "]], lambda __v: CASE WHEN list_count(__v) = len(__v) THEN "+fn+"(__v) END)[1]")
	}
}

func writeConcat(c *fcall) {
	c.around("((", "))")
	for i := range c.commas {
		c.comma(i, ") || (")
	}
}

func noNegative(i int) func(c *fcall) {
	return func(c *fcall) {
		if strings.HasPrefix(c.args[i].num, "-") {
			c.t.refuse(c.args[i].Span, "a negative length", "")
		}
	}
}

// literalText demands that argument i is a literal that is not empty.
func literalText(i int) func(c *fcall) {
	return func(c *fcall) {
		if s := c.args[i].text; s == nil || *s == "" {
			c.t.refuse(c.args[i].Span, strings.ToUpper(c.t.text(c.name))+" for anything but a literal that is not empty", "")
		}
	}
}

// writeSubstr keeps the calls that mean the same: GoogleSQL moves a position before the start to the start, DuckDB lets
// the length run out before it.
func writeSubstr(c *fcall) {
	p := c.args[1].num
	if isZero(p) || strings.HasPrefix(p, "-") && len(c.args) == 3 {
		c.t.refuse(c.args[1].Span, "SUBSTR from the position "+p, "Count from 1")
	}
	if len(c.args) == 3 {
		noNegative(2)(c)
	}
	c.rename("substr")
}

// whiteSpace is what GoogleSQL's TRIM takes away: Unicode's White_Space.
const whiteSpace = " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

func writeTrim(c *fcall) {
	if len(c.args) == 1 {
		c.t.edits.insertAfter(c.args[0].End, ", "+quoteString(whiteSpace))
	}
}

func writeSplit(c *fcall) {
	if len(c.args) == 1 {
		c.t.edits.insertAfter(c.args[0].End, ", ','")
		return
	}
	literalText(1)(c)
}

func writeRegexpReplace(c *fcall) {
	c.t.edits.insertAfter(c.args[2].End, ", 'g'")
}
