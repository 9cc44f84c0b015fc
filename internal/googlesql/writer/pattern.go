package writer

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// patterns are LIKE and the functions of regular expressions.
var patterns = map[string]entry{
	"$like":               func(c *call) string { return c.like(c.args[0], 1, c.args[1]) },
	"$like_any":           likes(" OR ", ""),
	"$like_all":           likes(" AND ", ""),
	"$not_like_any":       likes(" OR ", "NOT "),
	"$not_like_all":       likes(" AND ", "NOT "),
	"$like_any_array":     likeArray("false, false"),
	"$like_all_array":     likeArray("false, true"),
	"$not_like_any_array": likeArray("true, false"),
	"$not_like_all_array": likeArray("true, true"),
	"regexp_contains":     regexpContains,
	"regexp_extract":      regexpFrom("regexp_extract", 4),
	"regexp_substr":       regexpFrom("regexp_extract", 4),
	"regexp_extract_all":  overloaded("regexp_extract_all"),
	"regexp_instr":        regexpFrom("regexp_instr", 5),
	"regexp_replace":      overloaded("regexp_replace"),
}

// constant gives the value of an argument that is a constant text.
func (c *call) constant(i int) (string, bool) {
	v, ok := c.exprs[i].GetResolvedLiteralNode().GetValue().GetValue().GetValue().(*resolved.ValueProto_StringValue)
	if !ok {
		return "", false
	}
	return v.StringValue, true
}

// like writes x LIKE the argument i, whose text is arg: DuckDB's when the pattern is a constant without escapes, which
// it turns into a prefix or the like.
func (c *call) like(x string, i int, arg string) string {
	if pattern, ok := c.constant(i); ok && !strings.ContainsAny(pattern, "\\\x00") {
		return "(" + x + " LIKE " + arg + ")"
	}
	return c.forBytes("like") + "(" + x + ", " + arg + ")"
}

// likes makes an entry of LIKE ANY or ALL: one LIKE after the other where x costs nothing to compute again, so that DuckDB sees
// what each is. Many are one array.
func likes(operator, not string) entry {
	return func(c *call) string {
		if !simple.MatchString(c.args[0]) || len(c.args) > maxLikes {
			patterns := &call{w: c.w, at: c.at, types: c.types, args: []string{c.args[0], "[" + strings.Join(c.args[1:], ", ") + "]"}}
			return likeArray(strconv.FormatBool(not != "") + ", " + strconv.FormatBool(operator == " AND "))(patterns)
		}
		parts := make([]string, len(c.args)-1)
		for i := range parts {
			parts[i] = not + c.like(c.args[0], i+1, c.args[i+1])
		}
		return "(" + strings.Join(parts, operator) + ")"
	}
}

// maxLikes is how many LIKEs stand side by side: DuckDB takes time by the square for them.
const maxLikes = 1000

// likeArray makes an entry of LIKE over an array of patterns.
func likeArray(how string) entry {
	return func(c *call) string {
		return c.forBytes("like_array") + "(" + c.args[0] + ", coalesce(" + c.args[1] + ", []), " + how + ")"
	}
}

// regexpContains is DuckDB's, which is RE2 as well, when the expression is a constant that Go reads, too.
func regexpContains(c *call) string {
	if pattern, ok := c.constant(1); ok && !strings.Contains(pattern, "\x00") && !strings.Contains(pattern, "(?<") {
		if _, err := regexp.Compile(pattern); err == nil {
			return "regexp_matches(" + c.args[0] + ", " + c.args[1] + ")"
		}
	}
	return overloaded("regexp_contains")(c)
}

// regexpFrom makes an entry of n arguments, of which position and occurrence are 1 when they are left out, and the fifth 0.
func regexpFrom(name string, n int) entry {
	return func(c *call) string {
		args := append(c.args[:len(c.args):len(c.args)], []string{"1", "1", "0"}[len(c.args)-2:]...)
		return c.forBytes(name) + "(" + strings.Join(args[:n], ", ") + ")"
	}
}
