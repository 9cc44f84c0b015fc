package dialect

import (
	"regexp"
	"strings"
)

// duckTypes are the types that DuckDB has too. The others have no exact counterpart: BIGNUMERIC is wider than any
// DECIMAL, and GEOGRAPHY and RANGE do not exist.
var duckTypes = map[string]string{
	"INT64": "BIGINT", "FLOAT64": "DOUBLE", "NUMERIC": "DECIMAL(38,9)", "BOOL": "BOOLEAN", "STRING": "VARCHAR", "BYTES": "BLOB",
	"DATE": "DATE", "DATETIME": "TIMESTAMP", "TIME": "TIME", "TIMESTAMP": "TIMESTAMPTZ", "JSON": "JSON",
}

// duckType gives DuckDB's text for a type.
func (t *translator) duckType(c columnType) string {
	switch c.name {
	case "ARRAY":
		return t.duckType(*c.elem) + "[]"
	case "STRUCT":
		var parts []string
		for _, f := range c.fields {
			if f.name == "" {
				t.refuse(c.Span, "a STRUCT with unnamed fields", "Name them")
			}
			t.noNUL(c.Span, f.name)
			parts = append(parts, quoteName(f.name)+" "+t.duckType(f.typ))
		}
		if len(parts) == 0 {
			t.refuse(c.Span, "an empty STRUCT", "")
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	to, ok := duckTypes[c.name]
	if !ok {
		t.refuse(c.Span, "the type "+c.name, "")
	}
	if c.params != "" {
		t.refuse(c.Span, "the type "+c.String()+" with parameters", "Write "+c.name)
	}
	return to
}

// writeType translates the type that comes next.
func (t *translator) writeType() {
	c, err := t.columnType()
	t.must(err)
	if to := t.duckType(c); to != t.src[c.Pos:c.End] {
		t.edits.replace(c.Span, to)
	}
}

// A cast depends on the type it starts from, which only the binder knows. castBodies write CAST(__v AS type) so that it
// looks at typeof(__v) itself; what has no exact counterpart fails with GoogleSQL's meaning in the text. safe gives NULL
// instead of an error.
//
//   - INT64: GoogleSQL rounds halves away from zero (DuckDB: to even), and takes no fraction in a string. The detour over
//     DECIMAL(38,18) rounds the right way for every FLOAT64 that has a fraction.
//   - STRING: DuckDB writes FLOAT64, NUMERIC and BYTES in another form, and a TIMESTAMP in the session's time zone.
//   - BOOL: GoogleSQL takes only the words true and false.
//   - TIMESTAMP, DATE, DATETIME: GoogleSQL means UTC where DuckDB means the session's time zone.
//   - BYTES: GoogleSQL means the UTF-8 bytes, DuckDB reads \x escapes.
var castBodies = map[string]struct{ strict, safe string }{
	"INT64": {
		strict: `CASE WHEN typeof(__v) <> 'VARCHAR' THEN CAST(CAST(__v AS DECIMAL(38,18)) AS BIGINT) WHEN ` + isInteger + ` THEN CAST(CAST(__v AS VARCHAR) AS BIGINT) WHEN __v IS NOT NULL THEN error('Bad int64 value: ' || CAST(__v AS VARCHAR)) END`,
		safe:   `CASE WHEN typeof(__v) <> 'VARCHAR' THEN TRY_CAST(TRY_CAST(__v AS DECIMAL(38,18)) AS BIGINT) WHEN ` + isInteger + ` THEN TRY_CAST(CAST(__v AS VARCHAR) AS BIGINT) END`,
	},
	"STRING": {
		strict: `CASE WHEN typeof(__v) IN (` + textTypes + `) THEN CAST(__v AS VARCHAR) WHEN __v IS NOT NULL THEN error('CAST to STRING is not translated from GoogleSQL to DuckDB for the type ' || typeof(__v)) END`,
		safe:   `CASE WHEN typeof(__v) IN (` + textTypes + `) THEN CAST(__v AS VARCHAR) WHEN __v IS NOT NULL THEN error('SAFE_CAST to STRING is not translated from GoogleSQL to DuckDB for the type ' || typeof(__v)) END`,
	},
	"DATE": {
		strict: `CASE WHEN typeof(__v) = '` + zoned + `' THEN CAST(timezone('UTC', CAST(__v AS TIMESTAMPTZ)) AS DATE) ELSE CAST(__v AS DATE) END`,
		safe:   `CASE WHEN typeof(__v) = '` + zoned + `' THEN CAST(timezone('UTC', CAST(__v AS TIMESTAMPTZ)) AS DATE) WHEN typeof(__v) <> 'VARCHAR' OR regexp_full_match(CAST(__v AS VARCHAR), '\d{4}-\d{1,2}-\d{1,2}') THEN TRY_CAST(__v AS DATE) END`,
	},
	"DATETIME": {
		strict: `CASE WHEN typeof(__v) = '` + zoned + `' THEN timezone('UTC', CAST(__v AS TIMESTAMPTZ)) ELSE CAST(__v AS TIMESTAMP) END`,
	},
	"TIMESTAMP": {
		strict: `CASE WHEN typeof(__v) = '` + zoned + `' THEN CAST(__v AS TIMESTAMPTZ) ELSE timezone('UTC', CAST(__v AS TIMESTAMP)) END`,
	},
	"BYTES": {
		strict: `CASE WHEN typeof(__v) = 'VARCHAR' THEN encode(CAST(__v AS VARCHAR)) ELSE CAST(__v AS BLOB) END`,
	},
	"BOOL": {
		strict: `CASE WHEN typeof(__v) <> 'VARCHAR' THEN CAST(__v AS BOOLEAN) WHEN lower(CAST(__v AS VARCHAR)) IN ('true', 'false') THEN CAST(CAST(__v AS VARCHAR) AS BOOLEAN) WHEN __v IS NOT NULL THEN error('Bad bool value: ' || CAST(__v AS VARCHAR)) END`,
		safe:   `CASE WHEN typeof(__v) <> 'VARCHAR' THEN TRY_CAST(__v AS BOOLEAN) WHEN lower(CAST(__v AS VARCHAR)) IN ('true', 'false') THEN CAST(CAST(__v AS VARCHAR) AS BOOLEAN) END`,
	},
}

const (
	zoned     = "TIMESTAMP WITH TIME ZONE"
	isInteger = `regexp_full_match(CAST(__v AS VARCHAR), '\s*[+-]?([0-9]+|0[xX][0-9a-fA-F]+)\s*')`
	textTypes = `'VARCHAR', 'BIGINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'UBIGINT', 'UINTEGER', 'USMALLINT', 'UTINYINT', 'HUGEINT', 'UHUGEINT', 'BOOLEAN', 'DATE', '"NULL"'`
)

// cast reads CAST(value AS type) and SAFE_CAST.
func (t *translator) cast() expr {
	start := t.at(0)
	safe := t.isWord(0, "SAFE_CAST")
	t.i += 2
	e := t.value()
	as := t.at(0)
	t.must(t.expect("AS"))
	c, err := t.columnType()
	t.must(err)
	if t.isWord(0, "FORMAT") || t.isWord(0, "AT") {
		t.refuse(t.at(0).Span, "CAST … "+t.word(0), "")
	}
	t.must(t.expectPunct(')'))
	end := t.at(-1)
	to := t.duckType(c)
	switch c.name {
	case "ARRAY", "STRUCT", "JSON", "TIME":
		t.refuse(c.Span, "CAST to "+c.name, "")
	}
	body, byType := castBodies[c.name]
	if byType && safe && body.safe == "" {
		t.refuse(c.Span, "SAFE_CAST to "+c.name, "")
	}
	exact := e.null || e.text != nil && (c.name == "STRING" || c.name == "DATE" && plainDate.MatchString(*e.text))
	if byType && !exact {
		how := body.strict
		if safe {
			how = body.safe
		}
		t.edits.replace(Span{start.Pos, t.openAfter(start)}, "list_transform([")
		t.edits.replace(Span{as.Pos, end.End}, "], lambda __v: "+how+")[1]")
		return expr{Span: Span{start.Pos, end.End}}
	}
	if safe {
		t.edits.replace(start.Span, "TRY_CAST")
	}
	if to != t.src[c.Pos:c.End] {
		t.edits.replace(c.Span, to)
	}
	return expr{Span: Span{start.Pos, end.End}}
}

// openAfter is the end of the bracket behind a token.
func (t *translator) openAfter(tok token) int { return t.toks[t.indexOf(tok)+1].End }

var (
	plainDate      = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	plainDatetime  = regexp.MustCompile(`^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?$`)
	plainTimestamp = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?))?(Z|[+-]\d\d(?::?\d\d)?| UTC)?$`)
	plainNumeric   = regexp.MustCompile(`^[+-]?\d{1,29}(\.\d{1,9})?$`)
)

// typedLiteral reads DATE '…' and its like, in the forms that both dialects read alike.
func (t *translator) typedLiteral(w string) expr {
	start := t.at(0)
	t.i++
	tok := t.at(0)
	s, err := decodeString(t.src, tok, t.sql)
	t.must(err)
	t.i++
	at := t.since(start.Pos)
	bad := func() { t.refuse(at, "this form of a "+w+" literal", "Write 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM:SS'") }
	out := ""
	switch w {
	case "DATE":
		if !plainDate.MatchString(s) {
			bad()
		}
		out = "DATE " + quoteString(s)
	case "DATETIME":
		if plainDate.MatchString(s) {
			s += " 00:00:00"
		}
		if !plainDatetime.MatchString(s) {
			bad()
		}
		out = "TIMESTAMP " + quoteString(s)
	case "TIMESTAMP":
		m := plainTimestamp.FindStringSubmatch(s)
		if m == nil {
			bad()
		}
		clock, zone := m[2], strings.TrimSpace(m[3])
		if clock == "" {
			clock = "00:00:00"
		}
		if zone == "" || zone == "Z" || zone == "UTC" {
			zone = "+00"
		}
		out = "TIMESTAMPTZ " + quoteString(m[1]+" "+clock+zone)
	default:
		if !plainNumeric.MatchString(s) {
			t.refuse(at, "this form of a NUMERIC literal", "Write digits with at most nine behind the point")
		}
		out = "CAST(" + quoteString(s) + " AS DECIMAL(38,9))"
	}
	t.edits.replace(at, out)
	return expr{Span: at}
}
