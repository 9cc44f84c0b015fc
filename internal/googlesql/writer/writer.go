package writer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// Names says what the names of a statement are in DuckDB.
type Names struct {
	Text   string  // of the statement, as the analyzer read it
	Tables []Table // those of the catalog, in its order
	// Function gives the name of a native function (package functions/googlesql) as a call writes it; nil gives each its own.
	Function   func(name string) string
	Parameters []string // of the statement, as it writes them
	// Place gives the name of something that the statement makes, changes or drops.
	Place func(path []string) (string, error)
	// Export gives the file of a URI that EXPORT DATA writes; nil takes it as it is. The star of a URI is the number of the file.
	Export func(uri string, overwrite bool) (string, error)
	// Definition gives the columns of a table as CREATE TABLE defines them, in brackets; "" for what is none.
	Definition func(path []string) (string, error)
	// Value computes an expression of DuckDB's that stands for an option.
	Value      func(sql string) (any, error)
	Constructs []Construct // those of the catalog, by the numbers of their names
	Variables  []Variable
}

// Variable is a variable of a script, or an @@variable.
type Variable struct {
	Name, Expr string
	System     bool
}

// Table is a table of the catalog.
type Table struct {
	From    string   // its text in a FROM clause
	Columns []string // the value of each column of the catalog's, in its order
	Names   []string // the names of these columns
	Types   []googlesql.Type
	Digits  []Digits // of these columns as the table keeps them; nil where that is not known
	Path    []string // as the statement writes it

	Snapshot bool // it cannot be changed
	Missing  bool // it is to be made
}

// Digits are those of a column that is an integer or a decimal: how many, and how many of them behind the point. A column of
// another type has none.
type Digits struct{ Width, Scale int }

// AsOf is a clause FOR SYSTEM_TIME AS OF.
type AsOf struct {
	Path []string
	SQL  string // the time, in DuckDB
	Pos  int    // of the clause
	End  int
}

type writer struct {
	names Names
	with  map[string]withQuery
	bound int // names of lambda parameters given so far

	natives map[string]bool // the native functions called so far
	notices []string
	then    []string
	kept    []*Change
	reads   []AsOf
	writes  [][]string

	correlated bool            // an expression was written that refers to a query around it
	queries    int             // names of WITH queries given so far
	inputs     int             // of set operations, written so far
	recursion  []withQuery     // the recursive queries being written, the innermost last
	parameters map[string]bool // the parameters written, by name or number

	deferred    map[string]string                       // how the values of deferred calls are made, by the columns of their parts
	guards      []func() string                         // the conditions under which what is being written is needed; "" for none
	needed      string                                  // the condition under which a scan has rows; "" for always
	keepsDigits bool                                    // NUMERICs stay in the digits of their columns: see fixed
	decimals    map[int64]fixed                         // the columns that are NUMERIC in fewer digits
	integers    map[int64]int                           // the digits of columns of INT64 that have fewer
	unfixed     map[*resolved.AnyResolvedExprProto]bool // those that are known to need all digits
	exactly     bool                                    // calls are written in all digits
}

// withQuery is a query of a WITH clause, under the name that it has in DuckDB.
type withQuery struct {
	name    string
	columns []*resolved.ResolvedColumnProto
}

// column is the name of a column in DuckDB.
func column(c *resolved.ResolvedColumnProto) string {
	return "c" + strconv.FormatInt(c.GetColumnId(), 10)
}

func columns(list []*resolved.ResolvedColumnProto) string {
	if len(list) == 0 {
		return "1"
	}
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = column(c)
	}
	return strings.Join(names, ", ")
}

// bind gives a new name of a lambda parameter.
func (w *writer) bind() string {
	w.bound++
	return fmt.Sprintf("x%d", w.bound)
}

// variable writes the value of a variable.
func (w *writer) variable(at *resolved.ParseLocationRangeProto, name string, system bool) string {
	for _, v := range w.names.Variables {
		if v.System == system && strings.EqualFold(v.Name, name) {
			return v.Expr
		}
	}
	refuse(at, "the variable %s", name)
	return ""
}

// Construct writes a function that is none of GoogleSQL's own, such as ML.PREDICT: relations are queries, whose columns have
// the names that the user gave them, args are expressions.
type Construct func(relations, args []string) (string, error)

func (w *writer) notice(text string) { w.notices = append(w.notices, text) }

// tableOf is the table that a statement changes.
func (w *writer) tableOf(s *resolved.ResolvedTableScanProto) Table {
	return w.names.Tables[s.GetTable().GetSerializationId()]
}

// localName begins the names of further columns.
const localName = "h"

var firstWords = regexp.MustCompile(`^\s*((?:[A-Za-z_]+\s+){0,2}[A-Za-z_]+)`)

// firstWords names the statement by its keywords.
func (w *writer) firstWords() string {
	return strings.Join(strings.Fields(strings.ToUpper(firstWords.FindString(w.names.Text))), " ")
}

// outputNames are the names of a result's columns.
func outputNames[T interface{ GetName() string }](list []T) []string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.GetName()
	}
	return columnNames(names)
}

// columnNames gives names to columns without one: BigQuery calls them f0_, f1_, ….
func columnNames(names []string) []string {
	nameless := 0
	for i, name := range names {
		if name == "" || strings.HasPrefix(name, "$") {
			names[i] = "f" + strconv.Itoa(nameless) + "_"
			nameless++
		}
	}
	return names
}
