package googlesql

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is a kind of GoogleSQL type
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types).
type Kind int

// The kinds.
const (
	Bool Kind = iota + 1
	Int64
	Float64
	Numeric
	BigNumeric
	String
	Bytes
	Date
	DateTime
	Time
	Timestamp
	Interval
	JSON
	Geography // DuckDB has no counterpart
	Range     // a STRUCT there: see RangeStart
	Array
	Struct
)

// kindNames are BigQuery's names, and the name of the type in which DuckDB keeps all values; "" where there is none.
var kindNames = [...]struct{ name, duckdb string }{
	Bool: {"BOOL", "BOOLEAN"}, Int64: {"INT64", "BIGINT"}, Float64: {"FLOAT64", "DOUBLE"},
	Numeric: {"NUMERIC", "DECIMAL(38,9)"}, BigNumeric: {"BIGNUMERIC", "DECIMAL(38,18)"},
	String: {"STRING", "VARCHAR"}, Bytes: {"BYTES", "BLOB"},
	Date: {"DATE", "DATE"}, DateTime: {"DATETIME", "TIMESTAMP"}, Time: {"TIME", "TIME"},
	Timestamp: {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}, Interval: {"INTERVAL", "INTERVAL"},
	JSON: {"JSON", "JSON"}, Geography: {"GEOGRAPHY", ""}, Range: {"RANGE", ""}, Array: {"ARRAY", ""}, Struct: {"STRUCT", ""},
}

// String is BigQuery's name of the kind.
func (k Kind) String() string {
	if k <= 0 || int(k) >= len(kindNames) {
		return "?"
	}
	return kindNames[k].name
}

// words are the names under which a scalar type may be written, aliases included.
var words = map[string]Kind{
	"BOOL": Bool, "BOOLEAN": Bool,
	"INT64": Int64, "INT": Int64, "INTEGER": Int64, "BIGINT": Int64, "SMALLINT": Int64, "TINYINT": Int64, "BYTEINT": Int64,
	"FLOAT64": Float64, "NUMERIC": Numeric, "DECIMAL": Numeric, "BIGNUMERIC": BigNumeric, "BIGDECIMAL": BigNumeric,
	"STRING": String, "BYTES": Bytes,
	"DATE": Date, "DATETIME": DateTime, "TIME": Time, "TIMESTAMP": Timestamp, "INTERVAL": Interval, "JSON": JSON, "GEOGRAPHY": Geography,
}

// duckdbWords are names of DuckDB's that [ParseType] takes too.
var duckdbWords = map[string]Kind{"DOUBLE": Float64, "VARCHAR": String, "TEXT": String}

// KindNamed gives the kind of a scalar type by one of GoogleSQL's names for it, in upper case: INT64 for INTEGER.
func KindNamed(word string) (Kind, bool) {
	k, ok := words[word]
	return k, ok
}

// Type is a GoogleSQL type. The zero value is none. Parameters, such as those of STRING(10), are not kept.
type Type struct {
	Kind   Kind
	Elem   *Type   // of an ARRAY or a RANGE
	Fields []Field // of a STRUCT
}

// Field is a named value: a field of a STRUCT, a column of a table. A field of a STRUCT may have no name.
type Field struct {
	Name string
	Type Type
}

// RangeStart and RangeEnd are the fields of the STRUCT that keeps a RANGE in DuckDB. An end that is unbounded is -infinity or
// infinity there, so that RANGEs are equal and in order as GoogleSQL has it.
const (
	RangeStart = "_range_start"
	RangeEnd   = "_range_end"
)

// ArrayOf is ARRAY<t>.
func ArrayOf(t Type) Type { return Type{Kind: Array, Elem: &t} }

// StructOf is STRUCT<fields>.
func StructOf(fields ...Field) Type { return Type{Kind: Struct, Fields: fields} }

// Equal reports whether two types are the same: names of fields do not tell case apart.
func (t Type) Equal(u Type) bool {
	if t.Kind != u.Kind || len(t.Fields) != len(u.Fields) || (t.Elem == nil) != (u.Elem == nil) {
		return false
	}
	for i, f := range t.Fields {
		if !strings.EqualFold(f.Name, u.Fields[i].Name) || !f.Type.Equal(u.Fields[i].Type) {
			return false
		}
	}
	return t.Elem == nil || t.Elem.Equal(*u.Elem)
}

// String is BigQuery's name of the type, such as ARRAY<STRUCT<a INT64>>. Names that need it stand in backticks.
func (t Type) String() string {
	switch t.Kind {
	case Array, Range:
		return t.Kind.String() + "<" + t.Elem.String() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Type.String()
			if f.Name != "" {
				parts[i] = NameIfNeeded(f.Name) + " " + parts[i]
			}
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	return t.Kind.String()
}

// DuckDB is the name of the type that keeps all values there; "" where there is none.
func (t Type) DuckDB() string {
	switch t.Kind {
	case Array:
		if elem := t.Elem.DuckDB(); elem != "" {
			return elem + "[]"
		}
		return ""
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			of := f.Type.DuckDB()
			if of == "" {
				return ""
			}
			parts[i] = `"` + strings.ReplaceAll(f.Name, `"`, `""`) + `" ` + of
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	case Range:
		elem := t.Elem.DuckDB()
		return "STRUCT(\"" + RangeStart + "\" " + elem + ", \"" + RangeEnd + "\" " + elem + ")"
	}
	if t.Kind <= 0 || int(t.Kind) >= len(kindNames) {
		return ""
	}
	return kindNames[t.Kind].duckdb
}

// maxDepth bounds the nesting of types: the text is a user's.
const maxDepth = 15

// ParseType reads a GoogleSQL type such as ARRAY<FLOAT64>.
func ParseType(s string) (Type, error) {
	p := typeParser{rest: s}
	t, err := p.typ(0)
	if err == nil {
		err = p.end()
	}
	return t, err
}

// ParseColumns reads an output_schema: "title STRING, year INT64, tags ARRAY<STRING>".
func ParseColumns(s string) ([]Field, error) {
	p := typeParser{rest: s}
	cols, err := p.columns(0)
	if err == nil {
		err = p.end()
	}
	return cols, err
}

type typeParser struct{ rest string }

func (p *typeParser) blank() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

func (p *typeParser) eat(s string) bool {
	p.blank()
	if strings.HasPrefix(p.rest, s) {
		p.rest = p.rest[len(s):]
		return true
	}
	return false
}

func (p *typeParser) end() error {
	p.blank()
	if p.rest != "" {
		return fmt.Errorf("has %.20q where it should end", p.rest)
	}
	return nil
}

// word is a name, bare or in backticks.
func (p *typeParser) word() (string, error) {
	p.blank()
	if strings.HasPrefix(p.rest, "`") {
		return p.quoted()
	}
	n := 0
	for n < len(p.rest) {
		r, size := utf8.DecodeRuneInString(p.rest[n:])
		if r != '_' && !unicode.IsLetter(r) && (n == 0 || !unicode.IsDigit(r)) || r == utf8.RuneError && size <= 1 {
			break
		}
		n += size
	}
	if n == 0 {
		if p.rest == "" {
			return "", fmt.Errorf("ends too early; write name and type pairs, such as 'title STRING, year INT64'")
		}
		return "", fmt.Errorf("has %.20q where a name should be", p.rest)
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w, nil
}

// quoted is a name in backticks, with the escapes that [QuoteName] writes.
func (p *typeParser) quoted() (string, error) {
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '`':
			name, err := Unescape(p.rest[1:i])
			if err != nil || name == "" || !utf8.ValidString(name) {
				return "", fmt.Errorf("has a wrong name %.20q", p.rest[:i+1])
			}
			p.rest = p.rest[i+1:]
			return name, nil
		}
	}
	return "", fmt.Errorf("has an unfinished name %.20q", p.rest)
}

func (p *typeParser) columns(depth int) ([]Field, error) {
	var cols []Field
	for {
		name, err := p.word()
		if err != nil {
			return nil, err
		}
		for _, c := range cols {
			if strings.EqualFold(c.Name, name) {
				return nil, fmt.Errorf("has the field %s twice", name)
			}
		}
		t, err := p.typ(depth)
		if err != nil {
			return nil, err
		}
		p.notes()
		cols = append(cols, Field{name, t})
		if !p.eat(",") {
			return cols, nil
		}
	}
}

// notes steps over OPTIONS(description = '…'), which the documentation's examples have behind a field.
func (p *typeParser) notes() {
	p.blank()
	if len(p.rest) < 7 || !strings.EqualFold(p.rest[:7], "OPTIONS") {
		return
	}
	quote := byte(0)
	depth := 0
	for i := 7; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				p.rest = p.rest[i+1:]
				return
			}
		}
	}
}

func (p *typeParser) typ(depth int) (Type, error) {
	if depth > maxDepth {
		return Type{}, fmt.Errorf("nests types more than %d deep", maxDepth)
	}
	w, err := p.word()
	if err != nil {
		return Type{}, err
	}
	word := strings.ToUpper(w)
	if k := cmp.Or(words[word], duckdbWords[word]); k != 0 {
		return Type{Kind: k}, p.parameters()
	}
	switch word {
	case "ARRAY":
		if !p.eat("<") {
			return Type{}, fmt.Errorf("has ARRAY without its element type; write ARRAY<FLOAT64> or the like")
		}
		e, err := p.typ(depth + 1)
		if err != nil {
			return Type{}, err
		}
		if e.Kind == Array {
			return Type{}, fmt.Errorf("has an ARRAY of ARRAY, which GoogleSQL does not have; put a STRUCT between")
		}
		if !p.eat(">") {
			return Type{}, fmt.Errorf("lacks the > of an ARRAY")
		}
		return ArrayOf(e), nil
	case "RANGE":
		if !p.eat("<") {
			return Type{}, fmt.Errorf("has RANGE without its element type; write RANGE<DATE> or the like")
		}
		e, err := p.typ(depth + 1)
		if err != nil {
			return Type{}, err
		}
		if !p.eat(">") {
			return Type{}, fmt.Errorf("lacks the > of a RANGE")
		}
		return Type{Kind: Range, Elem: &e}, nil
	case "STRUCT":
		if !p.eat("<") {
			return Type{}, fmt.Errorf("has STRUCT without its fields; write STRUCT<name STRING, …>")
		}
		f, err := p.columns(depth + 1)
		if err != nil {
			return Type{}, err
		}
		if !p.eat(">") {
			return Type{}, fmt.Errorf("lacks the > of a STRUCT")
		}
		return Type{Kind: Struct, Fields: f}, nil
	}
	return Type{}, fmt.Errorf("has the type %s; it may be "+typeList, w)
}

// typeList are the types as a message offers them.
const typeList = "BOOL, INT64, FLOAT64, NUMERIC, STRING, ARRAY<…> or STRUCT<…>"

// parameters steps over (10), (10, 2) or (MAX).
func (p *typeParser) parameters() error {
	if !p.eat("(") {
		return nil
	}
	inner, after, ok := strings.Cut(p.rest, ")")
	if !ok || strings.Trim(inner, "0123456789, MAX") != "" {
		return fmt.Errorf("has %.20q where the parameters of a type should be", p.rest)
	}
	p.rest = after
	return nil
}

// FromDuckDB gives the kind of a scalar type of DuckDB's, by its name. The error names a type that GoogleSQL has no room for,
// and why. DECIMAL is [DecimalKind]'s, nested types are their parts'.
func FromDuckDB(name string) (Kind, error) {
	if k, ok := duckdbKinds[name]; ok {
		return k, nil
	}
	if why, ok := duckdbRefused[name]; ok {
		return 0, fmt.Errorf("GoogleSQL has no type for DuckDB's %s: %s", name, why)
	}
	return 0, fmt.Errorf("GoogleSQL has no type for DuckDB's %s", name)
}

// duckdbKinds and duckdbRefused are total: every type of DuckDB's stands in one of them, but those with parts.
var duckdbKinds = map[string]Kind{
	"BOOLEAN": Bool, "TINYINT": Int64, "SMALLINT": Int64, "INTEGER": Int64, "BIGINT": Int64,
	"UTINYINT": Int64, "USMALLINT": Int64, "UINTEGER": Int64,
	"UBIGINT": Numeric, "HUGEINT": BigNumeric, "UHUGEINT": BigNumeric, // beyond INT64
	"FLOAT": Float64, "DOUBLE": Float64, "VARCHAR": String, "JSON": JSON, "BLOB": Bytes,
	"UUID": String, "ENUM": String, // their texts
	"DATE": Date, "TIME": Time, "TIMESTAMP": DateTime, "TIMESTAMP_S": DateTime, "TIMESTAMP_MS": DateTime,
	"TIMESTAMP WITH TIME ZONE": Timestamp, "INTERVAL": Interval,
	"NULL": Int64, // a NULL without a type is an INT64, as in BigQuery
}

var duckdbRefused = map[string]string{
	"BIGNUM":              "its numbers may be longer than BIGNUMERIC's",
	"BIT":                 "cast it to VARCHAR",
	"TIME WITH TIME ZONE": "a TIME has no zone; cast it to TIME",
	"TIME_NS":             "a TIME has microseconds; cast it to TIME",
	"TIMESTAMP_NS":        "a DATETIME has microseconds; cast it to TIMESTAMP",
	"UNION":               "take out the member that is wanted",
	"GEOMETRY":            "GEOGRAPHY is on a sphere",
	"VARIANT":             "cast it to the type that is wanted, or to JSON",
	"ANY":                 "its type is not known",
}

// DecimalKind gives the kind that keeps every DECIMAL(width, scale): NUMERIC has 29 digits before the point and 9 behind
// it, BIGNUMERIC 38 and 38.
func DecimalKind(width, scale int) Kind {
	if scale <= 9 && width-scale <= 29 {
		return Numeric
	}
	return BigNumeric
}
