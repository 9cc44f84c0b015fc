package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/quote"
)

// input is the relation that a statement reads, as DuckDB names it: in a database in memory, and in the file of a worker.
const input = "input"

// Statement reads the user's text into the spec: what stands before the last statement is run by each worker, the last one is the
// query. A query that cannot be run in parts is refused with the place of what stands against it. from names the text in errors.
func (s *Spec) Statement(ctx context.Context, from, src, combine string) error {
	w, err := open(ctx, s, true)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.exec(ctx, "CREATE TABLE "+quote.Name(input)+" ("+declared(s.Columns)+")"); err != nil {
		return err
	}
	// Over an empty table DuckDB would leave out all that reads it.
	if err := w.exec(ctx, "SET GLOBAL disabled_optimizers = 'statistics_propagation,empty_result_pullup'"); err != nil {
		return err
	}
	all, err := w.connector.Analyze(ctx, src)
	if err != nil {
		return rendered(from, err)
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: there is no statement; give one query over the relation input", from)
	}
	query := all[len(all)-1]
	for _, a := range all[:len(all)-1] {
		if reads(a, input) {
			return fmt.Errorf("%s: this statement stands before the query and reads input, which only the last statement does",
				position(from, src, a.Pos))
		}
		switch verb, _, _ := strings.Cut(a.Kind, " "); verb {
		case "SELECT", "FROM", "WITH", "VALUES", "COPY", "EXPORT":
			return fmt.Errorf("%s: %s stands before the query and its rows go nowhere; a job has one query, the last statement",
				position(from, src, a.Pos), a.Kind)
		}
	}
	if err := cutAt(query, from, src, combine != ""); err != nil {
		return err
	}
	s.Setup, s.Query = src[:query.Pos], src[query.Pos:query.End]
	if err := s.writes(ctx, w.connector, from); err != nil {
		return err
	}
	if combine == "" {
		return nil
	}
	columns := make([]Column, len(query.Columns))
	for i, c := range query.Columns {
		columns[i] = Column{c.Name, c.DuckDB}
	}
	if err := w.exec(ctx, "CREATE TABLE "+quote.Name("output")+" ("+declared(columns)+")"); err != nil {
		return err
	}
	if _, err := w.connector.Analyze(ctx, s.Setup+combine); err != nil {
		return rendered("-combine", err)
	}
	return nil
}

// writes finds out which statement writes the rows of the query: COPY knows DuckDB's SQL, EXPORT DATA GoogleSQL.
func (s *Spec) writes(ctx context.Context, c *mallard.Connector, from string) error {
	var failed error
	for _, export := range []bool{s.Dialect == "bigquery", s.Dialect != "bigquery"} {
		s.Export = export
		_, err := c.Analyze(ctx, s.Setup+s.writing("checked"))
		if err == nil {
			return nil
		}
		if failed == nil {
			failed = err
		}
	}
	return fmt.Errorf("%s: the query's rows cannot be written as %s: %w", from, s.OutputFormat, failed)
}

// writing is the statement that runs the query into a file.
func (s *Spec) writing(file string) string {
	if s.Export {
		return "EXPORT DATA OPTIONS (uri = " + googlesql.QuoteText(file) +
			", format = '" + strings.ToUpper(string(s.OutputFormat)) + "', overwrite = true" +
			map[Format]string{CSV: ", header = true"}[s.OutputFormat] + ") AS\n" + s.Query
	}
	return "COPY (\n" + s.Query + "\n) TO " + quote.Text(file) + " (" + options(s.OutputFormat) + ")"
}

func options(f Format) string {
	switch f {
	case CSV:
		return "FORMAT csv, HEADER"
	case JSON:
		return "FORMAT json"
	}
	return "FORMAT parquet"
}

// cutAt refuses a query that cannot be run in parts of the input.
func cutAt(a mallard.Analysis, from, src string, combine bool) error {
	if !reads(a, input) {
		return fmt.Errorf("%s: the query does not read input, the relation of the files' rows", position(from, src, a.Pos))
	}
	if len(a.Parameters) > 0 {
		return fmt.Errorf("%s: the query has a parameter, and nobody gives it a value; write the value into it", position(from, src, a.Pos))
	}
	allowed := false
	for _, b := range a.Barriers {
		if !slices.ContainsFunc(b.Over, isInput) {
			continue
		}
		if b.Combines && combine {
			allowed = true
			continue
		}
		hint := "take it out, and do it over the output of the job"
		if b.Combines {
			hint = "give -combine SQL, which finishes the parts' results over the relation output; or take it out"
		}
		return fmt.Errorf("%s: %s takes the rows of all of input together, and each part of input is run by itself; %s",
			position(from, src, b.Pos), b.Name, hint)
	}
	if !allowed && !slices.ContainsFunc(a.Sharded, isInput) {
		return fmt.Errorf("%s: it cannot be told that this query gives the same for the parts of input as for the whole; read input once, and "+
			"use projections, filters, UNNEST, functions and joins with small tables", position(from, src, a.Pos))
	}
	return nil
}

func reads(a mallard.Analysis, relation string) bool {
	return slices.ContainsFunc(a.Reads, func(r string) bool { return strings.EqualFold(strings.Trim(r, "`\""), relation) })
}

// isInput recognises the relation in DuckDB's plans.
func isInput(table string) bool {
	return strings.HasSuffix(table, `.main."input"`) || strings.HasSuffix(table, ".main.input")
}

func declared(columns []Column) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = quote.Name(c.Name) + " " + c.Type
	}
	return strings.Join(all, ", ")
}

// position writes where in a text a byte is, as errors of statements do.
func position(from, src string, pos int) string {
	line, col := dialect.LineCol(src, pos)
	return fmt.Sprintf("%s:%d:%d", from, line, col)
}

// rendered gives an error of a statement with its place and its line.
func rendered(from string, err error) error {
	var e *mallard.Error
	if errors.As(err, &e) {
		return errors.New(strings.TrimRight(e.Render(from), "\n"))
	}
	return fmt.Errorf("%s: %w", from, err)
}
