// Package duckfmt writes query results the way DuckDB itself writes them.
//
// A [database/sql] row from duckdb-go holds Go values: a STRUCT is a map without order, a DECIMAL a big integer, a DATE and a
// TIMESTAMP both a [time.Time]. Together with the column's type name ([database/sql.ColumnType.DatabaseTypeName]), which keeps what
// the values lost, this package gives the text of CAST(x AS VARCHAR), or JSON.
//
//	t, err := duckfmt.ParseType(col.DatabaseTypeName())
//	text := t.Text(value)
//
// What duckdb-go itself loses cannot be brought back: the key order and the number spelling of JSON values (a []byte or a
// [encoding/json.RawMessage], as Mallard's own connections give them, is written as it is), the time 24:00:00. A STRUCT without
// names is a []any.
package duckfmt

import (
	"fmt"
	"strconv"
	"strings"
)

// Type is a DuckDB type as read from its name.
type Type struct {
	// Name is the upper-case name of a scalar type (DOUBLE, DECIMAL, …) or LIST, ARRAY, STRUCT, MAP, UNION.
	Name string
	// Width and Scale belong to DECIMAL.
	Width, Scale int
	// Size is the length of an ARRAY.
	Size int
	// Elem is the element of a LIST or an ARRAY and the value of a MAP.
	Elem *Type
	// Key is the key of a MAP.
	Key *Type
	// Fields are the members of a STRUCT or a UNION, in their order.
	Fields []Field
}

// Field is a member of a STRUCT or a UNION.
type Field struct {
	Name string
	Type *Type
}

// maxDepth bounds the nesting of a type name, which may come from a test file.
const maxDepth = 100

// aliases maps the names that people write to the ones that duckdb-go gives.
var aliases = map[string]string{
	"INT": "INTEGER", "INT4": "INTEGER", "SIGNED": "INTEGER",
	"INT8": "BIGINT", "INT64": "BIGINT", "LONG": "BIGINT",
	"INT2": "SMALLINT", "INT16": "SMALLINT", "SHORT": "SMALLINT",
	"INT1": "TINYINT",
	"TEXT": "VARCHAR", "STRING": "VARCHAR", "CHAR": "VARCHAR", "BPCHAR": "VARCHAR",
	"BOOL": "BOOLEAN", "LOGICAL": "BOOLEAN",
	"REAL": "FLOAT", "FLOAT4": "FLOAT", "FLOAT8": "DOUBLE",
	"BYTEA": "BLOB", "BINARY": "BLOB", "VARBINARY": "BLOB",
	"NUMERIC":  "DECIMAL",
	"DATETIME": "TIMESTAMP", "TIMESTAMP_US": "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
	"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ", "TIME WITH TIME ZONE": "TIMETZ",
}

// ParseType reads a type name as duckdb-go or a person writes it: `STRUCT("a" INTEGER, b DOUBLE[])`, `decimal(10, 2)`, `float[3][]`.
// Upper and lower case are one, and the usual aliases (INT, TEXT, …) are known; an unknown name is taken as the name of a scalar type.
func ParseType(s string) (*Type, error) {
	p := typeParser{rest: s}
	t, err := p.parse(0)
	if err == nil && p.blanks() != "" {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("type %q: %w", s, err)
	}
	return t, nil
}

type typeParser struct{ rest string }

func (p *typeParser) blanks() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.rest
}

func (p *typeParser) eat(c byte) bool {
	if r := p.blanks(); r != "" && r[0] == c {
		p.rest = r[1:]
		return true
	}
	return false
}

func (p *typeParser) expect(c byte) error {
	if p.eat(c) {
		return nil
	}
	if p.rest == "" {
		return fmt.Errorf("%q is missing at the end", string(c))
	}
	return fmt.Errorf("%q is missing before %q", string(c), p.rest)
}

func (p *typeParser) parse(depth int) (*Type, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d levels", maxDepth)
	}
	t, err := p.base(depth)
	if err != nil {
		return nil, err
	}
	for p.eat('[') {
		if p.eat(']') {
			t = &Type{Name: "LIST", Elem: t}
			continue
		}
		n, err := p.number()
		if err != nil {
			return nil, err
		}
		if err := p.expect(']'); err != nil {
			return nil, err
		}
		t = &Type{Name: "ARRAY", Elem: t, Size: n}
	}
	return t, nil
}

func (p *typeParser) base(depth int) (*Type, error) {
	name := strings.ToUpper(p.word())
	if name == "" {
		if p.rest == "" {
			return nil, fmt.Errorf("a type is missing at the end")
		}
		return nil, fmt.Errorf("a type is missing before %q", p.rest)
	}
	// TIMESTAMP WITH TIME ZONE and the like.
	for (name == "TIME" || strings.HasPrefix(name, "TIME")) && strings.HasPrefix(strings.ToUpper(p.blanks()), "WITH") {
		for range 3 {
			name += " " + strings.ToUpper(p.word())
		}
	}
	if full, ok := aliases[name]; ok {
		name = full
	}
	t := &Type{Name: name}
	switch {
	case name == "STRUCT" || name == "UNION" || name == "ROW":
		t.Name = strings.Replace(name, "ROW", "STRUCT", 1)
		return t, p.fields(t, depth)
	case name == "MAP" && p.eat('('):
		var err error
		if t.Key, err = p.parse(depth + 1); err != nil {
			return nil, err
		}
		if err := p.expect(','); err != nil {
			return nil, err
		}
		if t.Elem, err = p.parse(depth + 1); err != nil {
			return nil, err
		}
		return t, p.expect(')')
	case name == "DECIMAL":
		t.Width, t.Scale = 18, 3
		if !p.eat('(') {
			return t, nil
		}
		var err error
		if t.Width, err = p.number(); err != nil {
			return nil, err
		}
		t.Scale = 0
		if p.eat(',') {
			if t.Scale, err = p.number(); err != nil {
				return nil, err
			}
		}
		return t, p.expect(')')
	case p.eat('('):
		// VARCHAR(10), ENUM('a', 'b'): what stands in the brackets does not matter to printing.
		end := strings.IndexByte(p.rest, ')')
		if end < 0 {
			return nil, fmt.Errorf("%q is missing at the end", ")")
		}
		p.rest = p.rest[end+1:]
	}
	return t, nil
}

func (p *typeParser) fields(t *Type, depth int) error {
	if !p.eat('(') || p.eat(')') {
		return nil
	}
	for {
		name, err := p.name()
		if err != nil {
			return err
		}
		ft, err := p.parse(depth + 1)
		if err != nil {
			return err
		}
		t.Fields = append(t.Fields, Field{Name: name, Type: ft})
		if !p.eat(',') {
			return p.expect(')')
		}
	}
}

// name reads a field name, bare or in double quotes.
func (p *typeParser) name() (string, error) {
	r := p.blanks()
	if !strings.HasPrefix(r, `"`) {
		if w := p.word(); w != "" {
			return w, nil
		}
		return "", fmt.Errorf("a name is missing before %q", p.rest)
	}
	var b strings.Builder
	for i := 1; i < len(r); i++ {
		if r[i] != '"' {
			b.WriteByte(r[i])
			continue
		}
		if i+1 < len(r) && r[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		p.rest = r[i+1:]
		return b.String(), nil
	}
	return "", fmt.Errorf("a name is not closed: %s", r)
}

func (p *typeParser) word() string {
	r := p.blanks()
	n := 0
	for n < len(r) && !strings.ContainsRune(" \t\r\n()[],\"", rune(r[n])) {
		n++
	}
	p.rest = r[n:]
	return r[:n]
}

func (p *typeParser) number() (int, error) {
	w := p.word()
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no number", w)
	}
	return n, nil
}

// String gives the type as DuckDB writes it in DESCRIBE, with names quoted only where they must be.
func (t *Type) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *Type) write(b *strings.Builder) {
	switch {
	case t.Name == "LIST" && t.Elem != nil:
		t.Elem.write(b)
		b.WriteString("[]")
	case t.Name == "ARRAY" && t.Elem != nil:
		t.Elem.write(b)
		fmt.Fprintf(b, "[%d]", t.Size)
	case t.Name == "DECIMAL":
		fmt.Fprintf(b, "DECIMAL(%d,%d)", t.Width, t.Scale)
	case t.Name == "MAP" && t.Key != nil:
		b.WriteString("MAP(")
		t.Key.write(b)
		b.WriteString(", ")
		t.Elem.write(b)
		b.WriteByte(')')
	case t.Name == "STRUCT" || t.Name == "UNION":
		b.WriteString(t.Name)
		b.WriteByte('(')
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(QuoteName(f.Name))
			b.WriteByte(' ')
			f.Type.write(b)
		}
		b.WriteByte(')')
	default:
		b.WriteString(t.Name)
	}
}

// QuoteName gives a name as it may stand in a type or column list: bare when it is a plain word, else in double quotes.
func QuoteName(s string) string {
	plain := s != ""
	for i := 0; i < len(s); i++ {
		c := s[i]
		plain = plain && (c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9')
	}
	if plain {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// Numeric tells whether values of the type are numbers, which DuckDB sets to the right.
func (t *Type) Numeric() bool {
	switch t.Name {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
		"HUGEINT", "UHUGEINT", "BIGNUM", "FLOAT", "DOUBLE", "DECIMAL":
		return true
	}
	return false
}
