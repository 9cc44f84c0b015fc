package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// columnDefinition writes a column of CREATE TABLE or ADD COLUMN. What DuckDB's types do not say (lengths, and fields that take no NULL)
// are CHECKs.
func (w *writer) columnDefinition(at *resolved.ParseLocationRangeProto, c *resolved.ResolvedColumnDefinitionProto) string {
	text, checks := w.uncheckedColumn(at, c)
	for _, check := range checks {
		text += " CHECK (" + check + ")"
	}
	return text
}

// uncheckedColumn writes a column without its checks, which it gives.
func (w *writer) uncheckedColumn(at *resolved.ParseLocationRangeProto, c *resolved.ResolvedColumnDefinitionProto) (text string,
	checks []string) {
	if c.GetGeneratedColumnInfo() != nil {
		refuse(at, "a generated column")
	}
	d := columnWriter{at: at, column: quote.Name(c.GetName())}
	t, a := analyzer.TypeOf(c.GetType()), c.GetAnnotations()
	text = d.column + " " + d.typeOf(t, a)
	if a.GetNotNull() {
		text += " NOT NULL"
	}
	if v := c.GetDefaultValue(); v != nil {
		text += " DEFAULT (" + w.expr(v.GetExpression()) + ")"
	}
	d.check(field{sql: d.column, json: "$"}, t, a)
	return text, d.checks
}

// columnWriter gathers what a column's values must satisfy.
type columnWriter struct {
	at     *resolved.ParseLocationRangeProto
	column string
	checks []string
}

// typeOf is the DuckDB type of a column or a field whose type may have parameters.
func (d *columnWriter) typeOf(t googlesql.Type, a *resolved.ResolvedColumnAnnotationsProto) string {
	children := a.GetChildList()
	switch {
	case len(children) == 0:
		return parameterized(d.at, t, a.GetTypeParameters())
	case t.Kind == googlesql.Array:
		return d.typeOf(*t.Elem, children[0]) + "[]"
	}
	parts := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		var of *resolved.ResolvedColumnAnnotationsProto
		if i < len(children) {
			of = children[i]
		}
		parts[i] = quote.Name(f.Name) + " " + d.typeOf(f.Type, of)
	}
	return "STRUCT(" + strings.Join(parts, ", ") + ")"
}

// field is a place in a column's values.
type field struct {
	sql    string // the expression of its value; "" inside an ARRAY, where there are many
	whole  string // that of the STRUCT around it
	json   string // its path in the column's value as JSON
	nested bool
}

// check notes the checks of a field and of those in it. DuckDB takes no lambda in a CHECK, so what is in an ARRAY is looked at as JSON.
func (d *columnWriter) check(f field, t googlesql.Type, a *resolved.ResolvedColumnAnnotationsProto) {
	if a == nil {
		return
	}
	switch {
	case !f.nested || !a.GetNotNull(): // the column itself has DuckDB's constraint
	case f.sql != "":
		d.checks = append(d.checks, fmt.Sprintf("%s IS NULL OR %s IS NOT NULL", f.whole, f.sql))
	default:
		d.checks = append(d.checks, fmt.Sprintf("NOT list_contains(json_extract(to_json(%s), %s), 'null'::JSON)", d.column, quote.Text(f.json)))
	}
	if n := a.GetTypeParameters().GetStringTypeParameters(); n != nil && !n.GetIsMaxLength() {
		if f.sql == "" {
			refuse(d.at, "a type with a length inside ARRAY")
		}
		length := "length"
		if t.Kind == googlesql.Bytes {
			length = "octet_length"
		}
		d.checks = append(d.checks, fmt.Sprintf("%s(%s) <= %d", length, f.sql, n.GetMaxLength()))
	}
	for i, child := range a.GetChildList() {
		switch {
		case t.Kind == googlesql.Array:
			d.check(field{json: f.json + "[*]"}, *t.Elem, child)
		case i < len(t.Fields):
			name := t.Fields[i].Name
			inner := field{json: f.json + `."` + name + `"`, nested: true}
			if strings.Contains(name, `"`) && f.sql == "" {
				refuse(d.at, "a constraint of a field whose name has a quotation mark, inside ARRAY,")
			}
			if f.sql != "" {
				inner.sql, inner.whole = "struct_extract("+f.sql+", "+quote.Text(name)+")", f.sql
			}
			d.check(inner, t.Fields[i].Type, child)
		}
	}
}

// parameterized is the DuckDB type of a column whose type may have parameters.
func parameterized(at *resolved.ParseLocationRangeProto, t googlesql.Type, p *resolved.TypeParametersProto) string {
	if n := p.GetNumericTypeParameters(); n != nil && !n.GetIsMaxPrecision() {
		if n.GetPrecision() > 38 {
			refuse(at, "a number of %d digits", n.GetPrecision())
		}
		return fmt.Sprintf("DECIMAL(%d,%d)", n.GetPrecision(), n.GetScale())
	}
	for _, c := range p.GetChildList() { // of SET DATA TYPE
		if c.GetNumericTypeParameters() != nil || c.GetStringTypeParameters() != nil || len(c.GetChildList()) > 0 {
			refuse(at, "a type with parameters inside ARRAY or STRUCT")
		}
	}
	return duckType(at, t)
}
