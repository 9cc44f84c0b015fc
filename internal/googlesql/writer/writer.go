package writer

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
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

// Written is a statement of DuckDB's.
type Written struct {
	SQL     string
	Columns []googlesql.Field // of its result, if it has one
	Natives []string          // the native functions that it calls, in order
	Notices []string          // what of the statement has no effect
	Then    []string          // statements of DuckDB's that follow, in the same transaction
	Changes []*Change         // of what is kept besides DuckDB's catalog
	Reads   []AsOf            // the tables that are read as of a time
	Load    *Load             // what of LOAD DATA or CREATE EXTERNAL TABLE the database is to write; SQL is empty
	Writes  [][]string        // the paths of the tables whose rows it changes; nil in one for all
}

// AsOf is a clause FOR SYSTEM_TIME AS OF.
type AsOf struct {
	Path []string
	SQL  string // the time, in DuckDB
	Pos  int    // of the clause
	End  int
}

// Statement writes a statement.
func Statement(s *resolved.AnyResolvedStatementProto, n Names) (out *Written, err error) {
	defer refused(&err)
	w := &writer{
		names: n, with: map[string]withQuery{}, natives: map[string]bool{}, parameters: map[string]bool{},
		decimals: map[int64]fixed{}, integers: map[int64]int{}, unfixed: map[*resolved.AnyResolvedExprProto]bool{},
	}
	out = &Written{}
	w.statement(s, out)
	out.SQL = w.unusedParameters() + out.SQL
	out.Notices, out.Then, out.Changes, out.Reads, out.Writes = w.notices, w.then, w.kept, w.reads, w.writes
	out.Natives = slices.Sorted(maps.Keys(w.natives))
	return out, nil
}

// statement writes the text of a statement, and of a query the columns.
func (w *writer) statement(s *resolved.AnyResolvedStatementProto, out *Written) {
	switch n := s.GetNode().(type) {
	case *resolved.AnyResolvedStatementProto_ResolvedQueryStmtNode:
		q := n.ResolvedQueryStmtNode
		w.keepsDigits = true
		out.SQL, out.Columns = w.query(q.GetQuery(), q.GetOutputColumnList()), outputFields(q.GetOutputColumnList())
		if q.GetIsValueTable() && len(out.Columns) == 1 && out.Columns[0].Type.Kind == googlesql.Struct {
			out.SQL, out.Columns = valueTable(out.SQL, out.Columns[0])
		}
	case *resolved.AnyResolvedStatementProto_ResolvedInsertStmtNode:
		out.SQL = w.insert(n.ResolvedInsertStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedUpdateStmtNode:
		out.SQL = w.update(n.ResolvedUpdateStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedDeleteStmtNode:
		out.SQL = w.delete(n.ResolvedDeleteStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedMergeStmtNode:
		out.SQL = w.merge(n.ResolvedMergeStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedTruncateStmtNode:
		out.SQL = w.truncate(n.ResolvedTruncateStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedCreateStatementNode:
		if e := n.ResolvedCreateStatementNode.GetResolvedCreateTableStmtBaseNode().GetResolvedCreateExternalTableStmtNode(); e != nil {
			out.Load = w.createExternal(e)
			return
		}
		w.keepsDigits = true
		out.SQL = w.createStatement(n.ResolvedCreateStatementNode)
	case *resolved.AnyResolvedStatementProto_ResolvedDropFunctionStmtNode:
		out.SQL = w.dropRoutine(n.ResolvedDropFunctionStmtNode.GetIsIfExists(), n.ResolvedDropFunctionStmtNode.GetNamePath())
	case *resolved.AnyResolvedStatementProto_ResolvedDropTableFunctionStmtNode:
		out.SQL = w.dropRoutine(n.ResolvedDropTableFunctionStmtNode.GetIsIfExists(), n.ResolvedDropTableFunctionStmtNode.GetNamePath())
	case *resolved.AnyResolvedStatementProto_ResolvedDropStmtNode:
		out.SQL = w.dropStatement(n.ResolvedDropStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedDropMaterializedViewStmtNode:
		d := n.ResolvedDropMaterializedViewStmtNode
		w.change(Change{Action: Forget, Kind: metadata.View, Path: d.GetNamePath()})
		out.SQL = w.drop("VIEW", d.GetIsIfExists(), d.GetNamePath())
	case *resolved.AnyResolvedStatementProto_ResolvedDropSnapshotTableStmtNode:
		d := n.ResolvedDropSnapshotTableStmtNode
		w.change(Change{Action: Forget, Kind: metadata.Table, Path: d.GetNamePath()})
		out.SQL = w.drop("TABLE", d.GetIsIfExists(), d.GetNamePath())
	case *resolved.AnyResolvedStatementProto_ResolvedUndropStmtNode:
		d := n.ResolvedUndropStmtNode
		refuse(location(d.GetParent().GetParent()), "UNDROP %s (nothing of what was dropped is kept)", strings.ToUpper(d.GetSchemaObjectKind()))
	case *resolved.AnyResolvedStatementProto_ResolvedAlterTableSetOptionsStmtNode:
		a := n.ResolvedAlterTableSetOptionsStmtNode
		w.change(Change{Action: Alter, Kind: metadata.Table, Path: a.GetNamePath(), IfExists: a.GetIsIfExists(),
			Options: w.options(a.GetOptionList())})
	case *resolved.AnyResolvedStatementProto_ResolvedAlterObjectStmtNode:
		out.SQL = w.alterStatement(n.ResolvedAlterObjectStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedExportDataStmtNode:
		w.keepsDigits = true
		out.SQL = w.exportData(n.ResolvedExportDataStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedAuxLoadDataStmtNode:
		out.Load = w.loadData(n.ResolvedAuxLoadDataStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedAssertStmtNode:
		out.SQL = w.assert(n.ResolvedAssertStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedCallStmtNode:
		w.callStatement(n.ResolvedCallStmtNode, out)
	case *resolved.AnyResolvedStatementProto_ResolvedExplainStmtNode:
		w.statement(n.ResolvedExplainStmtNode.GetStatement(), out)
		out.SQL, out.Columns = "EXPLAIN "+out.SQL, nil
	case *resolved.AnyResolvedStatementProto_ResolvedBeginStmtNode:
		out.SQL = "BEGIN TRANSACTION"
	case *resolved.AnyResolvedStatementProto_ResolvedCommitStmtNode:
		out.SQL = "COMMIT"
	case *resolved.AnyResolvedStatementProto_ResolvedRollbackStmtNode:
		out.SQL = "ROLLBACK"
	default:
		refuse(nil, "the statement %s", w.firstWords())
	}
}

var firstWords = regexp.MustCompile(`^\s*((?:[A-Za-z_]+\s+){0,2}[A-Za-z_]+)`)

// firstWords names the statement by its keywords.
func (w *writer) firstWords() string {
	return strings.Join(strings.Fields(strings.ToUpper(firstWords.FindString(w.names.Text))), " ")
}

// assert writes ASSERT as a statement without rows.
func (w *writer) assert(s *resolved.ResolvedAssertStmtProto) string {
	message := "Assertion failed"
	if d := s.GetDescription(); d != "" {
		message += ": " + d
	}
	return "SET VARIABLE mallard_assertion = (SELECT CASE WHEN " + w.expr(s.GetExpression()) + " THEN true ELSE " + fail(message, "BOOLEAN") +
		" END)"
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

func outputFields(list []*resolved.ResolvedOutputColumnProto) []googlesql.Field {
	names := outputNames(list)
	fields := make([]googlesql.Field, len(list))
	for i, c := range list {
		fields[i] = googlesql.Field{Name: names[i], Type: analyzer.TypeOf(c.GetColumn().GetType())}
	}
	return fields
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

// query writes a scan with the names of its result.
func (w *writer) query(s *resolved.AnyResolvedScanProto, list []*resolved.ResolvedOutputColumnProto) string {
	from := w.scan(s)
	items := make([]string, len(list))
	names := outputNames(list)
	for i, c := range list {
		items[i] = w.leaving(c.GetColumn()) + " AS " + quote.Name(names[i])
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + from + ")"
}

// valueTable writes the rows of SELECT AS STRUCT, whose fields are the columns of the result.
func valueTable(sql string, value googlesql.Field) (string, []googlesql.Field) {
	fields := make([]googlesql.Field, len(value.Type.Fields))
	items := make([]string, len(fields))
	names := make([]string, len(fields))
	for i, f := range value.Type.Fields {
		names[i] = f.Name
	}
	names = columnNames(names)
	for i, name := range fieldNames(value.Type) {
		fields[i] = googlesql.Field{Name: names[i], Type: value.Type.Fields[i].Type}
		items[i] = "struct_extract(" + quote.Name(value.Name) + ", " + quote.Text(name) + ") AS " + quote.Name(fields[i].Name)
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + sql + ")", fields
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
