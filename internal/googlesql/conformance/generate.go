package conformance

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Generate writes a query without tables, always the same for a seed: expressions of many types over values at the edges, and
// sometimes groups, windows or subqueries around them.
func Generate(seed uint64) string {
	g := &generator{rand.New(rand.NewPCG(seed, 12))}
	return g.query()
}

type generator struct{ r *rand.Rand }

func (g *generator) of(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *generator) query() string {
	items := func(n int) string {
		var all []string
		for range 1 + g.r.IntN(n) {
			all = append(all, g.any(3))
		}
		return strings.Join(all, ", ")
	}
	switch g.r.IntN(8) {
	case 0:
		return fmt.Sprintf("SELECT x, o, %s FROM UNNEST(%s) AS x WITH OFFSET AS o WHERE %s ORDER BY o", g.any(2), g.expr("ints", 2),
			g.expr("bool", 2))
	case 1:
		return fmt.Sprintf("SELECT MOD(o, 2) AS k, COUNT(*), COUNT(x), SUM(x), MIN(x), MAX(x), AVG(x), LOGICAL_OR(x > 1), ARRAY_AGG(x IGNORE "+
			"NULLS ORDER BY o LIMIT 2), "+
			"STRING_AGG(CAST(x AS STRING), %s ORDER BY o DESC) FROM UNNEST(%s) AS x WITH OFFSET AS o GROUP BY k ORDER BY k",
			g.of("'-'", "''", "', '"), g.expr("ints", 1))
	case 2:
		return fmt.Sprintf("SELECT o, %s(x) OVER (ORDER BY o %s) FROM UNNEST(%s) AS x WITH OFFSET AS o ORDER BY o",
			g.of("SUM", "MIN", "MAX", "COUNT", "FIRST_VALUE", "LAST_VALUE", "AVG"),
			g.of("", "ROWS 1 PRECEDING", "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING", "DESC ROWS UNBOUNDED PRECEDING"), g.expr("ints", 1))
	case 3:
		return fmt.Sprintf("SELECT DISTINCT x FROM UNNEST(%s) AS x ORDER BY x%s", g.expr("ints", 2),
			g.of("", " DESC", " NULLS LAST", " DESC NULLS FIRST"))
	}
	return "SELECT " + items(3)
}

// any is an expression of a type whose values are written.
func (g *generator) any(depth int) string {
	return g.expr(g.of("int", "float", "numeric", "string", "bytes", "bool", "date", "ts", "ints", "datetime"), depth)
}

// values are those at the edges.
var values = map[string][]string{
	"int":   {"0", "1", "-1", "2", "7", "100", "9223372036854775807", "-9223372036854775808", "CAST(NULL AS INT64)"},
	"float": {"0.0", "-0.0", "1.5", "-2.5", "0.1", "1e308", "CAST('nan' AS FLOAT64)", "CAST('inf' AS FLOAT64)", "CAST(NULL AS FLOAT64)"},
	"numeric": {"NUMERIC '0'", "NUMERIC '1.5'", "NUMERIC '-0.000000001'", "NUMERIC '99999999999999999999999999999.999999999'",
		"CAST(NULL AS NUMERIC)"},
	"string":   {"''", "'a'", "'Äb ç'", "'hello world'", "'12'", "' x '", `'a\nb'`, "'2020-02-29'", "CAST(NULL AS STRING)"},
	"bytes":    {"b''", "b'abc'", `b'\xff\x00'`, "CAST(NULL AS BYTES)"},
	"bool":     {"TRUE", "FALSE", "CAST(NULL AS BOOL)"},
	"date":     {"DATE '2020-02-29'", "DATE '1970-01-01'", "DATE '0001-01-01'", "DATE '9999-12-31'", "CAST(NULL AS DATE)"},
	"ts":       {"TIMESTAMP '2020-02-29 12:34:56.789+00'", "TIMESTAMP '1969-12-31 23:59:59+00'", "CAST(NULL AS TIMESTAMP)"},
	"datetime": {"DATETIME '2020-02-29 12:34:56.789'", "DATETIME '1969-12-31 23:59:59'", "CAST(NULL AS DATETIME)"},
	"ints":     {"[1, 2, 3]", "[CAST(NULL AS INT64), 5, -5, 5]", "ARRAY<INT64>[]", "[3]"},
}

// forms are calls and operators; a word of values in braces is an argument.
var forms = map[string][]string{
	"int": {"{int} + {int}", "{int} - {int}", "{int} * {int}", "-{int}", "ABS({int})", "SIGN({int})", "MOD({int}, {int})", "DIV({int}, {int})",
		"LENGTH({string})",
		"BYTE_LENGTH({string})", "STRPOS({string}, {string})", "CAST({float} AS INT64)", "CAST({string} AS INT64)", "CAST({bool} AS INT64)",
		"SAFE_CAST({string} AS INT64)",
		"IF({bool}, {int}, {int})", "COALESCE({int}, {int})", "NULLIF({int}, {int})", "GREATEST({int}, {int})", "LEAST({int}, {int})",
		"ARRAY_LENGTH({ints})",
		"{ints}[SAFE_OFFSET({int})]", "{ints}[OFFSET(0)]", "EXTRACT(YEAR FROM {date})", "EXTRACT(DAYOFWEEK FROM {date})",
		"EXTRACT(ISOWEEK FROM {date})",
		"DATE_DIFF({date}, {date}, MONTH)", "DATE_DIFF({date}, {date}, WEEK)", "UNIX_MICROS({ts})", "{int} & {int}", "{int} | {int}",
		"{int} ^ {int}", "~{int}", "{int} << 3",
		"{int} >> 1", "BIT_COUNT({int})", "SAFE_ADD({int}, {int})", "SAFE_MULTIPLY({int}, {int})", "FARM_FINGERPRINT({string})",
		"ASCII({string})",
		"INSTR({string}, {string})", "CASE {int} WHEN 1 THEN {int} ELSE {int} END", "(SELECT SUM(x) FROM UNNEST({ints}) AS x)",
		"RANGE_BUCKET({int}, [0, 10, 20])"},
	"float": {"{float} + {float}", "{float} * {float}", "{float} / {float}", "{int} / {int}", "-{float}", "SAFE_DIVIDE({float}, {float})",
		"IEEE_DIVIDE({float}, {float})",
		"ROUND({float}, 1)", "TRUNC({float})", "CEIL({float})", "FLOOR({float})", "SQRT({float})", "EXP({float})", "LN({float})",
		"POW({float}, 2)", "CAST({int} AS FLOAT64)",
		"CAST({numeric} AS FLOAT64)", "IF({bool}, {float}, {float})", "GREATEST({float}, {float})", "LEAST({float}, {float})",
		"ATAN2({float}, {float})", "SAFE.LOG({float}, 10)"},
	"numeric": {"{numeric} + {numeric}", "{numeric} - {numeric}", "{numeric} * {numeric}", "{numeric} / {numeric}", "ROUND({numeric}, 1)",
		"TRUNC({numeric}, 2)", "CAST({int} AS NUMERIC)",
		"CAST({float} AS NUMERIC)", "ABS({numeric})", "SAFE_CAST({string} AS NUMERIC)", "MOD({numeric}, {numeric})"},
	"string": {"{string} || {string}", "UPPER({string})", "LOWER({string})", "REVERSE({string})", "TRIM({string})", "LTRIM({string}, 'a ')",
		"SUBSTR({string}, {int})",
		"SUBSTR({string}, 2, 3)", "SUBSTR({string}, -2)", "REPLACE({string}, {string}, {string})", "LPAD({string}, 5, {string})",
		"REPEAT({string}, 2)", "CAST({int} AS STRING)",
		"CAST({float} AS STRING)", "CAST({numeric} AS STRING)", "CAST({bool} AS STRING)", "CAST({date} AS STRING)", "CAST({ts} AS STRING)",
		"CAST({datetime} AS STRING)",
		"FORMAT('%d|%5d', {int}, {int})", "FORMAT('%s|%10s', {string}, {string})", "FORMAT('%T', {any})", "FORMAT('%t', {any})",
		"FORMAT('%.2f', {float})", "TO_HEX({bytes})",
		"TO_BASE64({bytes})", "INITCAP({string})", "LEFT({string}, 3)", "RIGHT({string}, 2)", "REGEXP_REPLACE({string}, r'[a-l]', '_')",
		"REGEXP_EXTRACT({string}, r'l+')",
		"FORMAT_DATE('%A %d %B %Y', {date})", "FORMAT_TIMESTAMP('%F %T', {ts})", "SAFE_CAST({bytes} AS STRING)",
		"SPLIT({string}, ' ')[SAFE_OFFSET(0)]", "TO_JSON_STRING({any})",
		"CONCAT({string}, {string})", "TRANSLATE({string}, 'ab', 'xy')", "SOUNDEX({string})", "ARRAY_TO_STRING([{string}, {string}], '-')",
		"NORMALIZE({string}, NFD)"},
	"bytes": {"{bytes} || {bytes}", "CAST({string} AS BYTES)", "MD5({string})", "SHA256({bytes})", "REVERSE({bytes})", "SUBSTR({bytes}, 2)",
		"FROM_HEX('0aff')", "REPEAT({bytes}, 2)"},
	"bool": {"{int} = {int}", "{int} < {int}", "{float} = {float}", "{float} < {float}", "{float} >= {float}", "{string} < {string}",
		"{string} LIKE '%l_o%'", "{int} IN (1, 2, {int})",
		"{int} NOT IN (1, {int})", "{date} BETWEEN {date} AND {date}", "NOT {bool}", "{bool} AND {bool}", "{bool} OR {bool}", "{int} IS NULL",
		"{bool} IS NOT TRUE",
		"IS_NAN({float})", "IS_INF({float})", "STARTS_WITH({string}, {string})", "REGEXP_CONTAINS({string}, r'^[a-z]+$')",
		"{int} IS DISTINCT FROM {int}",
		"EXISTS(SELECT 1 FROM UNNEST({ints}) AS x WHERE x > 1)", "{int} IN UNNEST({ints})", "{numeric} = {int}", "(1, {int}) = (1, {int})",
		"CAST({string} AS BOOL)", "{bytes} < {bytes}"},
	"date": {"DATE_ADD({date}, INTERVAL 1 MONTH)", "DATE_SUB({date}, INTERVAL 3 DAY)", "DATE_TRUNC({date}, MONTH)",
		"DATE_TRUNC({date}, WEEK(MONDAY))", "LAST_DAY({date})",
		"DATE({ts})", "SAFE_CAST({string} AS DATE)", "PARSE_DATE('%Y-%m-%d', {string})", "DATE({int}, 2, 28)", "{date} + 1",
		"DATE_FROM_UNIX_DATE({int})"},
	"ts": {"TIMESTAMP_ADD({ts}, INTERVAL 90 MINUTE)", "TIMESTAMP_TRUNC({ts}, HOUR)", "TIMESTAMP({date})", "TIMESTAMP_MICROS({int})",
		"TIMESTAMP_SECONDS({int})",
		"SAFE_CAST({string} AS TIMESTAMP)", "TIMESTAMP({datetime}, 'America/New_York')"},
	"datetime": {"DATETIME({ts})", "DATETIME({ts}, 'Asia/Kolkata')", "DATETIME_ADD({datetime}, INTERVAL 1 QUARTER)",
		"DATETIME_TRUNC({datetime}, WEEK)", "DATETIME({date})"},
	"ints": {"ARRAY_CONCAT({ints}, {ints})", "ARRAY_REVERSE({ints})", "GENERATE_ARRAY(1, 5, 2)",
		"ARRAY(SELECT x + 1 FROM UNNEST([1, 2]) AS x ORDER BY 1)", "[{int}, {int}]"},
}

// expr writes an expression of a type.
func (g *generator) expr(of string, depth int) string {
	if depth <= 0 || g.r.IntN(4) == 0 {
		return g.of(values[of]...)
	}
	form := g.of(forms[of]...)
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(form, "{")
		b.WriteString(before)
		if !ok {
			break
		}
		word, after, _ := strings.Cut(rest, "}")
		if word == "any" {
			b.WriteString(g.any(depth - 1))
		} else {
			b.WriteString("(" + g.expr(word, depth-1) + ")")
		}
		form = after
	}
	return b.String()
}
