package extension_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/extension"
)

const (
	createText = "CREATE OR REPLACE MODEL demo.m OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='%s/text_classifier/*')"
)

func withModels(t testing.TB, s string) string { return strings.ReplaceAll(s, "%s", models(t)) }

// TestPreparedFollowsModel: a prepared statement notices a replaced model, also one with other outputs, and says clearly
// when it is gone.
func TestPreparedFollowsModel(t *testing.T) {
	db := open(t, "", config(t))
	exec(t, db, "CREATE SCHEMA demo", withModels(t, createText))
	st, err := db.PrepareContext(t.Context(), "SELECT len(dense_1) FROM ML.PREDICT(MODEL demo.m, (SELECT ? AS input))")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	width := func() (n int, err error) {
		err = st.QueryRowContext(t.Context(), "a title").Scan(&n)
		return n, err
	}
	if n, err := width(); n != 3 || err != nil {
		t.Fatalf("first: %d, %v", n, err)
	}
	exec(t, db, withModels(t, "CREATE OR REPLACE MODEL demo.m OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='%s/nnlm_like/*')"))
	if _, err := width(); err == nil || !strings.Contains(err.Error(), "content") {
		t.Fatalf("replaced by a model with other columns: %v", err)
	}
	exec(t, db, withModels(t, createText))
	if n, err := width(); n != 3 || err != nil {
		t.Fatalf("replaced again: %d, %v", n, err)
	}
	exec(t, db, "DROP MODEL demo.m")
	if _, err := width(); err == nil || !strings.Contains(err.Error(), "model `demo.m` not found") {
		t.Fatalf("dropped: %v", err)
	}
}

// TestInferredRows counts what the planner really sends to the model: each row once, and no row too many.
func TestInferredRows(t *testing.T) {
	db := open(t, "", config(t))
	exec(t, db, "CREATE SCHEMA demo", withModels(t, createText),
		"CREATE TABLE w AS SELECT i AS id, 'title ' || i AS input FROM range(10000) t(i)",
		"CREATE VIEW unscanned AS SELECT id, input, CASE WHEN id >= 0 THEN error('scanned') END AS never FROM w")
	const predict = "ML.PREDICT(MODEL demo.m, TABLE w)"
	tests := []struct {
		name, give string
		want       int64
	}{
		{"star", "SELECT * FROM " + predict, 10000},
		{"output used often", "SELECT dense_1[1] + dense_1[2], dense_1[1] * 2 FROM " + predict + " WHERE dense_1[1] >= 0 ORDER BY dense_1[2]", 10000},
		{"filter below the model", "SELECT * FROM " + predict + " WHERE id < 100", 100},
		{"count", "SELECT count(*) FROM " + predict, 0},
		{"passed-through columns only", "SELECT max(id), max(input) FROM " + predict, 0},
		{"limit", "SELECT * FROM " + predict + " LIMIT 5", 5},
		// DuckDB 1.5.6 no longer pushes an OFFSET below a volatile function: the chunks that it skips are computed.
		{"limit with offset", "SELECT * FROM " + predict + " LIMIT 5 OFFSET 3000", 4096},
		{"limit with offset in the input", "SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT * FROM w LIMIT 5 OFFSET 3000))", 5},
		{"CTE used once", "WITH p AS (SELECT * FROM " + predict + ") SELECT * FROM p WHERE id = 7", 1},
		{"nested", "SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT * EXCLUDE (dense_1) FROM ML.PREDICT(MODEL demo.m, TABLE w) WHERE id < 3 AND dense_1[1] >= 0))", 6},
		{"plain form", "SELECT * FROM ML_PREDICT('demo.m', 'SELECT * FROM w') WHERE id < 100", 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p extension.Progress
			rows, err := db.QueryContext(extension.WithProgress(t.Context(), &p), tt.give)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				t.Fatal(err)
			}
			if p.Rows() != tt.want {
				t.Errorf("%d rows inferred, want %d", p.Rows(), tt.want)
			}
		})
	}
}

// TestUnusedColumns: what nobody uses is not scanned, unless the model is slow enough for its input to be gathered first:
// DuckDB computes all columns of a materialised CTE.
func TestUnusedColumns(t *testing.T) {
	db := open(t, "", config(t))
	exec(t, db, "CREATE SCHEMA demo", withModels(t, createText),
		"CREATE VIEW unscanned AS SELECT i AS id, 'title' AS input, CASE WHEN i >= 0 THEN error('scanned') END AS never FROM range(100) t(i)")
	text := one[string](t, db, "SELECT system.main.mallard_call('ML.PREDICT', 'demo.m', 'FROM unscanned', 'native', '', '')")
	_, err := db.ExecContext(t.Context(), "CREATE TABLE t AS SELECT id, dense_1 FROM ML_PREDICT('demo.m', 'FROM unscanned')")
	if slow := strings.Contains(text, "MATERIALIZED"); slow != (err != nil) {
		t.Errorf("input gathered first: %v, error: %v", slow, err)
	}
}

// TestCancel: a cancelled query ends within a second, and its connection serves on.
func TestCancel(t *testing.T) {
	db := open(t, "", config(t))
	db.SetMaxOpenConns(1)
	exec(t, db, "CREATE SCHEMA demo", withModels(t, "CREATE MODEL demo.slow OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='%s/slow/*')"))
	input := one[string](t, db, "SELECT name FROM ml_model_info('demo.slow') WHERE role = 'input'")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := db.ExecContext(ctx, "CREATE TABLE never AS SELECT * FROM ML.PREDICT(MODEL demo.slow, (SELECT random()::FLOAT AS "+input+" FROM range(1000000)))")
	late := time.Since(deadline(ctx))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	if late > 10*time.Second { // a second on a quiet machine
		t.Errorf("ended %v after the cancel", late)
	}
	if n := one[int](t, db, "SELECT 42"); n != 42 {
		t.Errorf("afterwards: %d", n)
	}
}

func deadline(ctx context.Context) time.Time {
	d, _ := ctx.Deadline()
	return d
}

// TestRaw: the appender, which wants the driver's own connection, is reachable.
func TestRaw(t *testing.T) {
	db := open(t, "", config(t))
	exec(t, db, "CREATE TABLE w (i BIGINT)")
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Raw(func(dc any) error {
		a, err := duckdb.NewAppenderFromConn(dc.(interface{ Raw() *duckdb.Conn }).Raw(), "", "w")
		if err != nil {
			return err
		}
		return errors.Join(a.AppendRow(int64(42)), a.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, db, "SELECT i FROM w"); n != 42 {
		t.Errorf("appended %d", n)
	}
}

// TestTypedErrors: what went wrong can be found with errors.As, with its place.
func TestTypedErrors(t *testing.T) {
	db := open(t, "", config(t))
	_, err := db.ExecContext(t.Context(), "SELECT 1;\nSELECT *\nFROM nowhere")
	var e *extension.Error
	var d *duckdb.Error
	if !errors.As(err, &e) || !errors.As(err, &d) {
		t.Fatalf("%T: %v", err, err)
	}
	if e.Line != 3 || e.Col != 6 || d.Type != duckdb.ErrorTypeCatalog {
		t.Errorf("at %d:%d, type %v: %v", e.Line, e.Col, d.Type, err)
	}
}

// TestSQLOpen: the driver's name works, with our own settings in the data source name.
func TestSQLOpen(t *testing.T) {
	db, err := sql.Open("mallard", "?mallard_dialect=bigquery&threads=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if s := one[string](t, db, `SELECT "a string" # a comment`); s != "a string" {
		t.Errorf("got %q", s)
	}
}
