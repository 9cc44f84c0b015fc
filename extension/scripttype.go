package extension

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
)

// parameterizedType is what the parameters of a variable's type demand of its values
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types). They are no part of the type.
type parameterizedType struct {
	name             string
	of               googlesql.Type
	precision, scale int // of a text the first is its length
}

var parameterized = regexp.MustCompile(`^\s*\w+\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)\s*$`)

// parametersOf reads the parameters of a type as it is written; nil where it has none.
func parametersOf(written string, t googlesql.Type) (*parameterizedType, error) {
	m := parameterized.FindStringSubmatch(written)
	if m == nil {
		if strings.ContainsRune(written, '(') {
			return nil, errors.New("parameters of a type inside ARRAY or STRUCT are not supported in DECLARE")
		}
		return nil, nil
	}
	p := &parameterizedType{name: strings.Join(strings.Fields(strings.ToUpper(written)), " "), of: t}
	p.precision, _ = strconv.Atoi(m[1])
	p.scale, _ = strconv.Atoi(m[2])
	return p, nil
}

// checked writes a query whose only value satisfies the type, or which fails.
func (p *parameterizedType) checked(sql string) string {
	value, holds := "x", fmt.Sprintf("length(x) <= %d", p.precision)
	switch p.of.Kind {
	case googlesql.Bytes:
		holds = fmt.Sprintf("octet_length(x) <= %d", p.precision)
	case googlesql.Numeric, googlesql.BigNumeric:
		value = fmt.Sprintf("CAST(round(x, %d) AS %s)", p.scale, p.of.DuckDB())
		holds = fmt.Sprintf("abs(round(x, %d)) < CAST('1e%d' AS DOUBLE)", p.scale, p.precision-p.scale)
	}
	return fmt.Sprintf("SELECT CASE WHEN x IS NULL OR %s THEN %s ELSE error(%s) END FROM (%s) AS t(x)", holds, value,
		quote.Text("The value is too large for the type "+p.name), sql)
}
