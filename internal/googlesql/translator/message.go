package translator

import (
	"math/big"
	"regexp"
	"strings"
)

// said are what DuckDB says of values at run time, and what BigQuery says there; $1, $2 are the values.
var said = []struct {
	duckdb *regexp.Regexp
	google string
}{
	{regexp.MustCompile(`^Out of Range Error: Overflow in addition of INT64 \((-?\d+) \+ (-?\d+)\)!`), "int64 overflow: $1 + $2"},
	{regexp.MustCompile(`^Out of Range Error: Overflow in subtraction of INT64 \((-?\d+) - (-?\d+)\)!`), "int64 overflow: $1 - $2"},
	{regexp.MustCompile(`^Out of Range Error: Overflow in multiplication of INT64 \((-?\d+) \* (-?\d+)\)!`), "int64 overflow: $1 * $2"},
	{regexp.MustCompile(`^Out of Range Error: Overflow (?:in negation of numeric value!|on abs\(-9223372036854775808\))`),
		"int64 overflow: --9223372036854775808"},
	{regexp.MustCompile(`^Conversion Error: Type INT128 with value (-?\d+) can't be cast because the value is out of range for the ` +
		`destination type INT64.*`), "int64 overflow"},
	{regexp.MustCompile(`^Out of Range Error: Overflow in HUGEINT (?:addition|multiplication|subtraction).*`), "numeric overflow"},
	{regexp.MustCompile(`^Out of Range Error: (?:STDDEV|VAR|COVAR|CORR)\w*(?: for [XY])? is out of range!`), "double overflow"},
	{regexp.MustCompile(`^Out of Range Error: Invalid RANGE FOLLOWING value`), infiniteOffset + "FOLLOWING on an ascending partition"},
	{regexp.MustCompile(`^Out of Range Error: Invalid RANGE PRECEDING value`), infiniteOffset + "PRECEDING on a descending partition"},
	{regexp.MustCompile(`^Invalid Input Error: More than one row returned by a subquery used as an expression(?s:.*)`),
		"Scalar subquery produced more than one element"},
	{regexp.MustCompile(`^Invalid Input Error: CSV Error on Line: (\d+)(?s:.*?)(Expected Number of Columns: \d+ Found: \d+)(?s:.*)`),
		"Error while reading data, error message: CSV, line $1: $2"},
	{regexp.MustCompile(`^Invalid Input Error: CSV Error on Line: (\d+)\n(?:Original Line: .*\n)?(.*)(?s:.*)`),
		"Error while reading data, error message: CSV, line $1: $2"},
	{regexp.MustCompile(`^Invalid Input Error: (.*)`), "$1"},
	{regexp.MustCompile(`^Constraint Error: NOT NULL constraint failed: (?:\S+\.)?(\S+)`), "Required field $1 cannot be null"},
	{regexp.MustCompile(`^Constraint Error: CHECK constraint failed on table (\S+) ` +
		`with expression CHECK\(\(?(?:length|octet_length)\((?:struct_extract\(.*, '([^']+)'\)|"([^"]+)"|([^")]+))\).*`),
		"Field $2$3$4 of table $1: maximum length exceeded"},
	{regexp.MustCompile(`^Binder Error: Cannot change the type of a column that has a CHECK constraint specified(?s:.*)`),
		"SET DATA TYPE of a column with a length, which DuckDB does not change, is not translated from GoogleSQL to DuckDB"},
	{regexp.MustCompile(`^Constraint Error: CHECK constraint failed on table \S+ ` +
		`with expression CHECK\(.*(?:struct_extract\(.*, '([^']+)'\) IS NOT NULL|list_contains\(.*\."([^"]+)"').*`),
		"Required field $1$2 cannot be null"},
	{regexp.MustCompile(`^Catalog Error: View with name "?([^"]+?)\(\)"? already exists!`), "Already Exists: Routine $1"},
	{regexp.MustCompile(`^Catalog Error: View with name "?([^"]+?)\(\)"? does not exist!(?s:.*)`), "Not found: Routine $1"},
	{regexp.MustCompile(`^Catalog Error: Existing object (\S+) is of type (\w+), trying to drop type (\w+)(?s:.*)`),
		"Cannot drop $1, which has type $2. An object of type $3 was expected"},
	{regexp.MustCompile(`^Catalog Error: (\S+) is not an table`),
		"$1 is not allowed for this operation because it is not a table: " + viewRows},
	{regexp.MustCompile(`^Binder Error: Can only (?:update|delete from|merge into) base tables?!?`),
		"This operation is for tables only: " + viewRows},
	{regexp.MustCompile(`^Catalog Error: Can only modify view with ALTER VIEW statement`),
		"ALTER TABLE is for tables only: CREATE OR REPLACE changes a view or an external table"},
	{regexp.MustCompile(`^Dependency Error: Cannot drop entry "([^"]+)" because there are entries that depend on it(?s:.*)`),
		"Dataset $1 is still in use"},
	{regexp.MustCompile(`^Conversion Error: Casting value "(-?[\d.]+)" to type DECIMAL\((\d+),(\d+)\) failed: value is out of range!(?s:.*)`),
		"Value $1 has more digits than NUMERIC($2, $3)"},
	{regexp.MustCompile(`^Catalog Error: (Table|View|Schema) with name "?([^"]+?)"? already exists!`), "Already Exists: $1 $2"},
	{regexp.MustCompile(`^Catalog Error: Could not rename "[^"]+" to "([^"]+)": another entry with this name already exists!`),
		"Already Exists: Table $1"},
	{regexp.MustCompile(`^Catalog Error: (Table|View|Schema) with name "?([^"]+?)"? does not exist!(?s:.*)`), "Not found: $1 $2"},
	{regexp.MustCompile(`^Binder Error: Catalog "([^"]+)" does not exist!`), "Not found: Project $1"},
	{regexp.MustCompile(`^Dependency Error: Cannot alter entry "([^"]+)" because there are entries that depend on it(?s:.*)`),
		"The table $1 cannot be altered: an index or another table depends on it"},
}

// infiniteOffset is what is left of the offsets that DuckDB refuses, since their signs are looked at before.
const infiniteOffset = "Offset value cannot be positive infinity when there exists a negative infinity order key for an offset "

// viewRows is why DML is refused on what DuckDB keeps as a view.
const viewRows = "the rows of a view or an external table cannot be changed"

var decimalOverflow = regexp.MustCompile(`^Out of Range Error: Overflow in (addition|subtract|subtraction) of` +
	` DECIMAL\(38\) \((-?\d+) [+-] (-?\d+)\)`)

// Message gives what DuckDB says of a value of a translated statement in the words of BigQuery; other texts stay.
func Message(s string) string {
	if m := decimalOverflow.FindStringSubmatch(s); m != nil {
		sign := " - "
		if m[1] == "addition" {
			sign = " + "
		}
		return "numeric overflow: " + numericText(m[2]) + sign + numericText(m[3])
	}
	for _, w := range said {
		if m := w.duckdb.FindStringSubmatchIndex(s); m != nil {
			return string(w.duckdb.ExpandString(nil, w.google, s, m)) + s[m[1]:]
		}
	}
	return s
}

// numericText writes the integer in which DuckDB keeps a NUMERIC.
func numericText(s string) string {
	n, _ := new(big.Int).SetString(s, 10)
	text := new(big.Rat).SetFrac(n, big.NewInt(1e9)).FloatString(9)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
