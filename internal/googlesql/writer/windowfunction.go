package writer

import (
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// windowFunctions are the functions that stand over windows only.
func windowFunctions() map[string]entry {
	return map[string]entry{
		"row_number":   windowOf("row_number"),
		"rank":         windowOf("rank"),
		"dense_rank":   windowOf("dense_rank"),
		"percent_rank": windowOf("percent_rank"),
		"cume_dist":    windowOf("cume_dist"),
		"ntile":        ntile,
		"lead":         shifted("lead"),
		"lag":          shifted("lag"),
		"first_value":  windowOf("first_value"),
		"last_value":   windowOf("last_value"),
		"nth_value":    nthValue,
	}
}

// windowOf makes an entry for a window function of DuckDB's.
func windowOf(name string) entry {
	return func(c *call) string {
		nulls := ""
		if c.ignoreNulls {
			nulls = " IGNORE NULLS"
		}
		return c.capture(name + "(" + strings.Join(c.args, ", ") + nulls + ")" + c.window())
	}
}

// positive puts the check of a count before it.
func (c *call) positive(i int, message string) {
	if n, ok := integer(c.exprs[i]); ok && n > 0 {
		return
	}
	x := c.args[i]
	c.args[i] = "CASE WHEN " + x + " > 0 THEN " + x + " ELSE " + fail(message, "BIGINT") + " END"
}

func ntile(c *call) string {
	c.positive(0, "The N value (number of buckets) for the NTILE function must be positive")
	return windowOf("ntile")(c)
}

func nthValue(c *call) string {
	c.positive(1, "The N value for the NTH_VALUE function must be positive")
	return windowOf("nth_value")(c)
}

// shifted makes an entry of LEAD or LAG, whose offset is not negative.
func shifted(name string) entry {
	return func(c *call) string {
		if len(c.args) > 1 {
			if n, ok := integer(c.exprs[1]); !ok || n < 0 {
				x := c.args[1]
				c.args[1] = "CASE WHEN " + x + " >= 0 THEN " + x + " ELSE " +
					fail("The offset to the function "+strings.ToUpper(name)+" must not be negative", "BIGINT") + " END"
			}
		}
		if len(c.args) > 2 && !constant(c.exprs[2]) {
			c.refuse("%s with a default that is no constant", strings.ToUpper(name))
		}
		return windowOf(name)(c)
	}
}

// constant reports whether an expression is a constant, a parameter or a CAST of one.
func constant(e *resolved.AnyResolvedExprProto) bool {
	if cast := e.GetResolvedCastNode(); cast != nil {
		return constant(cast.GetExpr())
	}
	return e.GetResolvedLiteralNode() != nil || e.GetResolvedParameterNode() != nil || e.GetResolvedArgumentRefNode() != nil ||
		e.GetResolvedConstantNode() != nil
}
