package writer

import "strings"

// fold is a call of an aggregate function of DuckDB's.
type fold struct {
	name, args string
	filter     string // which rows count; "" for all
	all        bool   // also over rows of equal values, where the call has DISTINCT
}

// fold writes an aggregate function with the call's DISTINCT and ORDER BY, over the group or the call's window.
func (c *call) fold(f fold) string {
	text := f.name + "("
	if c.distinct && !f.all && f.args != "*" {
		text += "DISTINCT "
	}
	text += f.args
	if c.order != "" && (f.name == "list" || f.name == "string_agg") {
		text += " " + c.order
	}
	text += ")"
	return c.capture(text + c.where(f.filter) + c.window())
}

// window is the OVER clause; "" for an aggregate.
func (c *call) window() string {
	if c.analytic == nil {
		return ""
	}
	return " OVER (" + c.over + ")"
}

// foldOf makes an entry for an aggregate function of DuckDB's with the same arguments.
func foldOf(name string) entry {
	return func(c *call) string { return c.fold(fold{name: name, args: strings.Join(c.args, ", ")}) }
}

func (c *call) notNull() string { return c.args[0] + " IS NOT NULL" }

// where is the clause that narrows the rows which a call reads, by its own condition and one of the function; "" for all.
func (c *call) where(condition string) string {
	switch {
	case c.filter != "" && condition != "":
		condition = c.filter + " AND (" + condition + ")"
	case condition == "":
		condition = c.filter
	}
	if condition == "" {
		return ""
	}
	return " FILTER (WHERE " + condition + ")"
}
