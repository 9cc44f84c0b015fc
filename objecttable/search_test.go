package objecttable

import (
	"strings"
	"testing"
)

// The values are those of BigQuery's pages on ML.DISTANCE and COSINE_DISTANCE, or worked out by hand.
func TestDistances(t *testing.T) {
	db := openDB(t, Options{})
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"ML.DISTANCE", []string{"[4.1, .5, 1]", "[3, 0, 2.5]"}, "1.926136028425822"},
		{"ML.DISTANCE", []string{"[1, 2]", "[4, 6]", "'MANHATTAN'"}, "7"},
		{"ML.DISTANCE", []string{"[1, 2]::FLOAT[2]", "[4, 6]", "'euclidean'"}, "5"},
		{"COSINE_DISTANCE", []string{"[1.0, 2.0]", "[3.0, 4.0]"}, "0.01613008990009257"},
		{"EUCLIDEAN_DISTANCE", []string{"[1.0, 2.0]", "[4.0, 6.0]"}, "5"},
		{"ML.DISTANCE", []string{"[{'key': 'a', 'value': 3}, {'key': 'b', 'value': 1}]", "[{'key': 'b', 'value': 5}]"}, "5"},
		{"ML.DISTANCE", []string{"[{'key': 1, 'value': 3}]", "[{'key': 2, 'value': 4}]"}, "5"},
		{"ML.DISTANCE", []string{"NULL::DOUBLE[]", "[1.0]"}, "<nil>"},
		{"ML.DISTANCE", []string{"[1.0, NULL]", "[1.0, 2.0]"}, "<nil>"},
	} {
		sql, err := DistanceSQL(tt.name, tt.args)
		if err != nil {
			t.Fatal(err)
		}
		db.want(tt.want, "SELECT "+sql)
	}
	db.wantError("must have the same number", "SELECT ml_distance([1.0], [1.0, 2.0], 'COSINE')")
	db.wantError("zero vector", "SELECT ml_distance([0.0], [1.0], 'COSINE')")
	db.wantError("use EUCLIDEAN, MANHATTAN or COSINE", "SELECT ml_distance([0.0], [1.0], 'JACCARD')")
	if _, err := DistanceSQL("COSINE_DISTANCE", []string{"x"}); err == nil || !strings.Contains(err.Error(), "takes two vectors, not 1") {
		t.Error(err)
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
