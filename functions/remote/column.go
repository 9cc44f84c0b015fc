package remote

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is a kind of SQL value.
type Kind int

// The kinds.
const (
	Bool Kind = iota + 1
	Int64
	Float64
	Numeric
	BigNumeric
	String
	JSON
	Array
	Struct
)

var kindNames = [...]string{Bool: "BOOL", Int64: "INT64", Float64: "FLOAT64", Numeric: "NUMERIC", BigNumeric: "BIGNUMERIC", String: "STRING", JSON: "JSON", Array: "ARRAY", Struct: "STRUCT"}

// Type is a GoogleSQL type, as far as JSON can carry it.
type Type struct {
	Kind   Kind
	Elem   *Type    // of an ARRAY
	Fields []Column // of a STRUCT
}

// Column is a named value: a declared input or output, a field of a schema, a result.
type Column struct {
	Name string
	Type Type
}

// String is BigQuery's name of the type, such as ARRAY<FLOAT64>.
func (t Type) String() string {
	switch t.Kind {
	case Array:
		return "ARRAY<" + t.Elem.String() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + " " + f.Type.String()
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	if t.Kind <= 0 || int(t.Kind) >= len(kindNames) {
		return "?"
	}
	return kindNames[t.Kind]
}

// DuckDB is the type's name there.
func (t Type) DuckDB() string {
	switch t.Kind {
	case Bool:
		return "BOOLEAN"
	case Int64:
		return "BIGINT"
	case Float64:
		return "DOUBLE"
	case Numeric:
		return "DECIMAL(38,9)"
	case BigNumeric:
		return "DECIMAL(38,18)"
	case JSON:
		return "JSON"
	case Array:
		return t.Elem.DuckDB() + "[]"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = quoteName(f.Name) + " " + f.Type.DuckDB()
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	return "VARCHAR"
}

func scalar(k Kind) Type { return Type{Kind: k} }

func arrayOf(t Type) Type { return Type{Kind: Array, Elem: &t} }

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
func ParseColumns(s string) ([]Column, error) {
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
		return fmt.Errorf("has %q where it should end", clip(p.rest, 20))
	}
	return nil
}

// word is a name, bare or in backticks.
func (p *typeParser) word() (string, error) {
	p.blank()
	if strings.HasPrefix(p.rest, "`") {
		name, after, ok := strings.Cut(p.rest[1:], "`")
		if !ok || name == "" {
			return "", fmt.Errorf("has an unfinished name %q", clip(p.rest, 20))
		}
		p.rest = after
		return name, nil
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
		return "", fmt.Errorf("has %q where a name should be", clip(p.rest, 20))
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w, nil
}

func (p *typeParser) columns(depth int) ([]Column, error) {
	var cols []Column
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
		cols = append(cols, Column{name, t})
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
	switch strings.ToUpper(w) {
	case "BOOL", "BOOLEAN":
		return scalar(Bool), nil
	case "INT64", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT":
		return scalar(Int64), nil
	case "FLOAT64", "DOUBLE":
		return scalar(Float64), nil
	case "NUMERIC", "DECIMAL":
		return scalar(Numeric), nil
	case "BIGNUMERIC", "BIGDECIMAL":
		return scalar(BigNumeric), nil
	case "STRING", "VARCHAR", "TEXT":
		return scalar(String), nil
	case "JSON":
		return scalar(JSON), nil
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
		return arrayOf(e), nil
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
	return Type{}, fmt.Errorf("has the type %s; it may be BOOL, INT64, FLOAT64, NUMERIC, STRING, ARRAY<…> or STRUCT<…>", w)
}

// clip shortens a text for a message, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
