package extension_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/failure"
)

func columnsOf(t *testing.T, text string) []googlesql.Field {
	t.Helper()
	fields, err := googlesql.ParseColumns(text)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// analyzed writes an analysis in one line.
func analyzed(a extension.Analysis) string {
	var b strings.Builder
	b.WriteString(a.Kind)
	for _, part := range []struct {
		name string
		list []string
	}{{"reads", a.Reads}, {"writes", a.Writes}, {"models", a.Models}} {
		if len(part.list) > 0 {
			fmt.Fprintf(&b, " %s %s;", part.name, strings.Join(part.list, ", "))
		}
	}
	for _, p := range a.Parameters {
		fmt.Fprintf(&b, " $%s %s;", p.Name, p.Type)
	}
	for _, c := range a.Columns {
		if c.Err != nil {
			fmt.Fprintf(&b, " %s !%s;", c.Name, c.DuckDB)
		} else {
			fmt.Fprintf(&b, " %s %s;", c.Name, c.Type)
		}
	}
	if a.RowWise {
		b.WriteString(" row-wise over " + a.Input)
	}
	return b.String()
}

// TestAnalyze: kinds, relations, models, parameters, result types and row-wise statements, without a database of the user's.
func TestAnalyze(t *testing.T) {
	cfg := config(t)
	cfg.BigQuery.Project = "p"
	o := extension.AnalyzeOptions{Config: cfg, Tables: []extension.Relation{
		{Name: "demo.t", Columns: columnsOf(t, "id INT64, input STRING, price NUMERIC, tags ARRAY<STRING>, ts TIMESTAMP")},
		{Name: "p.demo.side", Columns: columnsOf(t, "id INT64, name STRING")},
		{Name: "other.demo.t", Columns: columnsOf(t, "id INT64")},
	}}
	create := strings.Replace(withModels(t, createText), "OR REPLACE ", "", 1)
	for _, tt := range []struct {
		give string
		want []string
	}{
		{"SELECT id, price * 2 AS twice, ts FROM demo.t WHERE id > 3", []string{"SELECT reads demo.t; id INT64; twice NUMERIC; ts TIMESTAMP; row-wise over memory.demo.t"}},
		{"SELECT `id`, CONCAT(`input`, 'x') AS s FROM `p.demo.t`", []string{"SELECT reads p.demo.t; id INT64; s STRING; row-wise over memory.demo.t"}},
		{"SELECT id, unnest(tags) AS tag, random() FROM demo.t", []string{"SELECT reads demo.t; id INT64; tag STRING; random() FLOAT64; row-wise over memory.demo.t"}},
		{"SELECT count(*) FROM demo.t", []string{"SELECT reads demo.t; count_star() INT64;"}},
		{"SELECT id FROM demo.t ORDER BY id", []string{"SELECT reads demo.t; id INT64;"}},
		{"SELECT id FROM demo.t LIMIT 3", []string{"SELECT reads demo.t; id INT64;"}},
		{"SELECT DISTINCT id FROM demo.t", []string{"SELECT reads demo.t; id INT64;"}},
		{"SELECT id, row_number() OVER () AS n FROM demo.t", []string{"SELECT reads demo.t; id INT64; n INT64;"}},
		{"SELECT name FROM demo.t JOIN demo.side USING (id)", []string{"SELECT reads demo.t, demo.side; name STRING;"}},
		{"SELECT id FROM other.demo.t", []string{"SELECT reads other.demo.t; id INT64; row-wise over other.demo.t"}},
		{"SELECT id + $x::BIGINT AS y FROM demo.t WHERE input = $y", []string{"SELECT reads demo.t; $x INT64; $y STRING; y INT64; row-wise over memory.demo.t"}},
		{"SELECT id + $x AS y FROM demo.t", []string{"SELECT reads demo.t; $x ?; unknown !DuckDB type 0; row-wise over memory.demo.t"}},
		{"SELECT '1'::BIT AS b, 1 AS i", []string{"SELECT b !BIT; i INT64;"}},
		{"INSERT INTO demo.side SELECT id, input FROM demo.t", []string{"INSERT reads demo.t; writes demo.side;"}},
		{"DELETE FROM demo.side WHERE id = 1 RETURNING name", []string{"DELETE writes demo.side; name STRING;"}},
		{"CREATE TABLE demo.u AS SELECT id AS k FROM demo.t; SELECT k FROM demo.u", []string{"CREATE TABLE reads demo.t; writes demo.u;", "SELECT reads demo.u; k INT64; row-wise over memory.demo.u"}},
		{"CREATE VIEW demo.v AS SELECT input FROM demo.t; SELECT * FROM demo.v; DROP VIEW demo.v",
			[]string{"CREATE VIEW reads demo.t; writes demo.v;", "SELECT reads demo.v; input STRING; row-wise over memory.demo.t", "DROP VIEW writes demo.v;"}},
		{create + "; SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT id, input FROM demo.t))",
			[]string{"CREATE MODEL models demo.m;", "SELECT reads demo.t; models demo.m; dense_1 ARRAY<FLOAT64>; id INT64; input STRING; row-wise over memory.demo.t"}},
		{create + "; SELECT dense_1 FROM ML.PREDICT(MODEL demo.m, (SELECT ? AS input))",
			[]string{"CREATE MODEL models demo.m;", "SELECT models demo.m; $1 STRING; dense_1 ARRAY<FLOAT64>;"}},
		{create + "; WITH q AS (SELECT input FROM demo.t) SELECT a.dense_1 FROM ML.PREDICT(MODEL demo.m, TABLE demo.t) a, ML.PREDICT(MODEL demo.m, TABLE q)",
			[]string{"CREATE MODEL models demo.m;", "WITH reads demo.t; models demo.m; dense_1 ARRAY<FLOAT64>;"}},
	} {
		all, err := extension.Analyze(t.Context(), tt.give, o)
		if err != nil {
			t.Errorf("%s: %v", tt.give, err)
			continue
		}
		for i, a := range all {
			if got := strings.TrimSpace(analyzed(a)); i >= len(tt.want) || got != tt.want[i] {
				t.Errorf("%s:\n got %s\nwant %s", tt.give, got, tt.want[min(i, len(tt.want)-1)])
			}
		}
		if len(all) != len(tt.want) {
			t.Errorf("%s: %d statements", tt.give, len(all))
		}
	}
	_, err := extension.Analyze(t.Context(), "SELECT 1;\nSELECT nope FROM demo.t", o)
	var e *extension.Error
	if !errors.As(err, &e) || e.Line != 2 || extension.CodeOf(err) != failure.InvalidQuery {
		t.Errorf("an unknown column: %v", err)
	}
	if _, err := extension.Analyze(t.Context(), "SELECT 1", extension.AnalyzeOptions{Tables: []extension.Relation{{Name: "t", Columns: columnsOf(t, "g GEOGRAPHY")}}}); err == nil {
		t.Error("a column that DuckDB has no type for")
	}
}

// TestAnalyzeChangesNothing: over a user's database, DDL is rolled back and nothing is changed or asked.
func TestAnalyzeChangesNothing(t *testing.T) {
	c, err := extension.NewConnector("", extension.Options{Config: config(t)})
	if err != nil {
		t.Fatal(err)
	}
	db := openConnector(t, c)
	exec(t, db, "CREATE SCHEMA demo", withModels(t, createText), "CREATE TABLE t AS SELECT 'a' AS input")
	all, err := c.Analyze(t.Context(), "CREATE TABLE u AS SELECT * FROM ML.PREDICT(MODEL demo.m, TABLE t); INSERT INTO t FROM u SELECT input; DELETE FROM t; DROP MODEL demo.m; SELECT * FROM u")
	if err != nil {
		t.Fatal(err)
	}
	if got := analyzed(all[4]); got != "SELECT reads u; dense_1 ARRAY<FLOAT64>; input STRING; row-wise over memory.main.u" {
		t.Error(got)
	}
	if n := one[int](t, db, "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("%d rows", n)
	}
	if n := one[int](t, db, "SELECT count(*) FROM ML.PREDICT(MODEL demo.m, TABLE t)"); n != 1 {
		t.Errorf("%d predictions", n)
	}
	if n := one[int](t, db, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'u'"); n != 0 {
		t.Errorf("a table was made")
	}
}

// TestAnalyzeRemote: what remote models would be asked is counted where it can be, and nothing is sent.
func TestAnalyzeRemote(t *testing.T) {
	server, cfg := emulator(t, vertextest.Options{})
	c, err := extension.NewConnector("", extension.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	db := openConnector(t, c)
	exec(t, db, "CREATE SCHEMA bqml_tutorial", createGemini, "CREATE TABLE t AS SELECT unnest(['a', 'b', 'a', 'c']) AS prompt", "CREATE TABLE answers (a VARCHAR)")
	const ask = `SELECT ml_generate_text_result AS a FROM ML.GENERATE_TEXT(MODEL "bqml_tutorial"."gemini-vision", TABLE t)`
	const counted = "4 rows, 3 distinct, 3 requests"
	for _, tt := range []struct {
		give string
		want []string // of each statement; "" for none that asks
	}{
		{"SELECT * FROM t", []string{""}},
		{ask, []string{counted}},
		{ask + " LIMIT 0", []string{"nothing"}},
		{"CREATE TEMP TABLE u AS " + ask + "; SELECT * FROM u", []string{counted, ""}},
		{"INSERT INTO answers (a) " + ask + " RETURNING a", []string{counted}},
		{"COPY (" + ask + ") TO 'answers.csv'", []string{counted}},
		{"WITH q AS (" + ask + ") SELECT count(a) FROM q", []string{counted}},
		{"SELECT AI.GENERATE(prompt, endpoint => 'gemini-2.5-flash') FROM t WHERE prompt <> 'c'", []string{"3 rows, 2 distinct, 2 requests"}},
		{strings.Replace(ask, "TABLE t)", "(SELECT ? AS prompt))", 1), []string{"unknown"}},
		{"UPDATE answers SET a = AI.GENERATE(a, endpoint => 'gemini-2.5-flash').result", []string{"unknown"}},
		{"DELETE FROM t; " + ask, []string{"", "unknown"}},
	} {
		all, err := c.Analyze(t.Context(), tt.give)
		if err != nil {
			t.Errorf("%s: %v", tt.give, err)
			continue
		}
		var got []string
		for _, a := range all {
			text := ""
			switch {
			case a.Asks && a.Remote == nil:
				text = "unknown"
			case a.Asks && len(a.Remote) == 0:
				text = "nothing"
			}
			for _, e := range a.Remote {
				text += fmt.Sprintf("%d rows, %d distinct, %d requests", e.Rows, e.Distinct, e.Requests)
			}
			got = append(got, text)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %q\nwant %q", tt.give, got, tt.want)
		}
	}
	// With the values of its parameters a statement is counted too.
	c1, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c1.Close()
	err = c1.Raw(func(dc any) error {
		of := dc.(interface {
			AnalyzeSteps(ctx context.Context, src string, args []driver.NamedValue) ([]extension.Analysis, error)
		})
		all, err := of.AnalyzeSteps(t.Context(), "SELECT * FROM t WHERE prompt <> ?; SELECT AI.GENERATE(prompt, endpoint => 'gemini-2.5-flash') FROM t WHERE prompt <> ?",
			[]driver.NamedValue{{Ordinal: 1, Value: "b"}, {Ordinal: 2, Value: "a"}})
		if err == nil && (len(all) != 2 || len(all[1].Remote) != 1 || all[1].Remote[0].Rows != 2) {
			t.Errorf("with arguments: %+v", all)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if n := server.Count(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if n := one[int](t, db, "SELECT count(*) FROM answers"); n != 0 {
		t.Errorf("%d rows were written", n)
	}
	// Without a database nobody knows how many rows there are.
	all, err := extension.Analyze(t.Context(), "SELECT AI.GENERATE('a', endpoint => 'gemini-2.5-flash')", extension.AnalyzeOptions{Config: cfg})
	if err != nil || !all[0].Asks || all[0].Remote != nil {
		t.Error(all, err)
	}
}
