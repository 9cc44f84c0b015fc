package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// Analysis is what a statement would do, found without doing it.
type Analysis struct {
	Pos, End int    // bytes of the text
	Kind     string // its first keywords, upper-case: SELECT, WITH, INSERT, CREATE TABLE, CREATE MODEL, …
	// Reads and Writes are the tables, views and models' inputs that it names, as it writes them, each once. What stands
	// behind a view is the view's.
	Reads, Writes []string
	// Models are those that it asks, creates, changes or drops.
	Models []string
	// Parameters are in the order of their numbers; one that is named has its name.
	Parameters []Parameter
	// Columns are those of its result; of a statement without one, such as CREATE TABLE, there are none.
	Columns []Column
	// RowWise says that each row of the result comes from one row of the relation Input, whatever its other rows are, so that
	// parts of Input may be run one by one. What cannot be told is not row-wise.
	RowWise bool
	Input   string
	// Sharded are the relations over which it may be run in parts, as DuckDB names them: its rows for each part of such a relation, with
	// all others whole, are together its rows for the whole. A join with a small table can be sharded and is not row-wise.
	// Barriers are what stands against that. What cannot be told is not sharded.
	Sharded  []string
	Barriers []Barrier
	// Asks says that it asks remote models, and Remote what each of its calls would ask, in the order of the models' names. Remote
	// is nil where that is not known: for statements other than queries, CREATE TABLE … AS, INSERT, COPY and EXPORT DATA, for those
	// whose parameters have no values, for those that read what the text writes before them, and without a database.
	Asks   bool
	Remote []RemoteEstimate
	// Scans are the tables that a query would read, behind views too, with their columns. ScansAll says that it reads nothing else: no
	// files and no functions' rows. Without a database, for other statements and for parameters without values both are zero.
	Scans    []Scan
	ScansAll bool
}

// RemoteEstimate is what one call of a remote model would ask.
type RemoteEstimate = dispatch.Estimate

// Parameter is a parameter of a statement.
type Parameter struct {
	Name string         // "1" for a positional one
	Type googlesql.Type // the zero Type where any value may stand
}

// Column is a column of a result.
type Column struct {
	Name string
	// Type is the zero Type where GoogleSQL has none for the column's; Err says so.
	Type   googlesql.Type
	DuckDB string // the type there
	Err    error
}

// Relation is a table that [Analyze] is told of.
type Relation struct {
	Name    string // demo.t, or project.demo.t
	Columns []googlesql.Field
}

// AnalyzeOptions say what the statements find. The zero value is an empty database.
type AnalyzeOptions struct {
	Config  *config.Config // for models and connections; nil is the default
	Dialect dialect.Lang
	Tables  []Relation
}

// Analyze reads the statements of a text against empty tables of the given schemas, in a database in memory of its own: no
// user's database, no remote model and no object is reached. A script's own DDL counts for the statements behind it; a
// CREATE MODEL reads the model's files. An error is that of the first statement that could not be prepared, an *[Error].
func Analyze(ctx context.Context, src string, o AnalyzeOptions) (all []Analysis, err error) {
	c, err := NewConnector("", Options{Config: o.Config, Dialect: o.Dialect})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return c.analyze(ctx, src, func(a *analyzer) error {
		// DuckDB would see that the tables are empty, and leave out what reads them.
		if _, err := a.duck.ExecContext(ctx, "SET disabled_optimizers = 'statistics_propagation,empty_result_pullup'", nil); err != nil {
			return err
		}
		for _, t := range o.Tables {
			if err := a.makeRelation(ctx, t); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
		return nil
	})
}

// Analyze reads the statements of a text against the connector's database, in a transaction that is rolled back: DDL of the
// text counts for the statements behind it, and nothing of it stays. Statements that change rows are prepared and not run.
// Where remote models are asked, the query runs up to them, to count what they would be asked; none is reached. An error is an
// *[Error].
func (c *Connector) Analyze(ctx context.Context, src string) ([]Analysis, error) {
	return c.analyze(ctx, src, func(a *analyzer) error { a.counts = true; return nil })
}

// analyzer looks at statements on a connection.
type analyzer struct {
	*session
	counts bool     // tables have their rows
	writes []string // what statements before would have written, but did not
}

func (c *Connector) analyze(ctx context.Context, src string, prepare func(*analyzer) error) (all []Analysis, err error) {
	ctx = context.WithValue(ctx, analyzing{}, true)
	dc, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	n := dc.(connection)
	defer func() { err = errors.Join(err, n.Close()) }()
	on := &analyzer{session: n.session}
	if err := prepare(on); err != nil {
		return nil, err
	}
	return on.statements(ctx, n.conn, src, nil)
}

// AnalyzeSteps looks at the statements of a text on this connection as [Connector.Analyze] does: they find its temporary tables and
// the types of the arguments.
func (n *conn) AnalyzeSteps(ctx context.Context, src string, args []driver.NamedValue) ([]Analysis, error) {
	on := &analyzer{session: n.session, counts: true}
	return on.statements(context.WithValue(ctx, analyzing{}, true), n, src, args)
}

// statements looks at each in a transaction that is rolled back.
func (on *analyzer) statements(ctx context.Context, n *conn, src string, args []driver.NamedValue) (all []Analysis, err error) {
	if !n.session.active() { // else its own is not ended
		tx, err := n.BeginTx(ctx, driver.TxOptions{})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, tx.Rollback()) }()
	}
	t := newSteps(src, n.session.lang, args, nil)
	for _, st := range dialect.Split(src, n.session.lang) {
		own := t.arguments(src, st)
		a, err := on.analyze(withArguments(ctx, own), src, st, own)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// makeRelation makes an empty table, with its dataset and its project where there are none.
func (on *analyzer) makeRelation(ctx context.Context, t Relation) error {
	parts, err := catalog.SplitName(t.Name)
	if err != nil {
		return err
	}
	var statements []string
	if len(parts) == 3 && parts[0] == on.in.cfg.BigQuery.Project {
		parts = parts[1:]
	}
	if len(parts) == 3 {
		statements = append(statements, "ATTACH IF NOT EXISTS ':memory:' AS "+quote.Name(parts[0]))
	}
	if len(parts) > 1 {
		statements = append(statements, "CREATE SCHEMA IF NOT EXISTS "+quote.Path(parts[:len(parts)-1]...))
	}
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		of := c.Type.DuckDB()
		if of == "" {
			return fmt.Errorf("column `%s` is %s, which DuckDB has no type for", c.Name, c.Type)
		}
		columns[i] = quote.Name(c.Name) + " " + of
	}
	statements = append(statements, "CREATE TABLE "+quote.Path(parts...)+" ("+strings.Join(columns, ", ")+")")
	for _, s := range statements {
		if _, err := on.duck.ExecContext(ctx, s, nil); err != nil {
			return err
		}
	}
	return nil
}

// analyze looks at one statement, and runs it where the next ones need what it makes.
func (on *analyzer) analyze(ctx context.Context, src string, st dialect.Statement, args []driver.NamedValue) (Analysis, error) {
	a := Analysis{Pos: st.Pos, End: st.End}
	node, err := dialect.Parse(src, st)
	if err != nil {
		return a, (&execution{s: on.session, ctx: ctx, src: src}).fault(err)
	}
	query, ok := node.(*dialect.Query)
	if !ok {
		a.Kind, a.Models = modelStatement(node)
		switch node.(type) {
		case *dialect.CreateModel, *dialect.AlterModel, *dialect.DropModel, *dialect.CreateExternalTable, *dialect.DropExternalTable:
			return a, on.runDDL(ctx, src, st, "")
		}
	}
	s, err := newStatement(ctx, on.session, src, st)
	if err != nil {
		return a, err
	}
	defer s.Close()
	if s.inner == nil { // SHOW MODELS and its like are planned when they run, and change nothing
		return a, nil
	}
	a.Kind = s.plan.Verb
	for _, m := range s.plan.Models {
		a.Models = appendOnce(a.Models, m.Name)
	}
	for _, r := range dialect.Relations(src, st) {
		switch r.Role {
		case dialect.Reads, dialect.Describes, dialect.Shapes, dialect.Copies:
			a.Reads = appendOnce(a.Reads, r.Path.String())
		default:
			a.Writes = appendOnce(a.Writes, r.Path.String())
		}
	}
	for _, t := range dialect.Inputs(src, st, query) {
		a.Reads = appendOnce(a.Reads, t.String())
	}
	if err := a.describe(s); err != nil {
		return a, err
	}
	if len(a.Columns) > 0 {
		text := plan(ctx, s)
		a.RowWise, a.Input = duckapi.RowWise(text)
		var found []duckapi.Barrier
		if a.Sharded, found = duckapi.Sharding(text); len(a.Sharded)+len(found) > 0 {
			words := clauses(src, st)
			numbered := numbers(src, words, a.Sharded)
			if a.Barriers = append(barriers(src, st, words, found), numbered...); numbered != nil {
				a.Sharded = nil
			}
		}
	}
	if a.Asks = s.waits; a.Asks && len(a.Parameters) == len(args) {
		if a.Remote, err = on.estimate(ctx, src, st, args, a.Reads); err != nil {
			return a, err
		}
	}
	if on.counts && len(a.Parameters) == len(args) && slices.Contains([]string{"SELECT", "WITH", "FROM", "VALUES"}, a.Kind) {
		if a.Scans, a.ScansAll, err = s.scans(ctx, args); err != nil {
			return a, err
		}
	}
	on.writes = append(on.writes, a.Writes...)
	switch verb, rest, _ := strings.Cut(a.Kind, " "); {
	case a.Kind == "CREATE TABLE" && len(a.Reads) > 0, verb == "CREATE" && strings.Contains(strings.ToUpper(s.plan.SQL), " AS "):
		end := ""
		if rest == "TABLE" {
			end = " WITH NO DATA"
		}
		return a, on.runDDL(ctx, src, st, end)
	case verb == "CREATE", verb == "DROP", verb == "ALTER", verb == "USE":
		return a, on.runDDL(ctx, src, st, "")
	}
	return a, nil
}

// estimate counts what the query of a statement would ask; nil where that cannot be known.
func (on *analyzer) estimate(
	ctx context.Context, src string, st dialect.Statement, args []driver.NamedValue, reads []string,
) (found []RemoteEstimate, err error) {
	query, ok := dialect.Source(src, st)
	if !ok || !on.counts {
		return nil, nil
	}
	for _, r := range reads {
		if slices.ContainsFunc(on.writes, func(w string) bool { return strings.EqualFold(r, w) }) {
			return nil, nil
		}
	}
	found = []RemoteEstimate{}
	return found, on.run(estimating(ctx, &found), src, query, func(x *execution) error {
		rows, err := x.query(args)
		if err != nil {
			return err
		}
		return rows.Close()
	})
}

// runDDL runs a statement in the transaction that will be rolled back.
func (on *analyzer) runDDL(ctx context.Context, src string, st dialect.Statement, end string) error {
	return on.run(ctx, src, st, func(x *execution) error {
		if end != "" {
			x.plan.SQL = strings.TrimRight(strings.TrimSpace(x.plan.SQL), ";") + end
		}
		_, err := x.exec(nil)
		return err
	})
}

// rowVerbs begin the statements of DuckDB that give rows.
var rowVerbs = []string{"SELECT", "WITH", "FROM", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "SHOW", "DESCRIBE", "SUMMARIZE", "EXPLAIN", "CALL",
	"EXECUTE"}

// describe fills in parameters and columns.
func (a *Analysis) describe(s *stmt) error {
	p, err := duckapi.Prepared(s.inner)
	if err != nil {
		return err
	}
	for i := range mapping.NParams(p) {
		t := mapping.ParamLogicalType(p, i+1)
		of, err := udf.TypeOf(t).GoogleSQL()
		mapping.DestroyLogicalType(&t)
		if err != nil {
			of = googlesql.Type{}
		}
		a.Parameters = append(a.Parameters, Parameter{Name: mapping.ParameterName(p, i+1), Type: of})
	}
	verb, _, _ := strings.Cut(a.Kind, " ")
	if !slices.Contains(rowVerbs, verb) && verb != "PRAGMA" && !strings.Contains(strings.ToUpper(s.plan.SQL), "RETURNING") {
		return nil // a count, which nobody asked for
	}
	for i := range mapping.PreparedStatementColumnCount(p) {
		t := mapping.PreparedStatementColumnLogicalType(p, i)
		of := udf.TypeOf(t)
		mapping.DestroyLogicalType(&t)
		c := Column{Name: mapping.PreparedStatementColumnName(p, i), DuckDB: of.String()}
		if c.Type, c.Err = of.GoogleSQL(); c.Err != nil {
			c.Type = googlesql.Type{}
		}
		if of.Kind == mapping.TypeInvalid {
			c.Err = errors.New("the columns are not known before its parameters have types; write CAST(… AS INT64) or the like around them")
		}
		a.Columns = append(a.Columns, c)
	}
	return nil
}

// modelStatement names a statement that is none of DuckDB's, and its model.
func modelStatement(node dialect.Node) (kind string, models []string) {
	switch s := node.(type) {
	case *dialect.CreateModel:
		return "CREATE MODEL", []string{s.Name.String()}
	case *dialect.AlterModel:
		return "ALTER MODEL", []string{s.Name.String()}
	case *dialect.ExportModel:
		return "EXPORT MODEL", []string{s.Name.String()}
	case *dialect.DropModel:
		return "DROP MODEL", []string{s.Name.String()}
	case *dialect.DescribeModel:
		return "DESCRIBE MODEL", []string{s.Name.String()}
	case *dialect.ShowModels:
		return "SHOW MODELS", nil
	case *dialect.CreateExternalTable:
		return "CREATE EXTERNAL TABLE", nil
	case *dialect.DropExternalTable:
		return "DROP EXTERNAL TABLE", nil
	case *dialect.ImportDatabase:
		return "IMPORT", nil
	case *dialect.Estimate:
		return "EXPLAIN", nil
	}
	return "CALL", nil
}

func appendOnce(list []string, s string) []string {
	for _, have := range list {
		if strings.EqualFold(have, s) {
			return list
		}
	}
	return append(list, s)
}
