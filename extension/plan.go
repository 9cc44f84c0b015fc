package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/trace"
)

// plan is what is to be done for one statement of the user's.
type plan struct {
	sql    string        // what DuckDB gets
	text   *dialect.Text // how sql came from the source; nil when it stands there
	pos    int           // where sql stands in the source when text is nil; -1 when it does not
	verb   string        // upper-case first keywords
	lang   dialect.Lang
	plain  bool // DuckDB gets the user's bytes
	bytes  bool // it reads the bytes of objects
	waits  bool // it has functions that wait for something outside
	models []usedModel
	uses   []use  // of the functions of ours
	done   func() // after success
	undo   func() // after failure
	notice string // for the person, after success
}

// usedModel is a call and the model it reached.
type usedModel struct {
	call   *dialect.Call
	Name   string
	Inputs []inputColumn
}

// plan reads a statement and writes what DuckDB is to run. Statements about models do their checks, and import files.
func (n *conn) plan(ctx context.Context, src string, st dialect.Statement) (*plan, error) {
	if n.c.trace == nil {
		return n.planned(ctx, src, st)
	}
	began := time.Now()
	p, err := n.planned(ctx, src, st)
	e := trace.Event{Kind: trace.Planned, Query: src[st.Pos:st.End], Duration: time.Since(began), Err: err}
	if p != nil {
		e.SQL = p.sql
	}
	n.c.trace.Trace(ctx, e)
	return p, err
}

func (n *conn) planned(ctx context.Context, src string, st dialect.Statement) (*plan, error) {
	node, err := dialect.Parse(src, st)
	if err != nil {
		return nil, err
	}
	switch s := node.(type) {
	case *dialect.Query:
		if err := n.guard(ctx, src, st); err != nil {
			return nil, err
		}
		if s.Untouched {
			return &plan{sql: src[st.Pos:max(st.End, st.Stop)], pos: st.Pos, verb: s.Verb, lang: st.Lang, plain: true}, nil
		}
		if p, err := n.translate(ctx, src, s); p != nil || err != nil {
			return p, err
		}
		return n.planQuery(ctx, src, s)
	case *dialect.CreateModel:
		return n.createModel(ctx, s)
	case *dialect.AlterModel:
		return n.alterModel(ctx, s)
	case *dialect.DropModel:
		return n.dropModel(ctx, s)
	case *dialect.ShowModels:
		return n.showModels(ctx, src, st, s)
	case *dialect.DescribeModel:
		return n.describeModel(ctx, s)
	case *dialect.CreateExternalTable:
		return n.createObjectTable(ctx, s)
	case *dialect.DropExternalTable:
		return n.dropObjectTable(ctx, s)
	case *dialect.RefreshMetadata:
		return n.refreshMetadata(ctx, s)
	case *dialect.ImportDatabase:
		return n.importDatabase(ctx, src, s)
	case *dialect.Estimate:
		// EXPLAIN ML is ml_estimate('…') in other words.
		return &plan{sql: "SELECT * FROM ml_estimate(" + quote.Text(src[s.Query.Pos:s.Query.End]) + ")", pos: -1, verb: "EXPLAIN"}, nil
	}
	return nil, fmt.Errorf("statement of type %T is not supported", node)
}

// catalog reads models over the user's own connection.
func (n *conn) catalog() *catalog.Catalog {
	n.mu.Lock()
	defer n.mu.Unlock()
	return &catalog.Catalog{Project: n.in.cfg.BigQuery.Project, Declared: declaredModels{n.in}, Rows: n.rows, Database: n.db, Schema: n.schema}
}

func (n *conn) planQuery(ctx context.Context, src string, q *dialect.Query) (*plan, error) {
	if q.InMacro && q.Verb != "PREPARE" && len(q.Calls) > 0 {
		return nil, dialect.At(q.Calls[0].Span, errors.New("ML functions cannot stand in the body of a macro, which would stay with today's model; make a view, or use the macro's query as the input"))
	}
	p := &plan{verb: q.Verb, lang: q.Lang}
	w := n.writer(n.catalog(), n.Conn)
	w.plan, w.lang = p, q.Lang
	var err error
	p.text, err = w.rewrite(ctx, src, q)
	if err != nil {
		return nil, err
	}
	p.sql = p.text.String()
	return p, nil
}

// writer turns calls into SQL. It knows no connection: what it needs of one is given.
type writer struct {
	cfg      *config.Config
	cat      *catalog.Catalog
	models   models
	describe func(ctx context.Context, sql string) []queryColumn // of a query's result; nil when it cannot be told

	plan *plan        // collects the models, or nil
	lang dialect.Lang // of the statement

	fused map[*dialect.Function]*dialect.Function // see fuse
	own   map[string]map[string]bool              // the user's functions in schemas ml, obj and ai, as far as they were looked for
}

func (w *writer) rewrite(ctx context.Context, src string, q *dialect.Query) (*dialect.Text, error) {
	w.fused = fuse(q.Functions)
	r := &dialect.Rewriter{
		Expand: func(c *dialect.Call, quoted bool) (dialect.Expansion, error) { return w.expand(ctx, src, c, quoted) },
		Table: func(p dialect.Path) ([]string, error) {
			parts, err := w.cat.WithoutProject(ctx, p.Parts)
			return parts, dialect.At(p.Span, err)
		},
		Function: func(f *dialect.Function, _ bool) (*dialect.Substitution, error) {
			return w.function(ctx, f, q)
		},
		TableFunction: func(f *dialect.TableFunction, args []string, _ bool) (string, error) {
			return w.tableFunction(ctx, f, args)
		},
		Data: func(d *dialect.DataRef) (string, error) { return w.data(ctx, d) },
	}
	return r.Rewrite(src, q)
}

// keeps names the place where a statement keeps its expressions beyond itself; "" when it does not.
func keeps(q *dialect.Query) string {
	switch {
	case q.InView:
		return "a view"
	case q.InMacro && q.Verb != "PREPARE":
		return "a macro"
	case q.InTable:
		return "the definition of a table"
	}
	return ""
}

func (w *writer) expand(ctx context.Context, src string, c *dialect.Call, quoted bool) (dialect.Expansion, error) {
	if f, ok := googlesql.FunctionNamed(c.Func); !ok || f.Kind != googlesql.ModelFunction {
		return dialect.Expansion{}, dialect.At(dialect.Span{Pos: c.Pos, End: min(c.Pos+len(c.Func), c.End)}, unknownFunction(c.Func))
	}
	f, err := w.cat.Resolve(ctx, c.Model.Parts, "")
	if err != nil {
		return dialect.Expansion{}, dialect.At(c.Model.Span, err)
	}
	var in inputKind
	if f.Spec.Remote() && c.Func != "ML.PREDICT" {
		columns := w.inputColumns(ctx, src, c, w.lang)
		in = kindOfInput(columns)
		if columns == nil { // a table of a WITH, or a correlated query: the argument prompt tells
			in.objects = slices.ContainsFunc(c.Options, func(o dialect.Option) bool { return strings.EqualFold(o.Name, "prompt") })
		}
	}
	if err := w.keepsDefaults(ctx, src, c, f); err != nil {
		return dialect.Expansion{}, err
	}
	x, err := w.call(ctx, f, c.Func, c.Options, functions.BigQuery, in)
	if err != nil {
		return dialect.Expansion{}, dialect.At(c.Model.Span, err)
	}
	if quoted {
		return dialect.Expansion{Whole: func(input string) string {
			name := quote.Path(f.Schema, f.Name)
			if f.Database == "" { // of the configuration: its name is all there is
				name = f.Name
			}
			return fmt.Sprintf("query(system.main.mallard_call(%s, %s, %s, 'bigquery', %s, %s))",
				quote.Text(c.Func), quote.Text(name), quote.Text(input), quote.Text(f.Spec.ID), quote.Text(optionsJSON(c.Options)))
		}}, nil
	}
	if w.plan != nil {
		w.plan.models = append(w.plan.models, usedModel{call: c, Name: f.QualifiedName.String(), Inputs: x.inputs})
	}
	casts := map[string]string{}
	for _, in := range x.inputs {
		casts[strings.ToLower(in.name)] = in.sqlType
	}
	return dialect.Expansion{Open: x.open, Close: x.after, Casts: casts}, nil
}

// keepsDefaults refuses a column that is named like an input which keeps its default: it would be passed over.
func (w *writer) keepsDefaults(ctx context.Context, src string, c *dialect.Call, f catalog.Entry) error {
	if len(f.Spec.Defaults) == 0 {
		return nil
	}
	columns := w.inputColumns(ctx, src, c, w.lang)
	for _, name := range f.Spec.Defaults {
		if _, ok := named(columns, name); ok {
			return dialect.At(c.Input, fmt.Errorf("input `%s` of model %s keeps its default, since it is one value for all rows; rename the column or leave it out", name, f.QualifiedName))
		}
	}
	return nil
}

// inputKind is what the columns of an input tell of it.
type inputKind struct {
	titled  bool // texts have titles
	objects bool // the rows are objects of an object table, and no texts
	media   bool // the column content is an ObjectRef, or the JSON of one, and no text

	versioned bool // objects have a column generation
	similar   bool // the embeddings are for AI.SIMILARITY
}

func kindOfInput(columns []queryColumn) inputKind {
	has := func(name string) bool {
		_, ok := named(columns, name)
		return ok
	}
	content, ok := named(columns, "content")
	generation, versioned := named(columns, "generation")
	return inputKind{
		titled:    has("title"),
		objects:   has("uri") && has("content_type") && !has("prompt") && !ok,
		versioned: versioned && generation.t.Kind == mapping.TypeBigInt,
		media:     content.t.Kind == mapping.TypeStruct || content.t.Alias == "JSON",
	}
}

// called is the SQL of a call: what stands around its input, and the columns it reads from it.
type called struct {
	open, after string
	inputs      []inputColumn
}

// inputColumn is a column that a call reads, with the DuckDB type that suits it.
type inputColumn struct{ name, sqlType string }

// call writes a call of any function over any model.
func (w *writer) call(ctx context.Context, f catalog.Entry, fn string, options []dialect.Option, types functions.Types, in inputKind) (*called, error) {
	if f.Spec.Remote() {
		s, open, after, err := w.remoteCall(ctx, f, fn, options, in)
		if err != nil {
			return nil, err
		}
		x := &called{open: open, after: after}
		for _, c := range s.InputColumns() {
			x.inputs = append(x.inputs, inputColumn{c.Name, c.DuckDB})
		}
		return x, nil
	}
	switch fn {
	case "ML.PREDICT":
		if err := checkPredictOptions(options); err != nil {
			return nil, err
		}
		return w.predict(ctx, f, types)
	case "ML.GENERATE_EMBEDDING", "AI.GENERATE_EMBEDDING":
		return w.localEmbedding(ctx, f, fn, options)
	case "ML.GENERATE_TEXT", "AI.GENERATE_TEXT", "AI.GENERATE_TABLE":
		return nil, fmt.Errorf("%s needs a remote model, and %s is a TensorFlow model; make one with CREATE MODEL … REMOTE WITH CONNECTION … OPTIONS(ENDPOINT='gemini-2.5-flash')", fn, f.QualifiedName)
	}
	return nil, fmt.Errorf("%s is not part of this version; ML.PREDICT, ML.GENERATE_TEXT and ML.GENERATE_EMBEDDING are", fn)
}

// predict writes a prediction by a TensorFlow model.
func (w *writer) predict(ctx context.Context, f catalog.Entry, types functions.Types) (*called, error) {
	live, err := w.models.version(f)
	if err != nil {
		return nil, err
	}
	if ctx.Value(analyzing{}) == nil {
		if err := live.Probe(ctx); err != nil {
			return nil, err
		}
	}
	fn, err := w.models.predictFunction(ctx, live.Outputs, types)
	if err != nil {
		return nil, err
	}
	x := &called{}
	x.open, x.after = live.PredictSQL(w.models.functionName(fn), types)
	suits := live.InputTypes()
	for _, p := range live.Inputs {
		x.inputs = append(x.inputs, inputColumn{p.Name, suits[p.Name]})
	}
	return x, nil
}

// checkPredictOptions accepts what ML.PREDICT documents and knows nothing of a TensorFlow model: the arguments have no
// effect there (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-predict).
func checkPredictOptions(options []dialect.Option) error {
	for _, o := range options {
		ok := false
		switch strings.ToLower(o.Name) {
		case "threshold":
			ok = o.Value.Kind == dialect.Float || o.Value.Kind == dialect.Int
		case "keep_original_columns":
			ok = o.Value.Kind == dialect.Bool
		case "trial_id":
			ok = o.Value.Kind == dialect.Int
		default:
			return dialect.At(o.Span, fmt.Errorf("ML.PREDICT has no argument `%s`; it takes threshold, keep_original_columns and trial_id", o.Name))
		}
		if !ok {
			return dialect.At(o.Value.Span, fmt.Errorf("ML.PREDICT: `%s` has a value of the wrong type; threshold is FLOAT64, keep_original_columns BOOL, trial_id INT64", o.Name))
		}
	}
	return nil
}

// callText writes the query that the plain forms and stored views stand for. It runs while the statement binds, so it
// reads the catalog over another connection. types is "native" or "bigquery", for an input that is rewritten already;
// lineage is the identity of the model, or ""; options is JSON, or "".
func (in *instance) callText(id uint64, fn, name, input, types, lineage, options string) (string, error) {
	n, ctx, err := in.caller(id)
	if err != nil {
		return "", err
	}
	if types != "bigquery" {
		if err := noParameters(input, n.c.lang); err != nil {
			return "", err
		}
	}
	given, err := readOptionsJSON(options)
	if err != nil {
		return "", err
	}
	parts, err := catalog.SplitName(name)
	if err != nil {
		return "", err
	}
	var sql string
	err = in.private(ctx, func(c *duckdb.Conn, _ mapping.Connection) error {
		cat := n.behind(c)
		w := n.writer(cat, c)
		f, err := cat.Resolve(ctx, parts, lineage)
		if err != nil {
			return err
		}
		kind, lang := functions.Native, n.c.lang
		if types == "bigquery" {
			kind, lang = functions.BigQuery, dialect.DuckDB
		}
		text, err := w.input(ctx, input, lang)
		if err != nil {
			return err
		}
		var in inputKind
		if f.Spec.Remote() && fn != "ML.PREDICT" {
			in = kindOfInput(queryColumns(ctx, c, text))
		}
		x, err := w.call(ctx, f, fn, given, kind, in)
		if err != nil {
			return err
		}
		sql = "SELECT * FROM " + x.open + text + x.after
		return nil
	})
	return sql, err
}

// noParameters refuses a parameter in the text of an input: nobody could give it a value.
func noParameters(input string, lang dialect.Lang) error {
	all := dialect.Parameters(input, lang)
	if len(all) == 0 {
		return nil
	}
	line, col := dialect.LineCol(input, all[0].Pos)
	return fmt.Errorf("input query, line %d, column %d: the parameter %s stands inside a text, where it gets no value; write ML.PREDICT(MODEL name, (SELECT … %[3]s …)) or the like, whose input is no text",
		line, col, input[all[0].Pos:all[0].End])
}

// input reads the query that a text function was given.
func (w *writer) input(ctx context.Context, src string, lang dialect.Lang) (string, error) {
	all := dialect.Split(src, lang)
	if len(all) != 1 {
		return "", errors.New("the input must be one query, such as 'SELECT title AS input FROM news'")
	}
	node, err := dialect.Parse(src, all[0])
	if err != nil {
		return "", inputFault(src, err)
	}
	q, ok := node.(*dialect.Query)
	if !ok {
		return "", errors.New("the input must be a query, such as 'SELECT title AS input FROM news'")
	}
	if q.Untouched {
		return src[all[0].Pos:all[0].End], nil
	}
	w.lang = q.Lang
	text, err := w.rewrite(ctx, src, q)
	if err != nil {
		return "", inputFault(src, err)
	}
	return text.String(), nil
}

// inputFault says where in the input text a fault is.
func inputFault(src string, err error) error {
	var de *dialect.Error
	var l *dialect.Located
	switch {
	case errors.As(err, &de):
		line, col := dialect.LineCol(src, de.Pos)
		return fmt.Errorf("input query, line %d, column %d: %w", line, col, err)
	case errors.As(err, &l):
		line, col := dialect.LineCol(src, l.Pos)
		return fmt.Errorf("input query, line %d, column %d: %w", line, col, err)
	}
	return err
}

// caller finds the connection that a text function serves, and the context of its statement.
func (in *instance) caller(id uint64) (*conn, context.Context, error) {
	n, ok := in.conns.Load(id)
	if !ok {
		return nil, nil, errors.New("this connection was not opened by Mallard; ML functions need one of extension.NewConnector")
	}
	return n.(*conn), in.Query(id).Context, nil
}

// behind gives the catalog over a private connection, as the connection n sees it.
func (n *conn) behind(c *duckdb.Conn) *catalog.Catalog {
	n.mu.Lock()
	defer n.mu.Unlock()
	open := make(map[string]*modelspec.Spec, len(n.open.models))
	for k, r := range n.open.models {
		open[k] = r
	}
	cat := &catalog.Catalog{Project: n.in.cfg.BigQuery.Project, Declared: declaredModels{n.in}, Database: n.db, Schema: n.schema, Open: open}
	cat.Rows = func(ctx context.Context, query string) ([][]driver.Value, error) { return allRows(ctx, c, query) }
	return cat
}
