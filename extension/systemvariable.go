package extension

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/quote"
)

// Job is what @@variables tell of the job that a statement belongs to
// (https://docs.cloud.google.com/bigquery/docs/reference/system-variables).
type Job struct {
	ID     string // of the statement's own job
	Script string // of the script's job; "" outside of a script
	Last   string // of the statement's before it
}

type jobKey struct{}

// WithJob tells @@current_job_id, @@last_job_id and @@script.job_id, which are NULL without it, to statements under the context. The
// job may change between statements.
func WithJob(ctx context.Context, j *Job) context.Context { return context.WithValue(ctx, jobKey{}, j) }

// traceType is the type of @@error.stack_trace.
func traceType() googlesql.Type {
	whole, text := googlesql.Type{Kind: googlesql.Int64}, googlesql.Type{Kind: googlesql.String}
	return googlesql.ArrayOf(googlesql.StructOf(googlesql.Field{Name: "line", Type: whole}, googlesql.Field{Name: "column", Type: whole},
		googlesql.Field{Name: "filename", Type: text}, googlesql.Field{Name: "location", Type: text}))
}

// variables gives what statements may name: those of scripts, and @@variables.
func (s *session) variables(ctx context.Context) []translator.Variable {
	all := slices.Clone(s.script.variables)
	system := func(name string, kind googlesql.Kind, expr string) {
		t := googlesql.Type{Kind: kind}
		if expr == "" {
			expr = "NULL"
		}
		all = append(all, translator.Variable{Name: name, Type: t, Expr: "CAST(" + expr + " AS " + t.DuckDB() + ")", System: true})
	}
	text := func(name, value string) {
		if value != "" {
			value = quote.Text(value)
		}
		system(name, googlesql.String, value)
	}
	job, ok := ctx.Value(jobKey{}).(*Job)
	if !ok {
		job = &Job{}
	}
	project := s.in.cfg.BigQuery.Project
	system("dataset_id", googlesql.String, "current_schema()")
	system("dataset_project_id", googlesql.String, quote.Text(project))
	system("project_id", googlesql.String, quote.Text(project))
	text("time_zone", "UTC")
	text("location", "US")
	for _, name := range freeVariables {
		text(name, s.script.set[name])
	}
	text("session_id", "")
	text("current_job_id", job.ID)
	text("last_job_id", job.Last)
	text("script.job_id", job.Script)
	changed := ""
	if n := s.script.changed; n != nil {
		changed = strconv.FormatInt(*n, 10)
	}
	system("row_count", googlesql.Int64, changed)
	began, ran := "", ""
	if t := s.script.began; !t.IsZero() {
		began, ran = quote.Text(t.UTC().Format("2006-01-02 15:04:05.000000Z")), strconv.Itoa(s.script.ran)
	}
	system("script.creation_time", googlesql.Timestamp, began)
	system("script.num_child_jobs", googlesql.Int64, ran)
	for _, name := range []string{"script.bytes_billed", "script.bytes_processed", "script.slot_ms"} { // nothing is counted here
		system(name, googlesql.Int64, "0")
	}
	if n := len(s.script.errs); n > 0 {
		all = append(all, handled(s.script.errs[n-1])...)
	}
	return all
}

// freeVariables are @@variables that may be set to any STRING and do nothing here.
var freeVariables = []string{"query_label", "reservation"}

// handled gives the @@variables of an error that a handler handles.
func handled(err error) []translator.Variable {
	var trace, lines []string
	statement := ""
	var e *Error
	if errors.As(err, &e) {
		statement = e.statement
		for _, f := range append(slices.Clone(e.frames), frame{line: e.Line, col: e.Col}) {
			place := "NULL"
			if f.procedure != "" {
				place = quote.Text(f.procedure)
			}
			trace = append(trace, fmt.Sprintf("row(%d, %d, NULL, %s)", f.line, f.col, place))
			lines = append(lines, f.String())
		}
	}
	t := googlesql.Type{Kind: googlesql.String}
	text := func(name, value string) translator.Variable {
		return translator.Variable{Name: "error." + name, Type: t, Expr: quote.Text(value), System: true}
	}
	return []translator.Variable{
		text("message", errorText(err)), text("statement_text", statement), text("formatted_stack_trace", strings.Join(lines, "\n")),
		{Name: "error.stack_trace", Type: traceType(), Expr: "CAST([" + strings.Join(trace, ", ") + "] AS " + traceType().DuckDB() + ")",
			System: true},
	}
}

// setSystem runs SET of an @@variable.
func (s *session) setSystem(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	name := strings.ToLower(strings.TrimPrefix(n.Names[0], "@@"))
	known := slices.ContainsFunc(s.variables(ctx), func(v translator.Variable) bool { return v.System && v.Name == name })
	switch {
	case !known:
		return s.scriptFault(ctx, src, n.Span, fmt.Errorf("Unrecognized name: @@%s", name))
	case slices.Contains(freeVariables, name):
	case name != "dataset_id" && name != "dataset_project_id" && name != "time_zone":
		return s.scriptFault(ctx, src, n.Span, fmt.Errorf("the system variable @@%s cannot be set", name))
	}
	value, err := s.text(ctx, src, n.Expr, "the value of @@"+name)
	if err != nil {
		return err
	}
	switch {
	case slices.Contains(freeVariables, name):
		if s.script.set == nil {
			s.script.set = map[string]string{}
		}
		s.script.set[name] = value
		return nil
	case name == "time_zone":
		if !slices.Contains([]string{"UTC", "ETC/UTC", "+00:00"}, strings.ToUpper(value)) {
			return s.scriptFault(ctx, src, n.Expr, fmt.Errorf("@@time_zone other than UTC is not supported, and this is %q", value))
		}
		return nil
	}
	return s.setDataset(ctx, src, n, name, value)
}

// setDataset changes where names without a dataset are looked for.
func (s *session) setDataset(ctx context.Context, src string, n *dialect.ScriptStatement, name, value string) error {
	db, schema := s.where()
	parts := strings.Split(value, ".")
	switch {
	case name == "dataset_id" && len(parts) > 1:
		db, schema = strings.Join(parts[:len(parts)-1], "."), parts[len(parts)-1]
	case name == "dataset_id":
		schema = value
	case value != s.in.cfg.BigQuery.Project:
		db = value
	}
	if db == s.in.cfg.BigQuery.Project {
		db, _ = s.where()
	}
	rows, err := s.rows(ctx, "SELECT database_name, schema_name FROM duckdb_schemas() WHERE lower(database_name) = lower("+quote.Text(db)+
		") AND lower(schema_name) = lower("+quote.Text(schema)+")")
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("Not found: Dataset %s.%s", db, schema)
	}
	if err != nil {
		return s.scriptFault(ctx, src, n.Expr, err)
	}
	x := s.execute(ctx, src)
	defer x.done()
	return x.retry(&dialect.Statement{}, func(int) error {
		x.plan = &planner.Plan{SQL: "USE " + quote.Path(fmt.Sprint(rows[0][0]), fmt.Sprint(rows[0][1])), Pos: -1, Verb: "USE",
			Lang: dialect.GoogleSQL}
		_, err := x.exec(nil)
		if err == nil {
			x.settle(ctx)
		}
		return err
	})
}

// own reports whether a name is one of DuckDB's settings.
func (s *session) own(ctx context.Context, name string) bool {
	rows, err := s.rows(ctx, "SELECT 1 FROM duckdb_settings() WHERE lower(name) = lower("+quote.Text(name)+")")
	return err != nil || len(rows) > 0
}
