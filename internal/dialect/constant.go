package dialect

import (
	"strconv"
	"strings"
)

// constant reads a constant of an option list.
func (p *parser) constant() (Value, *Error) {
	t := p.at(0)
	v := Value{Span: t.Span}
	defer func() { p.deep-- }()
	if err := p.nest(); err != nil {
		return v, err
	}
	if t.bad != "" {
		return v, errorf(t.Span, "Syntax error: %s", t.bad)
	}
	switch t.kind {
	case kindString, kindQuoted, kindBytes:
		if t.kind == kindQuoted && p.sql == GoogleSQL {
			return v, p.expected("a constant")
		}
		s, err := decodeString(p.src, t, p.sql)
		if err != nil {
			return v, err
		}
		v.Kind, v.Str = String, s
		p.i++
		return v, nil
	case kindNumber:
		p.i++
		return p.number(v, p.text(t), "")
	case kindParam:
		return v, errorf(t.Span, "a parameter cannot stand here").hint("Write a constant")
	case kindPunct:
		return p.punctConstant(v)
	}
	switch w := p.word(0); w {
	case "NULL":
		p.i++
		return v, nil
	case "TRUE", "FALSE":
		v.Kind, v.Bool = Bool, w == "TRUE"
		p.i++
		return v, nil
	case "STRUCT":
		p.i++
		if p.isPunct(0, '<') {
			if err := p.skipTypeArguments(); err != nil {
				return v, err
			}
		}
		return p.structConstant(v)
	case "ARRAY":
		p.i++
		if p.isPunct(0, '<') {
			if err := p.skipTypeArguments(); err != nil {
				return v, err
			}
		}
		if !p.isPunct(0, '[') {
			return v, p.expected(`"["`)
		}
		return p.listConstant(v)
	case "INTERVAL":
		return p.interval(v)
	case "DATE", "DATETIME", "TIMESTAMP", "TIME", "NUMERIC", "BIGNUMERIC", "DECIMAL", "BIGDECIMAL", "JSON":
		if p.at(1).kind == kindString {
			p.i++
			c, err := p.constant()
			c.Span = p.since(v.Pos)
			return c, err
		}
	}
	p.i++
	if p.isPunct(0, '(') || p.isPunct(0, '.') {
		p.i--
		return v, errorf(t.Span, "%s is not a constant", p.text(t)).hint("Only constants can stand here")
	}
	v.Kind, v.Str = Ident, p.text(t)
	return v, nil
}

func (p *parser) punctConstant(v Value) (Value, *Error) {
	switch {
	case p.isPunct(0, '['):
		return p.listConstant(v)
	case p.isPunct(0, '('):
		return p.structConstant(v)
	case p.isPunct(0, '-'), p.isPunct(0, '+'):
		if n := p.at(1); n.kind == kindNumber {
			sign := strings.TrimPrefix(p.text(p.at(0)), "+")
			p.i += 2
			v.Span = p.since(v.Pos)
			return p.number(v, p.text(n), sign)
		}
	}
	return v, p.expected("a constant")
}

func (p *parser) number(v Value, s, sign string) (Value, *Error) {
	s = strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(sign+s, 0, 64); err == nil && !isOctal(s) {
		v.Kind, v.Int = Int, i
		return v, nil
	}
	if i, err := strconv.ParseInt(sign+s, 10, 64); err == nil {
		v.Kind, v.Int = Int, i
		return v, nil
	}
	f, err := strconv.ParseFloat(sign+s, 64)
	if err != nil || !strings.ContainsAny(s, ".eE") {
		return v, errorf(v.Span, "the number %s is out of range", sign+s)
	}
	v.Kind, v.Float = Float, f
	return v, nil
}

// isOctal finds the numbers that Go's base 0 would read as octal; in SQL they are decimal.
func isOctal(s string) bool { return len(s) > 1 && s[0] == '0' && s[1] != 'x' && s[1] != 'X' }

func (p *parser) listConstant(v Value) (Value, *Error) {
	v.Kind = Array
	v.List = []Value{}
	p.i++
	for !p.acceptPunct(']') {
		if len(v.List) > 0 {
			if !p.acceptPunct(',') {
				return v, p.expected(`"," or "]"`)
			}
		}
		item, err := p.constant()
		if err != nil {
			return v, err
		}
		v.List = append(v.List, item)
	}
	v.Span = p.since(v.Pos)
	return v, nil
}

// structConstant reads ( value [AS name], … ).
func (p *parser) structConstant(v Value) (Value, *Error) {
	v.Kind = Struct
	v.Fields = []Option{}
	if err := p.expectPunct('('); err != nil {
		return v, err
	}
	for !p.acceptPunct(')') {
		if len(v.Fields) > 0 && !p.acceptPunct(',') {
			return v, p.expected(`"," or ")"`)
		}
		start := p.at(0).Pos
		item, err := p.constant()
		if err != nil {
			return v, err
		}
		o := Option{Value: item}
		if p.accept("AS") {
			name, err := p.name()
			if err != nil {
				return v, err
			}
			o.Name = name
		}
		o.Span = p.since(start)
		v.Fields = append(v.Fields, o)
	}
	v.Span = p.since(v.Pos)
	return v, nil
}

// interval reads INTERVAL n UNIT; its value is the text "n UNIT".
func (p *parser) interval(v Value) (Value, *Error) {
	p.i++
	n, err := p.constant()
	if err != nil {
		return v, err
	}
	switch n.Kind {
	case Int:
		v.Str = strconv.FormatInt(n.Int, 10)
	case String:
		v.Str = n.Str
	default:
		return v, errorf(n.Span, "Syntax error: Expected a number after INTERVAL")
	}
	unit := p.word(0)
	if unit == "" {
		return v, p.expected("a unit of time, such as HOUR")
	}
	v.Str += " " + unit
	p.i++
	if p.accept("TO") {
		v.Str += " TO " + p.word(0)
		p.i++
	}
	v.Kind = Interval
	v.Span = p.since(v.Pos)
	return v, nil
}
