package writer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// call is a call of a function of GoogleSQL's, with its arguments written.
type call struct {
	w      *writer
	at     *resolved.ParseLocationRangeProto
	name   string // lower-case: $add, concat, net.host
	args   []string
	types  []googlesql.Type
	exprs  []*resolved.AnyResolvedExprProto
	result googlesql.Type
	safe   bool // SAFE.name(…): NULL for an error

	// Of aggregate and window functions.
	aggregate   *resolved.ResolvedAggregateFunctionCallProto
	analytic    *resolved.ResolvedAnalyticFunctionCallProto
	distinct    bool
	ignoreNulls bool
	order       string // ORDER BY … of an aggregate function, or ""
	filter      string // the condition on the rows of an aggregate function, or ""
	over        string // the window
	deferred    *deferred
}

// entry writes a call.
type entry func(c *call) string

// The entries of all functions, by name. function.go fills these tables.
var (
	functions  map[string]entry // scalar functions
	temporal   map[string]entry // operators over dates, times and intervals
	aggregates map[string]entry // functions that stand over groups and over windows
	analytics  map[string]entry // functions that stand over windows: the aggregates, too
)

// call writes the arguments of a function call.
func (w *writer) call(f *resolved.ResolvedFunctionCallBaseProto) *call {
	c := &call{
		w: w, at: location(f.GetParent().GetParent()), exprs: f.GetArgumentList(), result: analyzer.TypeOf(f.GetParent().GetType()),
		name: functionName(f),
		safe: f.GetErrorMode() == resolved.ResolvedFunctionCallBaseEnums_SAFE_ERROR_MODE,
	}
	for _, g := range f.GetGenericArgumentList() {
		if g.GetExpr() == nil {
			refuse(c.at, "the function %s with a lambda", strings.ToUpper(c.name))
		}
		c.exprs = append(c.exprs, g.GetExpr())
	}
	for _, a := range c.exprs {
		c.args = append(c.args, w.guarded(c.name, c.args, func() string { return w.operandOf(c.name, a) }))
		c.types = append(c.types, typeOf(a))
	}
	return c
}

// functionName is the name of a function as the tables have it.
func functionName(f *resolved.ResolvedFunctionCallBaseProto) string {
	return strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(f.GetFunction().GetName(), "ZetaSQL:"), "mallard:"))
}

func (c *call) write(table map[string]entry) string {
	if text, ok := c.construct(); ok {
		return text
	}
	f := table[c.name]
	if f == nil {
		refuse(c.at, "the function %s", strings.ToUpper(strings.TrimPrefix(c.name, "$")))
	}
	if c.safe {
		return c.safely(f)
	}
	return c.whole(f(c))
}

// refuse ends the writing: the call has a form that is not there.
func (c *call) refuse(format string, args ...any) { refuse(c.at, format, args...) }

var argument = regexp.MustCompile(`\$(\d|\*|type)|@(\w+)`)

// simple matches what may stand twice in a text, since it costs nothing to compute again.
var simple = regexp.MustCompile(`^(c\d+|x\d+(\.a\d+)?|-?\d+(::\w+)?|'[^']{0,20}'(::\w+)?|true|false|NULL::\w+)$`)

// template makes an entry of a text in which $1, $2, … are the arguments, $* is all of them and $type the DuckDB type of the
// result. @name( begins a call of a native function. An argument that stands twice is computed once.
func template(text string) entry {
	count := map[string]int{}
	for _, m := range argument.FindAllStringSubmatch(text, -1) {
		count[m[1]]++
	}
	twice := false
	for k, n := range count {
		twice = twice || n > 1 && k != "type" && k != ""
	}
	fill := func(c *call, args []string) string {
		return argument.ReplaceAllStringFunc(text, func(m string) string {
			if native, ok := strings.CutPrefix(m, "@"); ok {
				return c.w.native(native)
			}
			switch m {
			case "$*":
				return strings.Join(args, ", ")
			case "$type":
				return duckType(c.at, c.result)
			}
			i, _ := strconv.Atoi(m[1:])
			if i < 1 || i > len(args) {
				c.refuse("the function %s with %d arguments", strings.ToUpper(c.name), len(args))
			}
			return args[i-1]
		})
	}
	return func(c *call) string {
		if !twice {
			return fill(c, c.args)
		}
		return c.let(func(args []string) string { return fill(c, args) })
	}
}

// let writes a text in which arguments may stand several times: those that cost something are the parameters of a lambda.
func (c *call) let(body func(args []string) string) string { return c.letOthers(nil, body) }

// letOthers is let, but for some arguments that stay where they are.
func (c *call) letOthers(keep map[int]string, body func(args []string) string) string {
	return c.once(func(i int) bool {
		_, kept := keep[i]
		return kept || repeatable(c.args[i])
	}, body)
}

// once writes a text in which the arguments are the parameter of a lambda, or its fields, but for those that stay. Several
// stand side by side in a STRUCT: one lambda inside another could not have a subquery as its argument.
func (c *call) once(stays func(i int) bool, body func(args []string) string) string {
	args := append([]string(nil), c.args...)
	var bound []int
	for i := range args {
		if !stays(i) {
			bound = append(bound, i)
		}
	}
	if len(bound) == 0 {
		return body(args)
	}
	x := c.w.bind()
	value := args[bound[0]]
	args[bound[0]] = x
	if len(bound) > 1 {
		fields := make([]string, len(bound))
		for k, i := range bound {
			fields[k] = fmt.Sprintf("a%d := %s", k, c.args[i])
			args[i] = fmt.Sprintf("%s.a%d", x, k)
		}
		value = "struct_pack(" + strings.Join(fields, ", ") + ")"
	}
	return "list_transform([" + value + "], lambda " + x + ": " + body(args) + ")[1]"
}

// safely writes a text that is NULL where it would be an error. An error of an argument stays one.
func (c *call) safely(f entry) string {
	args := c.args
	defer func() { c.args = args }()
	return c.once(func(i int) bool {
		return i < len(c.exprs) && (c.exprs[i].GetResolvedLiteralNode() != nil || c.exprs[i].GetResolvedColumnRefNode() != nil)
	}, func(bound []string) string {
		c.args = bound
		return "TRY(" + f(c) + ")"
	})
}

// repeatable reports whether a text may stand twice: DuckDB computes it once, or it costs little.
func repeatable(text string) bool {
	return simple.MatchString(text) || len(text) < 100 && !strings.Contains(text, "SELECT") && !strings.Contains(text, "random(") &&
		!strings.Contains(text, "uuid(") && !strings.Contains(text, "list_transform(")
}

// native makes an entry for a function of DuckDB's with the same arguments.
func native(name string) entry { return template(name + "($*)") }

// goFunction makes an entry for a native function of ours (package functions/googlesql) with the same arguments.
func goFunction(name string) entry {
	return func(c *call) string { return c.w.native(name) + "(" + strings.Join(c.args, ", ") + ")" }
}

// native notes that the statement calls a native function, and gives its name as a call writes it.
func (w *writer) native(name string) string {
	w.natives[name] = true
	if w.names.Function != nil {
		return w.names.Function(name)
	}
	return name
}

// operator makes an entry for an infix operator.
func operator(op string) entry { return template("($1 " + op + " $2)") }

func merge(tables ...map[string]entry) map[string]entry {
	all := map[string]entry{}
	for _, t := range tables {
		for name, f := range t {
			if all[name] != nil {
				panic("two entries of " + name)
			}
			all[name] = f
		}
	}
	return all
}

// whole writes a call so that all its operands are computed: DuckDB leaves out the others where one is a constant NULL, and they
// may be errors.
func (c *call) whole(text string) string {
	if !strict[c.name] || !slices.ContainsFunc(c.exprs, func(e *resolved.AnyResolvedExprProto) bool {
		return closed(e) && (e.GetResolvedLiteralNode() == nil || isNull(e))
	}) {
		return text
	}
	for i, e := range c.exprs {
		if e.GetResolvedFunctionCallBaseNode() == nil || len(c.args[i]) > maxTwice || !mayFail(e, nil) {
			continue
		}
		null := c.args[i] // no constant, or the two branches would be the same to DuckDB
		if !c.types[i].Equal(c.result) {
			null = "(" + c.args[i] + " = " + c.args[i] + ")"
			if c.result.Kind != googlesql.Bool {
				continue
			}
		}
		text = "CASE WHEN " + c.args[i] + " IS NULL THEN " + null + " ELSE " + text + " END"
	}
	return text
}

// maxTwice bounds what whole writes twice.
const maxTwice = 2000

// strict are the operators that are NULL where an operand is.
var strict = map[string]bool{
	"$add": true, "$subtract": true, "$multiply": true, "$divide": true, "div": true, "mod": true, "$unary_minus": true, "$concat_op": true,
	"concat": true,
	"$equal": true, "$not_equal": true, "$less": true, "$less_or_equal": true, "$greater": true, "$greater_or_equal": true,
	"$bitwise_and": true, "$bitwise_or": true, "$bitwise_xor": true, "$bitwise_left_shift": true, "$bitwise_right_shift": true,
}

// withDefault makes an entry of a native function of n arguments, of which the last may be left out.
func withDefault(name string, n int, otherwise string) entry {
	return func(c *call) string {
		args := c.args
		if len(args) < n {
			args = append(args[:len(args):len(args)], otherwise)
		}
		return c.w.native(name) + "(" + strings.Join(args, ", ") + ")"
	}
}

// fail writes an expression that is an error where it is computed.
func fail(message, as string) string { return "CAST(error(" + text(message) + ") AS " + as + ")" }
