package writer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// A NUMERIC is a DECIMAL(38,9) to DuckDB, of 128 bits. Where it comes from a column of fewer digits, as DECIMAL(15,2) is, it
// stays one of 64 bits as long as exactness can be told from the types: through comparisons, + - *, CASE, SUM, MIN, joins, groups
// and orders. That is what DuckDB's own vectors and statistics are good at, ten times faster. Where it leaves that way, in the
// result, an argument of another function, an array, it is cast to DECIMAL(38,9): nobody sees another type.

// fixed is a NUMERIC in a type of its own: DECIMAL(width, scale), of at most 29 digits before the point and 9 behind it, so
// that what DuckDB makes of any two of them has room for all their digits.
type fixed struct {
	text         string
	width, scale int
	// try says that a part may be an error of DuckDB's, though the value is one of NUMERIC's: it has no place in 18 digits.
	try bool
}

// short is the width of decimals of 64 bits: DuckDB computes with those in as many digits, or fails.
const short = 18

// rows is the number of digits of the most rows that a SUM has. More of them are an error of the cast.
const rows = 11

func (f fixed) whole() int { return f.width - f.scale }

// is a NUMERIC's own type.
func (f fixed) isWide() bool { return f.width == 38 && f.scale == 9 }

func (f fixed) known() bool { return f.width > 0 && f.scale <= 9 && f.whole() <= 29 }

func (f fixed) typeName() string { return fmt.Sprintf("DECIMAL(%d,%d)", f.width, f.scale) }

// wide writes the value as a DECIMAL(38,9).
func (f fixed) wide() string { return "CAST(" + f.text + " AS DECIMAL(38,9))" }

var (
	anyColumn = regexp.MustCompile(`\b[ct]\d+\b`)
	anyText   = regexp.MustCompile(`'[^']*'`)
)

// columnsIn gives the names of the columns in a text.
func columnsIn(text string) []string {
	return anyColumn.FindAllString(anyText.ReplaceAllString(text, ""), -1)
}

// tried writes the value, or NULL where DuckDB calls it an error. The CASE, whose condition cannot be told before, keeps DuckDB
// from computing a part of it that stands elsewhere, too, once for both and outside of TRY.
func (f fixed) tried() string {
	return "TRY(CASE WHEN " + columnsIn(f.text)[0] + " IS NOT NULL THEN " + f.text + " END)"
}

// tableColumn gives the text of a table's column, and notes what it is if it has fewer digits than its type.
func (w *writer) tableColumn(t Table, i int, c *resolved.ResolvedColumnProto) string {
	if i >= len(t.Digits) {
		return t.Columns[i]
	}
	f := fixed{width: t.Digits[i].Width, scale: t.Digits[i].Scale}
	switch {
	case !f.known():
	case c.GetType().GetTypeKind() == resolved.TypeKind_TYPE_INT64:
		w.integers[c.GetColumnId()] = f.width
	case c.GetType().GetTypeKind() == resolved.TypeKind_TYPE_NUMERIC && w.keepsDigits && !f.isWide():
		f.text = column(c)
		w.decimals[c.GetColumnId()] = f
		return "CAST(" + quote.Name(t.Names[i]) + " AS " + f.typeName() + ")" // nothing to do, unless the table is another one by then
	}
	return t.Columns[i]
}

// leaving writes a column as the type that its values have for everybody else.
func (w *writer) leaving(c *resolved.ResolvedColumnProto) string {
	if f, ok := w.decimals[c.GetColumnId()]; ok {
		return f.wide()
	}
	return column(c)
}

// item writes an expression as a new column, which keeps the type of the expression.
func (w *writer) item(e *resolved.AnyResolvedExprProto, c *resolved.ResolvedColumnProto) string {
	if f, ok := w.fixed(e); ok && !f.try && !losesType(e) {
		w.keep(c, f)
		return f.text + " AS " + column(c)
	}
	return w.typed(e, w.expr(e)) + " AS " + column(c)
}

// keep notes the type of a new column.
func (w *writer) keep(c *resolved.ResolvedColumnProto, f fixed) {
	if !f.isWide() {
		f.text = column(c)
		w.decimals[c.GetColumnId()] = f
	}
}

// numeric writes a NUMERIC that is computed in fewer digits, as a DECIMAL(38,9).
func (w *writer) numeric(e *resolved.AnyResolvedExprProto) (string, bool) {
	if exprType(e).GetTypeKind() != resolved.TypeKind_TYPE_NUMERIC || e.GetResolvedLiteralNode() != nil {
		return "", false
	}
	f, ok := w.fixed(e)
	switch {
	case !ok:
		return "", false
	case f.try:
		return "coalesce(CAST(" + f.tried() + " AS DECIMAL(38,9)), " + w.exact(e) + ")", true
	}
	return f.wide(), true
}

// exact writes a NUMERIC that is computed in all its digits.
func (w *writer) exact(e *resolved.AnyResolvedExprProto) string {
	was := w.exactly
	w.exactly = true
	defer func() { w.exactly = was }()
	return w.expr(e)
}

// fixed writes a NUMERIC in as few digits as are enough; false for one that needs all of NUMERIC's.
func (w *writer) fixed(e *resolved.AnyResolvedExprProto) (fixed, bool) {
	if !w.keepsDigits || exprType(e).GetTypeKind() != resolved.TypeKind_TYPE_NUMERIC || w.unfixed[e] {
		return fixed{}, false
	}
	f, ok := w.fixedOf(e)
	if ok = ok && f.known() && !(f.try && !calm(f.text)); !ok && !w.exactly {
		w.unfixed[e] = true
	}
	return f, ok
}

func (w *writer) fixedOf(e *resolved.AnyResolvedExprProto) (fixed, bool) {
	switch n := e.GetNode().(type) {
	case *resolved.AnyResolvedExprProto_ResolvedLiteralNode:
		v, ok := n.ResolvedLiteralNode.GetValue().GetValue().GetValue().(*resolved.ValueProto_NumericValue)
		if !ok {
			return fixed{}, false
		}
		return fixedText(decimal(v.NumericValue, 9)), true
	case *resolved.AnyResolvedExprProto_ResolvedColumnRefNode:
		f, ok := w.decimals[n.ResolvedColumnRefNode.GetColumn().GetColumnId()]
		w.correlated = w.correlated || ok && n.ResolvedColumnRefNode.GetIsCorrelated()
		return f, ok
	case *resolved.AnyResolvedExprProto_ResolvedCastNode:
		return w.fixedCast(n.ResolvedCastNode)
	case *resolved.AnyResolvedExprProto_ResolvedSubqueryExprNode:
		s := n.ResolvedSubqueryExprNode
		if s.GetSubqueryType() != resolved.ResolvedSubqueryExprEnums_SCALAR {
			return fixed{}, false
		}
		text := w.subquery(s, place(e))
		f, ok := w.decimals[scanColumns(s.GetSubquery())[0].GetColumnId()]
		f.text = text
		return f, ok
	case *resolved.AnyResolvedExprProto_ResolvedFunctionCallBaseNode:
		f := n.ResolvedFunctionCallBaseNode.GetResolvedFunctionCallNode().GetParent()
		if f == nil || w.exactly || f.GetErrorMode() == resolved.ResolvedFunctionCallBaseEnums_SAFE_ERROR_MODE {
			return fixed{}, false
		}
		return w.fixedCall(f)
	}
	return fixed{}, false
}

// fixedText is a constant, in quotes as [decimal] gives it, in its own digits.
func fixedText(quoted string) fixed {
	whole, fraction, _ := strings.Cut(strings.Trim(quoted, "-'"), ".")
	f := fixed{width: len(strings.TrimLeft(whole, "0")) + len(fraction), scale: len(fraction)}
	f.width = max(f.width, 1)
	f.text = quoted + "::" + f.typeName()
	return f
}

// fixedCast is a whole number as a NUMERIC.
func (w *writer) fixedCast(c *resolved.ResolvedCastProto) (fixed, bool) {
	if exprType(c.GetExpr()).GetTypeKind() != resolved.TypeKind_TYPE_INT64 || c.GetReturnNullOnError() || c.GetFormat() != nil ||
		parameterised(c.GetTypeModifiers().GetTypeParameters()) {
		return fixed{}, false
	}
	width := 19
	if n, ok := integer(c.GetExpr()); ok {
		width = len(strconv.FormatInt(max(n, -n), 10))
	} else if r := c.GetExpr().GetResolvedColumnRefNode(); r != nil && w.integers[r.GetColumn().GetColumnId()] > 0 {
		width = w.integers[r.GetColumn().GetColumnId()]
	}
	f := fixed{width: width}
	f.text = "CAST(" + w.expr(c.GetExpr()) + " AS " + f.typeName() + ")"
	return f, true
}

// fixedCall is a call of one of the operators that keep decimals exact.
func (w *writer) fixedCall(c *resolved.ResolvedFunctionCallBaseProto) (fixed, bool) {
	name := functionName(c)
	isArithmetic := false
	first := 0 // of the arguments that are the value
	step := 1
	switch name {
	case "$add", "$subtract", "$multiply", "$unary_minus":
		isArithmetic = true
	case "ifnull", "coalesce":
	case "if", "$case_no_value":
		first, step = 1, 2
	default:
		return fixed{}, false
	}
	args := c.GetArgumentList()
	texts := make([]string, len(args))
	var values []fixed
	for i, a := range args {
		if isValue := i >= first && ((i-first)%step == 0 || i == len(args)-1 || name == "if"); !isValue {
			texts[i] = w.guarded(name, texts[:i], func() string { return w.expr(a) })
			continue
		}
		var f fixed
		var ok bool
		w.guarded(name, texts[:i], func() string { f, ok = w.fixed(a); return "" })
		if isNull(a) && !isArithmetic {
			f, ok = fixed{text: "NULL::DECIMAL(1,0)", width: 1}, true
		}
		if !ok {
			return fixed{}, false
		}
		texts[i] = f.text
		values = append(values, f)
	}
	if isArithmetic {
		return arithmetic(name, values)
	}
	r := widest(values)
	r.text = functions[name](&call{w: w, name: name, args: texts})
	return r, true
}

// arithmetic is what DuckDB makes of one or two decimals: in 18 digits if both have no more.
func arithmetic(name string, of []fixed) (fixed, bool) {
	if name == "$unary_minus" {
		of[0].text = "(- " + of[0].text + ")"
		return of[0], true
	}
	a, b := of[0], of[1]
	r := fixed{scale: max(a.scale, b.scale), try: a.try || b.try}
	operator := map[string]string{"$add": " + ", "$subtract": " - ", "$multiply": " * "}[name]
	if name == "$multiply" {
		r.scale = a.scale + b.scale
		r.width = a.width + b.width
	} else {
		r.width = max(a.whole(), b.whole()) + 1 + r.scale
	}
	if r.width > short && max(a.width, b.width) <= short {
		r.width, r.try = short, true
	}
	r.text = "(" + a.text + operator + b.text + ")"
	return r, r.known()
}

// widest has room for the digits of all.
func widest(of []fixed) fixed {
	var r fixed
	whole := 0
	for _, f := range of {
		whole, r.scale, r.try = max(whole, f.whole()), max(r.scale, f.scale), r.try || f.try
	}
	r.width = whole + r.scale
	return r
}

// calm reports whether a text may stand in TRY, which takes no subqueries and nothing that is to run but once.
func calm(text string) bool {
	if len(columnsIn(text)) == 0 {
		return false
	}
	text = strings.ReplaceAll(text, "system.main.mallard_googlesql_", "")
	return !slices.ContainsFunc([]string{"SELECT", "random(", "uuid(", "system.main.", "\x00"}, func(s string) bool {
		return strings.Contains(text, s)
	})
}

// comparing are the functions that tell the same of a decimal in any digits.
var comparing = map[string]bool{
	"$equal": true, "$not_equal": true, "$less": true, "$less_or_equal": true, "$greater": true, "$greater_or_equal": true, "$between": true,
	"$in": true, "$is_distinct_from": true, "$is_not_distinct_from": true, "$is_null": true,
	"count": true, "approx_count_distinct": true,
}

// operandOf writes an argument of a function: a decimal in its own digits where they tell the same.
func (w *writer) operandOf(function string, e *resolved.AnyResolvedExprProto) string {
	if comparing[function] {
		if f, ok := w.fixed(e); ok && !f.try {
			return f.text
		}
	}
	return w.expr(e)
}
