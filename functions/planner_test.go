package functions

import (
	"strings"
	"testing"
)

// TestPlannerFacts holds DuckDB to what the shape of PredictSQL relies on, with an engine that counts rows.
func TestPlannerFacts(t *testing.T) {
	b := newBed(t)
	m := lengthModel()
	e := b.add(m, Native, lengths)
	b.must(`CREATE TABLE w AS SELECT i AS id, 'text number ' || i AS input, i % 7 AS k FROM range(10000) t(i)`)
	b.must(`CREATE TABLE keys AS SELECT * FROM (VALUES (10), (11), (12)) t(id)`)
	p := predictSQL(m, Native, "SELECT * FROM w")
	type fact struct {
		name, give string
		want       int64
	}
	facts := []fact{
		{"everything", `SELECT * FROM ` + p, 10000},
		{"outputs used many times", `SELECT dense_1[1] + dense_1[2], dense_1[1] * 2 FROM ` + p + ` WHERE dense_1[1] > 3 AND dense_1[2] > 3 ORDER BY dense_1[1]`, 10000},
		{"aggregate of an output", `SELECT sum(dense_1[1]), max(dense_1[2]) FROM ` + p + ` GROUP BY k`, 10000},
		{"filter on a passed column", `SELECT * FROM ` + p + ` WHERE id < 100`, 100},
		{"filter mixed with an output", `SELECT * FROM ` + p + ` WHERE id < 100 OR dense_1[1] > 99`, 10000},
		{"count", `SELECT count(*) FROM ` + p, 0},
		{"no output used", `SELECT max(id) FROM ` + p, 0},
		{"top n by a passed column", `SELECT * FROM ` + p + ` ORDER BY id LIMIT 5`, 10000},
		{"CTE used once", `WITH c AS (SELECT * FROM ` + p + `) SELECT * FROM c WHERE id < 10`, 10},
		{"CTE used twice", `WITH c AS (SELECT * FROM ` + p + `) SELECT * FROM c a JOIN c b USING (id)`, 10000},
		{"union", `SELECT id, dense_1[1] FROM ` + p + ` UNION ALL SELECT id, 0 FROM keys`, 10000},
		{"lateral", `SELECT * FROM (SELECT DISTINCT k FROM w), LATERAL ` + predictSQL(m, Native, "SELECT k || ' of the outer rows' AS input"), 7},
		{"exists", `SELECT * FROM keys WHERE EXISTS (SELECT 1 FROM ` + p + ` AS p WHERE p.id = keys.id AND dense_1[1] > 0)`, -3},
	}
	for _, f := range facts {
		e.reset()
		b.must(f.give)
		switch got := e.rows.Load(); {
		case f.want < 0 && (got < -f.want || got > 10000):
			t.Errorf("%s: %d rows inferred, want %d to 10000", f.name, got, -f.want)
		case f.want >= 0 && got != f.want:
			t.Errorf("%s: %d rows inferred, want %d", f.name, got, f.want)
		}
	}
	e.reset()
	b.must(`SELECT * FROM ` + p + ` LIMIT 5`)
	if got := e.rows.Load(); got != 5 {
		t.Errorf("LIMIT 5: %d rows inferred, want 5", got)
	}
	e.reset()
	b.must(`SELECT * FROM ` + p + ` JOIN keys USING (id)`)
	if got := e.rows.Load(); got < 3 || got >= 10000 {
		t.Errorf("join with three keys: %d rows inferred, want a pushed range", got)
	}
	if got := b.one(`SELECT sum(dense_1[1]) FROM ` + predictSQL(m, Native, "SELECT input, error('scanned') AS unused FROM w")); got == "" {
		t.Error("an unused column broke the query")
	}
	if _, err := b.query(`SELECT unused FROM ` + predictSQL(m, Native, "SELECT input, error('scanned') AS unused FROM w")); err == nil || !strings.Contains(err.Error(), "scanned") {
		t.Errorf("the unused column should fail when used, got %v", err)
	}
}

// TestPlannerFactsMaterialized repeats the facts that must hold around a slow model.
func TestPlannerFactsMaterialized(t *testing.T) {
	b := newBed(t)
	m := lengthModel()
	e := b.add(m, Native, lengths)
	m.tune.materialize.Store(true)
	b.must(`CREATE TABLE w AS SELECT i AS id, 'text number ' || i AS input FROM range(10000) t(i)`)
	p := predictSQL(m, Native, "SELECT * FROM w -- a comment")
	if !strings.Contains(p, "MATERIALIZED") {
		t.Fatal("the input is not materialised")
	}
	for _, f := range []struct {
		give string
		want int64
	}{
		{`SELECT * FROM ` + p, 10000},
		{`SELECT * FROM ` + p + ` WHERE id < 100`, 100},
		{`SELECT count(*) FROM ` + p, 0},
		{`SELECT * FROM ` + p + ` LIMIT 5`, 5},
	} {
		e.reset()
		b.must(f.give)
		if got := e.rows.Load(); got != f.want {
			t.Errorf("%s: %d rows inferred, want %d", f.give, got, f.want)
		}
	}
}

func TestPredictSQL(t *testing.T) {
	m := &Model{
		Name: "demo.m", Version: 7,
		Inputs:  []Port{{Name: "in put", DType: String, Shape: []int64{-1}}, {Name: `a"b`, DType: Float32, Shape: []int64{-1, 3}}},
		Outputs: []Port{{Name: "A", DType: Float32, Shape: []int64{-1}}, {Name: "a", DType: Int64, Shape: []int64{-1, -1}}},
	}
	before, after := m.PredictSQL("f", Native)
	want := `(SELECT __p.o0 AS "A", __p.o1 AS "a", * EXCLUDE (__p) FROM (SELECT system.main.f(7, __q."in put", __q."a""b") AS __p, * FROM (`
	if before != want || after != "\n) AS __q))" {
		t.Errorf("got %s…%s", before, after)
	}
	m.tune.materialize.Store(true)
	before, after = m.PredictSQL("f", Native)
	if before != want+"WITH __q AS MATERIALIZED (" || after != "\n) SELECT * FROM __q) AS __q))" {
		t.Errorf("materialised: got %s…%s", before, after)
	}
	types := m.InputTypes()
	if types["in put"] != "VARCHAR" || types[`a"b`] != "DOUBLE[]" {
		t.Errorf("input types: %v", types)
	}
	names := map[string]bool{}
	for _, outputs := range [][]Port{m.Outputs, m.Outputs[:1], m.Inputs} {
		for _, types := range []Types{Native, BigQuery} {
			names[PredictName(outputs, types)] = true
		}
	}
	if len(names) != 6 {
		t.Errorf("names are not told apart: %v", names)
	}
	if PredictName(m.Outputs, Native) != PredictName([]Port{{Name: "x", DType: BFloat16, Shape: []int64{-1, 1}}, {Name: "y", DType: Int64, Shape: []int64{-1, -1}}}, Native) {
		t.Error("equal result types have different names")
	}
}

// TestNames covers names that clash, and inputs that hide what the SQL calls its own.
func TestNames(t *testing.T) {
	b := newBed(t)
	m := &Model{
		Inputs:  []Port{{Name: "a", DType: Float32, Shape: []int64{-1}}, {Name: "b", DType: Float32, Shape: []int64{-1}}},
		Outputs: []Port{{Name: "A", DType: Float32, Shape: []int64{-1}}, {Name: "a", DType: Float32, Shape: []int64{-1}}},
	}
	b.add(m, Native, echo)
	equalRows(t, b.must(predictSQL2(m, Native, "SELECT 1 AS a, 2 AS b, 3 AS __p, 4 AS __q -- note")), [][]string{{"1", "2", "1", "2", "3", "4"}})
	equalRows(t, b.must(`CREATE OR REPLACE TABLE t AS SELECT * FROM `+predictSQL(m, Native, "SELECT 1 AS a, 2 AS b")), [][]string{{"1"}})
	equalRows(t, b.must(`SELECT column_name FROM (DESCRIBE t)`), [][]string{{"A"}, {"a_1"}, {"a_2"}, {"b"}})
	equalRows(t, b.must(`SELECT A, p.a_1 FROM t p`), [][]string{{"1", "2"}})
	// A column of an outer query is not taken for a missing input.
	if _, err := b.query(`SELECT (SELECT a FROM ` + predictSQL(m, Native, "SELECT 1 AS a") + ` LIMIT 1) FROM (SELECT 5 AS b)`); err == nil {
		t.Error("the outer column b fed the model")
	}
	// The user's macros do not hide the function.
	b.must(`CREATE MACRO ` + PredictName(m.Outputs, Native) + `(x, y, z) AS 42`)
	equalRows(t, b.must(predictSQL2(m, Native, "SELECT 8 AS a, 9 AS b")), [][]string{{"8", "9", "8", "9"}})
	for _, q := range []string{"FROM (VALUES (1, 2)) t(a, b)", "WITH c AS (SELECT 1 AS a, 2 AS b) SELECT * FROM c"} {
		equalRows(t, b.must(`SELECT "A" FROM `+predictSQL(m, Native, q)), [][]string{{"1"}})
	}
}

// TestNullRows looks at NULL rows from every side: the struct's own bit would let the slots through.
func TestNullRows(t *testing.T) {
	b := newBed(t)
	m := &Model{
		Inputs:  []Port{{Name: "x", DType: Float32, Shape: []int64{-1}}, {Name: "v", DType: String, Shape: []int64{-1, 2, 2}}},
		Outputs: []Port{{Name: "x", DType: Float32, Shape: []int64{-1}}, {Name: "v", DType: String, Shape: []int64{-1, 2, 2}}},
	}
	b.add(m, Native, echo)
	b.must(`CREATE TABLE n AS SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE i % 100 END AS x,
		CASE WHEN i % 5 = 0 THEN NULL ELSE [['a text of some length ' || i, 'b'], ['c', CASE WHEN i % 7 = 0 THEN NULL ELSE 'd' END]] END AS v FROM range(300000) t(i)`)
	want := b.one(`SELECT count(*) FROM n WHERE i % 3 > 0 AND i % 5 > 0 AND i % 7 > 0`)
	b.must("SET threads = 4")
	p := strings.Replace(predictSQL(m, Native, "SELECT * FROM n"), `AS "x", __p.o1 AS "v"`, `AS ox, __p.o1 AS ov`, 1)
	for _, q := range []string{
		`SELECT count(ox) FROM ` + p,
		`SELECT count(ov) FROM ` + p,
		`SELECT count(ov[1][1]) FROM ` + p,
		`SELECT count(*) FILTER (ov[2][2] = 'd' AND ov[1][1] = 'a text of some length ' || i AND ox = x) FROM ` + p,
		`SELECT count(*) FROM (SELECT p.* FROM ` + p + ` p) WHERE ox IS NOT NULL`,
		`SELECT count(s.o0) FROM (SELECT system.main.` + PredictName(m.Outputs, Native) + `(1, x, v) AS s FROM n)`,
		`SELECT count(s) FROM (SELECT system.main.` + PredictName(m.Outputs, Native) + `(1, x, v) AS s FROM n)`,
		`SELECT count(s.o1[1]) FROM (SELECT system.main.` + PredictName(m.Outputs, Native) + `(1, x, v) AS s FROM n)`,
	} {
		if got := b.one(q); got != want {
			t.Errorf("%s: got %s, want %s", q, got, want)
		}
	}
	b.host.q.Rows.Store(0)
	b.must(`CREATE TABLE c AS SELECT * FROM ` + p)
	if got := b.host.q.Rows.Load(); got != 300000 {
		t.Errorf("%d rows are done, want 300000", got)
	}
	if got := b.one(`SELECT count(ov[2][1]) FROM c`); got != want {
		t.Errorf("stored: got %s, want %s", got, want)
	}
	equalRows(t, b.must(predictSQL2(m, Native, "SELECT NULL AS x, NULL AS v")), [][]string{{"NULL", "NULL", "NULL", "NULL"}})
}

// TestChunks covers chunks of one row and of twenty, and vectors that are not flat in DuckDB.
func TestChunks(t *testing.T) {
	b := newBed(t)
	m := lengthModel()
	b.add(m, Native, lengths)
	b.must(`CREATE TABLE w AS SELECT i AS id, repeat('x', (i % 50)::INT) AS input FROM range(10000) t(i)`)
	for _, tt := range []struct{ give, want string }{
		{"SELECT * FROM w", "10000 0"},
		{"SELECT * FROM w WHERE hash(id) % 100 = 0", ""},
		{"SELECT * FROM w WHERE id = 77", "1 0"},
		{"SELECT * FROM w WHERE id < 0", "0 0"},
		{"SELECT 1 AS id, 'constant' AS input FROM range(3000)", "3000 0"},
		{"SELECT 1 AS id, CASE WHEN false THEN 'x' END AS input FROM range(3000)", "3000 3000"},
		{"SELECT w.* FROM w JOIN (SELECT unnest(range(20)) AS id) USING (id)", "20 0"},
		{"SELECT id, unnest([input, NULL, 'x']) AS input FROM w", "30000 10000"},
		{"SELECT * FROM w USING SAMPLE 10% (bernoulli, 1)", ""},
		{"SELECT id, input::ENUM_T AS input FROM (SELECT id, ['a','b'][1 + id % 2] AS input FROM w)", "10000 0"},
	} {
		if strings.Contains(tt.give, "ENUM_T") {
			b.must("CREATE TYPE ENUM_T AS ENUM ('a', 'b')")
		}
		got := b.must(`SELECT count(*), count(*) FILTER (dense_1 IS NULL), count(*) FILTER (dense_1[1] <> length(input)) FROM ` + predictSQL(m, Native, tt.give))
		if got[0][2] != "0" || tt.want != "" && got[0][0]+" "+got[0][1] != tt.want {
			t.Errorf("%s: got %v, want %s and no difference", tt.give, got[0], tt.want)
		}
	}
}
