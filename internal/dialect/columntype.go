package dialect

import "strings"

// typeNames maps the type names of GoogleSQL, aliases included, to its canonical names.
var typeNames = map[string]string{
	"INT64": "INT64", "INT": "INT64", "SMALLINT": "INT64", "INTEGER": "INT64", "BIGINT": "INT64", "TINYINT": "INT64", "BYTEINT": "INT64",
	"FLOAT64": "FLOAT64", "NUMERIC": "NUMERIC", "DECIMAL": "NUMERIC", "BIGNUMERIC": "BIGNUMERIC", "BIGDECIMAL": "BIGNUMERIC",
	"BOOL": "BOOL", "BOOLEAN": "BOOL", "STRING": "STRING", "BYTES": "BYTES",
	"DATE": "DATE", "DATETIME": "DATETIME", "TIME": "TIME", "TIMESTAMP": "TIMESTAMP", "JSON": "JSON", "INTERVAL": "INTERVAL",
	"GEOGRAPHY": "GEOGRAPHY",
}

// columnType is a GoogleSQL type: a name with parameters, an ARRAY of one, or a STRUCT.
type columnType struct {
	Span
	name   string // canonical; ARRAY, STRUCT or RANGE when nested
	params string // "(10,2)" or ""
	elem   *columnType
	fields []columnField
}

type columnField struct {
	name string // may be empty in a STRUCT
	typ  columnType
}

// String is the canonical GoogleSQL text.
func (t columnType) String() string {
	switch t.name {
	case "ARRAY", "RANGE":
		return t.name + "<" + t.elem.String() + ">"
	case "STRUCT":
		var parts []string
		for _, f := range t.fields {
			parts = append(parts, strings.TrimSpace(f.name+" "+f.typ.String()))
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	return t.name + t.params
}

// columnType reads a GoogleSQL type.
func (p *parser) columnType() (columnType, *Error) {
	start := p.at(0)
	t := columnType{Span: start.Span}
	defer func() { p.deep-- }()
	if err := p.nest(); err != nil {
		return t, err
	}
	if start.kind != kindWord || start.bad != "" {
		return t, p.expected("a type")
	}
	w := strings.ToUpper(p.text(start))
	p.i++
	switch w {
	case "ARRAY", "RANGE":
		t.name = w
		if !p.isPunct(0, '<') {
			return t, errorf(start.Span, "%s needs the type of its elements", w).hint("Write %s<FLOAT64>, for example", w)
		}
		p.i++
		elem, err := p.columnType()
		if err != nil {
			return t, err
		}
		if w == "ARRAY" && elem.name == "ARRAY" {
			return t, errorf(elem.Span, "an ARRAY cannot hold an ARRAY").hint("GoogleSQL has ARRAY<STRUCT<a ARRAY<…>>> for that")
		}
		t.elem = &elem
		if err := p.expectPunct('>'); err != nil {
			return t, err
		}
	case "STRUCT":
		t.name = w
		if err := p.structFields(&t); err != nil {
			return t, err
		}
	default:
		name, ok := typeNames[w]
		if !ok {
			return t, errorf(start.Span, "Type not found: %s",
				p.text(start)).hint("GoogleSQL's types are INT64, FLOAT64, NUMERIC, BOOL, STRING, BYTES, DATE, DATETIME, TIME, TIMESTAMP, JSON, " +
				"ARRAY<…> and STRUCT<…>")
		}
		t.name = name
		if p.isPunct(0, '(') {
			if err := p.typeParams(&t); err != nil {
				return t, err
			}
		}
	}
	t.Span = p.since(t.Pos)
	return t, nil
}

func (p *parser) structFields(t *columnType) *Error {
	if err := p.expectPunct('<'); err != nil {
		return err
	}
	for !p.acceptPunct('>') {
		if len(t.fields) > 0 {
			if err := p.expectPunct(','); err != nil {
				return err
			}
		}
		var f columnField
		// A field may lack its name, so what follows the word decides.
		if n := p.at(1); p.at(0).kind == kindQuoted || n.kind == kindWord && p.at(0).kind == kindWord {
			name, err := p.name()
			if err != nil {
				return err
			}
			f.name = name
		}
		typ, err := p.columnType()
		if err != nil {
			return err
		}
		f.typ = typ
		t.fields = append(t.fields, f)
	}
	return nil
}

func (p *parser) typeParams(t *columnType) *Error {
	p.i++
	var parts []string
	for {
		n := p.at(0)
		if n.kind != kindNumber && !p.isWord(0, "MAX") {
			return p.expected("a number")
		}
		parts = append(parts, p.text(n))
		p.i++
		if p.acceptPunct(')') {
			t.params = "(" + strings.Join(parts, ",") + ")"
			return nil
		}
		if err := p.expectPunct(','); err != nil {
			return err
		}
	}
}

// skipTypeArguments steps over the <…> of a typed constant; its values speak for themselves.
func (p *parser) skipTypeArguments() *Error {
	p.i-- // back to ARRAY or STRUCT
	_, err := p.columnType()
	return err
}
