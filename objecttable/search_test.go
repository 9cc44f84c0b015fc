package objecttable

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// The values are those of BigQuery's pages on ML.DISTANCE and COSINE_DISTANCE, or worked out by hand.
func TestDistances(t *testing.T) {
	db := openDB(t, Options{})
	for _, tt := range []struct{ give, want string }{
		{"ml_distance([4.1, .5, 1], [3, 0, 2.5])", "1.926136028425822"},
		{"ml_distance([1, 2], [4, 6], 'MANHATTAN')", "7"},
		{"ml_distance([1, 2]::FLOAT[2], [4, 6], 'euclidean')", "5"},
		{"COSINE_DISTANCE([1.0, 2.0], [3.0, 4.0])", "0.01613008990009257"},
		{"EUCLIDEAN_DISTANCE([1.0, 2.0], [4.0, 6.0])", "5"},
		{"ml_distance([{'key': 'a', 'value': 3}, {'key': 'b', 'value': 1}], [{'key': 'b', 'value': 5}])", "5"},
		{"ml_distance([{'key': 1, 'value': 3}], [{'key': 2, 'value': 4}])", "5"},
		{"euclidean_distance([{'key': 1, 'value': 3}], [{'key': 2, 'value': 4}])", "5"},
		{"cosine_distance([{'key': 'a', 'value': 3}], [{'key': 'b', 'value': 4}])", "1"},
		{"ml_distance(NULL::DOUBLE[], [1.0])", "<nil>"},
		{"ml_distance([1.0, NULL], [1.0, 2.0])", "<nil>"},
		{"ml_distance([]::DOUBLE[], []::DOUBLE[])", "0"},
	} {
		db.want(tt.want, "SELECT "+tt.give)
	}
	db.wantError("must have the same number", "SELECT ml_distance([1.0], [1.0, 2.0], 'COSINE')")
	db.wantError("zero vector", "SELECT ml_distance([0.0], [1.0], 'COSINE')")
	db.wantError("use EUCLIDEAN, MANHATTAN or COSINE", "SELECT ml_distance([0.0], [1.0], 'JACCARD')")
	db.wantError("use EUCLIDEAN, MANHATTAN or COSINE", "SELECT ml_distance([0.0], [1.0], 'DOT_PRODUCT')")
	db.wantError("beyond FLOAT64", "SELECT ml_distance([1e308], [-1e308])")
	// Rows that a filter leaves out, before or behind it, are not looked at.
	db.want("5", `SELECT max(ml_distance(v, [0.0, 0.0])) FROM (VALUES ([3.0, 4.0]), ([1.0]), ([NULL, 1.0]), (NULL)) t(v) WHERE len(v) = 2`)
	db.want("1", `SELECT count(*) FROM (VALUES ([3.0, 4.0]), ([1.0])) t(v) WHERE len(v) = 2 AND ml_distance(v, [0.0, 0.0]) < 6`)
	db.want("5\n<nil>", `SELECT CASE WHEN len(v) = 2 THEN ml_distance(v, [0.0, 0.0]) END AS d FROM (VALUES ([3.0, 4.0]), ([1.0])) t(v) ORDER BY d`)
	// What a user has by these names stays theirs.
	db.want("42", `CREATE MACRO cosine_distance(a, b) AS 42; SELECT cosine_distance([1.0], [2.0])`)
}

// TestMetrics has vectors whose squares FLOAT64 does not hold. The values are from exact arithmetic (Python's fractions and
// decimal with 60 digits).
func TestMetrics(t *testing.T) {
	inf, nan, beyond := math.Inf(1), math.NaN(), -1.0
	for _, tt := range []struct {
		x, y                                 []float64
		euclidean, cosine, manhattan, negdot float64 // NaN: not asked
	}{
		{[]float64{3e200, 4e200}, []float64{0, 0}, 5e200, nan, 7e200, 0},
		{[]float64{3e-200, 4e-200}, []float64{0, 0}, 5e-200, nan, 7e-200, 0},
		{[]float64{1e200, 0}, []float64{1, 0}, 1e200, 0, 1e200, -1e200},
		{[]float64{1e-200, 1e-200}, []float64{1, 0}, 1, 0.2928932188134525, 1, -1e-200},
		{[]float64{1e200, 1e-200}, []float64{1e-200, 1e200}, 1.414213562373095e200, 1, 2e200, -2},
		{[]float64{1e308, -1e308}, []float64{-5e307, 1e307}, beyond, 1.8320502943378436, beyond, inf},
		{[]float64{1, 1e-200}, []float64{1, 2e-200}, 1e-200, 0, 1e-200, -1},
		{[]float64{5e-324, 0}, []float64{0, 5e-324}, 5e-324, 1, 1e-323, 0},
		{[]float64{1e200, 1e200, 1}, []float64{1e200, -1e200, 3}, 2e200, 1, 2e200, -3},
		{[]float64{1e-200, 2}, []float64{3e-200, 0}, 2, 1, 2, 0},
		{[]float64{1.7e308, 1}, []float64{1.7e308, 1}, 0, 0, 0, inf},
		{[]float64{1e160, 2e160, 3e160}, []float64{1e160, 2e160, 4e160}, 1e160, 0.008539866016332678, 1e160, inf},
		{[]float64{1e-170, 2e-170}, []float64{2e-170, 1e-170}, 1.414213562373095e-170, 0.2, 2e-170, 0},
		{[]float64{inf, 1}, []float64{0, 1}, inf, nan, inf, nan},
	} {
		for _, m := range []struct {
			name string
			want float64
		}{{"EUCLIDEAN", tt.euclidean}, {"COSINE", tt.cosine}, {"MANHATTAN", tt.manhattan}, {"DOT_PRODUCT", tt.negdot}} {
			got, err := metricNamed(m.name)(tt.x, tt.y)
			switch {
			case m.want != m.want:
			case m.want == beyond && m.name != "DOT_PRODUCT", m.name == "DOT_PRODUCT" && math.IsInf(m.want, 0):
				if !errors.Is(err, errBeyond) {
					t.Errorf("%s of %v and %v = %v, %v; want an error", m.name, tt.x, tt.y, got, err)
				}
			case err != nil || !(got == m.want || math.Abs(got-m.want) <= 4e-16*math.Max(math.Abs(m.want), map[bool]float64{true: 1}[m.name == "COSINE"])) || math.Signbit(got) && got == 0:
				t.Errorf("%s of %v and %v = %v, %v; want %v", m.name, tt.x, tt.y, got, err, m.want)
			}
		}
	}
	if _, err := cosine([]float64{0, 0}, []float64{1e200, 0}); !errors.Is(err, errZero) {
		t.Errorf("a zero vector: %v", err)
	}
}

func TestVectorSearch(t *testing.T) {
	db := openDB(t, Options{})
	if _, err := db.Exec(`CREATE TABLE base AS SELECT i AS id, [i, 0.0]::DOUBLE[] AS v FROM range(5000) t(i);
		INSERT INTO base VALUES (-1, NULL); CREATE TABLE q AS SELECT * FROM (VALUES ('x', [10.2, 0.0]), ('y', [20.9, 0.0]), ('n', NULL)) t(name, e)`); err != nil {
		t.Fatal(err)
	}
	s := VectorSearch{Base: "FROM base", Column: "v", Query: "SELECT * FROM q -- note", QueryColumn: "e", TopK: 2}
	run := func(s VectorSearch, columns, want string) {
		t.Helper()
		sql, err := s.SQL()
		if err != nil {
			t.Fatal(err)
		}
		db.want(want, "SELECT "+columns+" FROM "+sql+" ORDER BY ALL")
	}
	run(s, "query.name, base.id, round(distance, 3)", "x|10|0.2\nx|11|0.8\ny|20|0.9\ny|21|0.1")
	run(s, "DISTINCT typeof(query), typeof(base), typeof(distance)", "STRUCT(\"name\" VARCHAR, e DECIMAL(3,1)[])|STRUCT(id BIGINT, v DOUBLE[])|DOUBLE")
	s.QueryColumn, s.QueryColumns = "", []string{"e"}
	run(s, "query.name, base.id", "x|10\nx|11\ny|20\ny|21")
	s.TopK = -1
	run(s, "count(*), min(base.id)", "10000|0")
	s.TopK = 0
	run(s, "count(*)", "20")
	s.DistanceType = "dot_product"
	run(s, "round(min(distance), 6)", "-104479.1") // 20.9 × 4999
	one := VectorSearch{Base: "SELECT id, v FROM base WHERE id > 0", Column: "V", QueryValue: "SELECT [3.4, 0.0]", TopK: 3, Options: `{"use_brute_force":true}`}
	run(one, "base.id, round(distance, 3)", "2|1.4\n3|0.4\n4|0.6")
	sql, err := one.SQL()
	if err != nil {
		t.Fatal(err)
	}
	db.want("base|distance", "SELECT string_agg(column_name, '|') FROM (DESCRIBE SELECT * FROM "+sql+")")
	one.DistanceType = "COSINE"
	one.QueryValue = "[0.0, 2.0]"
	run(one, "DISTINCT distance", "1")
	db.wantError("VECTOR_SEARCH: what is searched is NULL", "SELECT vector_search_distance([1.0], 1, [1.0], 1, NULL)")
	db.wantError("VECTOR_SEARCH: ", "SELECT vector_search_distance([1.0], NULL, [NULL], NULL, '{}')")
	for _, tt := range []struct {
		give VectorSearch
		want string
	}{
		{VectorSearch{}, "needs a table to search"},
		{VectorSearch{Base: "FROM t", Column: "v"}, "needs a query table, third, or query_value"},
		{VectorSearch{Base: "FROM t", Column: "v", Query: "FROM q", DistanceType: "HAMMING"}, "use EUCLIDEAN, COSINE or DOT_PRODUCT"},
		{VectorSearch{Base: "FROM t", Column: "v", Query: "FROM q", Options: `{"x":1}`}, "unknown field"},
		{VectorSearch{Base: "FROM t", Column: "v", Query: "FROM q", TopK: 1_000_000}, "the most is 999999"},
	} {
		if _, err := tt.give.SQL(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.give, err)
		}
	}
}
