package planner

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/quote"
)

// table is a query that gives rows of constants.
type table struct {
	name    string
	columns []string // "name TYPE"
	key     string   // a column that is never NULL
	rows    strings.Builder
}

// row adds a row of expressions.
func (t *table) row(values ...string) { t.rows.WriteString("(" + strings.Join(values, ", ") + "), ") }

// String is the query. The last row, which the condition removes, gives the columns their types; VALUES needs one, too.
func (t *table) String() string {
	names, nulls := make([]string, len(t.columns)), make([]string, len(t.columns))
	for i, c := range t.columns {
		name, of, _ := strings.Cut(c, " ")
		names[i], nulls[i] = name, "NULL::"+of
	}
	return "SELECT * FROM (VALUES " + t.rows.String() + "(" + strings.Join(nulls, ", ") + ")) AS " +
		t.name + "(" + strings.Join(names, ", ") + ") WHERE " + t.key + " IS NOT NULL"
}

func textOrNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return quote.Text(s)
}

func number(i int64) string { return strconv.FormatInt(i, 10) }

func numberOrNull(i int) string {
	if i == 0 {
		return "NULL"
	}
	return strconv.Itoa(i)
}

// moneyOrNull is NULL where no price is known.
func moneyOrNull(f float64, known bool) string {
	if !known {
		return "NULL::DOUBLE"
	}
	return fmt.Sprintf("%g::DOUBLE", f)
}

func timeText(t interface{ Format(string) string }) string {
	return "TIMESTAMPTZ " + quote.Text(t.Format("2006-01-02 15:04:05.000Z07:00"))
}

func labelsText(m map[string]string) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for i, k := range keys {
		keys[i] = quote.Text(k) + ": " + quote.Text(m[k])
	}
	return "MAP {" + strings.Join(keys, ", ") + "}"
}
