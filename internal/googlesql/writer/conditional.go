package writer

import (
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// An argument of IF, CASE, COALESCE or IFNULL that is not needed may not fail. DuckDB computes aggregates, window functions and
// subqueries before the expression around them. So an aggregate on which an expression depends conditionally (the analyzer calls
// it deferred) leaves a STRUCT of what DuckDB's functions gave and of a row whose arguments fail, and the expression makes its
// value, or the error, of that; and a subquery there has rows only if its branch is taken.

// deferred is an aggregate or window function whose value is made where it is needed.
type deferred struct {
	column string   // of the STRUCT
	parts  []string // its fields
}

// capture makes a field of the STRUCT of what an aggregate function of DuckDB's gives, in a deferred call.
func (c *call) capture(text string) string {
	if c.deferred == nil {
		return text
	}
	name := "f" + strconv.Itoa(len(c.deferred.parts))
	c.deferred.parts = append(c.deferred.parts, name+" := "+text)
	return "(" + c.deferred.column + "." + name + ")"
}

var columnName = regexp.MustCompile(`\bc\d+\b`)

// defers prepares the arguments of a deferred call: one that fails is NULL, and a row in which one does is kept. It gives the
// expression that fails as the arguments do over that row.
func (c *call) defers(d *resolved.ResolvedDeferredComputedColumnProto, input []*resolved.ResolvedColumnProto) (failure string) {
	c.deferred = &deferred{column: column(d.GetSideEffectColumn())}
	known := map[string]bool{}
	for _, k := range input {
		known[column(k)] = true
	}
	var computed, fields []string
	of := map[int]string{}
	used := map[string]bool{}
	for i, x := range c.args {
		if c.exprs[i].GetResolvedLiteralNode() != nil || c.exprs[i].GetResolvedColumnRefNode() != nil || !tryable(x) ||
			strings.HasPrefix(x, localName) {
			continue
		}
		of[i] = "a" + strconv.Itoa(len(of))
		computed = append(computed, of[i]+" := "+x)
		for _, name := range columnName.FindAllString(x, -1) {
			if known[name] && !used[name] {
				used[name] = true
				fields = append(fields, name)
			}
		}
	}
	if len(computed) == 0 {
		return ""
	}
	// All of them in one text: DuckDB computes what stands in two such texts before either.
	all := "struct_pack(" + strings.Join(computed, ", ") + ")"
	for i, field := range of {
		c.args[i] = "(TRY(" + all + ")." + field + ")"
	}
	row := []string{"failed := true"}
	for _, f := range fields {
		row = append(row, f+" := "+f)
	}
	bad := c.fold(fold{name: "any_value", args: "struct_pack(" + strings.Join(row, ", ") + ")", filter: "TRY(" + all + ") IS NULL", all: true})
	failure = "(" + all + " IS NULL)"
	for _, f := range fields {
		failure = "list_transform([" + bad + "." + f + "], lambda " + f + ": " + failure + ")[1]"
	}
	return "CASE WHEN " + bad + " IS NOT NULL THEN " + failure + " END"
}

// tryable reports whether TRY takes an expression.
func tryable(text string) bool {
	return !strings.Contains(text, "SELECT") && !strings.Contains(text, "error(") && !strings.Contains(text, "random(") &&
		!strings.Contains(text, "uuid(")
}

// later notes how the value of a deferred call is made, and gives the column of its parts.
func (c *call) later(value, failure string) string {
	if failure != "" {
		value = "CASE WHEN " + failure + " THEN NULL ELSE " + value + " END"
	}
	if c.w.deferred == nil {
		c.w.deferred = map[string]string{}
	}
	c.w.deferred[c.deferred.column] = value
	return "struct_pack(" + strings.Join(append([]string{"present := true"}, c.deferred.parts...), ", ") + ")"
}

// withSideEffects writes the value of a deferred call.
func withSideEffects(c *call) string {
	if value, ok := c.w.deferred[c.args[1]]; ok {
		return value
	}
	c.refuse("an aggregate that is computed on demand")
	return ""
}

// guard gives the condition under which an argument of a call is needed, from the texts of those before it; "" for always.
func guard(name string, args []string, i int) string {
	not := func(tests []string) string {
		var all []string
		for _, t := range tests {
			all = append(all, "("+t+") IS NOT TRUE")
		}
		return strings.Join(all, " AND ")
	}
	switch name {
	case "if":
		switch i {
		case 1:
			return "(" + args[0] + ")"
		case 2:
			return not(args[:1])
		}
	case "ifnull", "coalesce":
		var all []string
		for _, a := range args[:i] {
			all = append(all, "("+a+") IS NULL")
		}
		return strings.Join(all, " AND ")
	case "$case_no_value", "$case_with_value":
		first := 0
		if name == "$case_with_value" {
			first = 1
		}
		var tests []string
		test := func(k int) string {
			if first == 1 {
				return args[0] + " = " + args[k]
			}
			return args[k]
		}
		k := first
		for ; k+1 < i; k += 2 {
			tests = append(tests, test(k))
		}
		parts := []string{}
		if t := not(tests); t != "" {
			parts = append(parts, t)
		}
		if k+1 == i {
			parts = append(parts, "("+test(k)+")")
		}
		return strings.Join(parts, " AND ")
	}
	return ""
}

// guarded writes an argument of a call that is computed only under a condition, if the call is such a one; args are the texts of
// those before it.
func (w *writer) guarded(name string, args []string, write func() string) string {
	w.guards = append(w.guards, func() string { return guard(name, args, len(args)) })
	defer func() { w.guards = w.guards[:len(w.guards)-1] }()
	return write()
}

// leaf ends a scan without input: one of a subquery that is not always needed has rows only when it is.
func (w *writer) leaf(text string) string {
	if w.needed == "" {
		return text
	}
	return text + " WHERE " + w.needed
}

// conditionally writes the query of a subquery expression, under the conditions around it where it may fail.
func (w *writer) conditionally(s *resolved.ResolvedSubqueryExprProto, write func() string) string {
	if len(w.guards) == 0 || !mayFail(s, overflows) { // a query for each row is too dear against an overflow
		return write()
	}
	guards, needed := w.guards, w.needed
	var conditions []string
	for _, g := range guards {
		if condition := g(); condition != "" {
			conditions = append(conditions, condition)
		}
	}
	if len(conditions) == 0 {
		return write()
	}
	if needed != "" {
		conditions = append([]string{needed}, conditions...)
	}
	w.needed, w.guards = strings.Join(conditions, " AND "), nil
	defer func() { w.guards, w.needed = guards, needed }()
	return write()
}

// total are functions that do not fail; those of overflows fail only where a result has no place in its type.
var total, overflows = map[string]bool{}, map[string]bool{}

func init() {
	for name := range strings.FieldsSeq("$add $subtract $multiply $unary_minus abs sum avg round floor ceil trunc") {
		overflows[name] = true
	}
	for name := range strings.FieldsSeq(`$and $or $not $is_null $is_true $is_false $equal $not_equal $less $less_or_equal $greater
		$greater_or_equal $between $in $in_array $like $not_like $is_distinct_from $is_not_distinct_from $make_array $case_no_value
		$case_with_value if ifnull coalesce nullif greatest least concat lower upper length trim ltrim rtrim starts_with ends_with strpos
		reverse sign safe_divide array_length array_concat array_reverse $count_star count countif min max any_value array_agg string_agg
		logical_and logical_or row_number rank dense_rank first_value last_value lead lag $safe_array_at_offset $safe_array_at_ordinal
		extract format_date format_timestamp to_json_string`) {
		total[name] = true
	}
}

// mayFail reports whether something in a tree may be an error for some of its values. but are functions that count as total.
func mayFail(m proto.Message, but map[string]bool) bool {
	switch n := m.(type) {
	case *resolved.ResolvedFunctionCallBaseProto:
		name := strings.ToLower(strings.TrimPrefix(n.GetFunction().GetName(), "ZetaSQL:"))
		if !total[name] && !but[name] && n.GetErrorMode() != resolved.ResolvedFunctionCallBaseEnums_SAFE_ERROR_MODE {
			return true
		}
	case *resolved.ResolvedCastProto:
		if !n.GetReturnNullOnError() && exprType(n.GetExpr()).GetTypeKind() == resolved.TypeKind_TYPE_STRING {
			return true
		}
	case *resolved.ResolvedNodeProto, *resolved.TypeProto, *resolved.FunctionSignatureProto:
		return false
	}
	found := false
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				found = found || mayFail(v.List().Get(i).Message().Interface(), but)
			}
		default:
			found = mayFail(v.Message().Interface(), but)
		}
		return !found
	})
	return found
}
