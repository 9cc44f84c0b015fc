package dialect

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// columnType reads a GoogleSQL type.
func (p *parser) columnType() (t googlesql.Type, _ *Error) {
	start := p.at(0)
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
		t.Kind = googlesql.Array
		if w == "RANGE" {
			t.Kind = googlesql.Range
		}
		if !p.isPunct(0, '<') {
			return t, errorf(start.Span, "%s needs the type of its elements", w).hint("Write %s<FLOAT64>, for example", w)
		}
		p.i++
		pos := p.at(0).Pos
		elem, err := p.columnType()
		if err != nil {
			return t, err
		}
		if w == "ARRAY" && elem.Kind == googlesql.Array {
			return t, errorf(p.since(pos), "an ARRAY cannot hold an ARRAY").hint("GoogleSQL has ARRAY<STRUCT<a ARRAY<…>>> for that")
		}
		t.Elem = &elem
		if err := p.expectPunct('>'); err != nil {
			return t, err
		}
	case "STRUCT":
		t.Kind = googlesql.Struct
		if err := p.structFields(&t); err != nil {
			return t, err
		}
	default:
		kind, ok := googlesql.KindNamed(w)
		if !ok {
			return t, errorf(start.Span, "Type not found: %s",
				p.text(start)).hint("GoogleSQL's types are INT64, FLOAT64, NUMERIC, BOOL, STRING, BYTES, DATE, DATETIME, TIME, TIMESTAMP, JSON, " +
				"ARRAY<…> and STRUCT<…>")
		}
		t.Kind = kind
		if p.acceptPunct('(') {
			return t, p.typeParams()
		}
	}
	return t, nil
}

func (p *parser) structFields(t *googlesql.Type) *Error {
	if err := p.expectPunct('<'); err != nil {
		return err
	}
	for !p.acceptPunct('>') {
		if len(t.Fields) > 0 {
			if err := p.expectPunct(','); err != nil {
				return err
			}
		}
		var f googlesql.Field
		// A field may lack its name, so what follows the word decides.
		if n := p.at(1); p.at(0).kind == kindQuoted || n.kind == kindWord && p.at(0).kind == kindWord {
			name, err := p.name()
			if err != nil {
				return err
			}
			f.Name = name
		}
		typ, err := p.columnType()
		if err != nil {
			return err
		}
		f.Type = typ
		t.Fields = append(t.Fields, f)
	}
	return nil
}

// typeParams steps over 10, 2) or MAX), which no value of a model depends on.
func (p *parser) typeParams() *Error {
	for {
		if p.at(0).kind != kindNumber && !p.isWord(0, "MAX") {
			return p.expected("a number")
		}
		p.i++
		if p.acceptPunct(')') {
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
