package planner

import (
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
)

// leftOut are the columns of a table whose types GoogleSQL lacks.
func leftOut(all []Column) (names []string) {
	for _, c := range all {
		if _, err := c.Type.GoogleSQL(); err != nil {
			names = append(names, c.Name)
		}
	}
	return names
}

// tellLeftOut says which columns a * of the statement has not.
func (ex *expander) tellLeftOut(text string) {
	if len(ex.left) == 0 || ex.plan == nil || !hasStar(text) {
		return
	}
	notice := "Left out of *, since GoogleSQL has no type for them: " + strings.Join(ex.left, ", ") + "."
	ex.plan.Notice = strings.TrimSpace(ex.plan.Notice + " " + notice)
}

// hasStar reports whether a statement selects with a *: that of a product or of COUNT(*) stands behind something else.
func hasStar(text string) bool {
	before := "SELECT"
	for _, l := range dialect.Lexemes(text) {
		if l.Text == "*" && !l.Quoted {
			switch before {
			case "SELECT", "DISTINCT", "ALL", ",", ".":
				return true
			}
		}
		before = strings.ToUpper(l.Text)
	}
	return false
}
