package functions

import (
	"fmt"
	"testing"
)

// TestListsOfFunctions feeds lists as DuckDB's own functions leave them: sliced, reversed, shared by several rows. DuckDB
// flattens an argument's own vector only, so each function here is one whose children could lie otherwise.
func TestListsOfFunctions(t *testing.T) {
	b := newBed(t)
	b.must(`CREATE TABLE s AS SELECT i, [i * 10, i * 10 + 1, i * 10 + 2, i * 10 + 3][1:1 + i % 4] AS l,
		[[i, i + 1], [i + 2, i + 3], [i + 4, i + 5]] AS n, ['text number ' || i, 'b' || i] AS t FROM range(5000) r(i)`)
	for _, tt := range []struct{ give, from string }{
		{"list_reverse(l)", ""}, {"list_sort(l, 'DESC')", ""}, {"l[2:]", ""}, {"l[:-2]", ""}, {"l[1:3:2]", ""},
		{"list_distinct(list_concat(l, l))", ""}, {"list_filter(l, lambda x: x % 2 = 0)", ""}, {"list_concat(l, [1, 2])", ""},
		{"list_resize(l, 6, 0)", ""}, {"list_select(l, [1, 1, 1])", ""}, {"list_where(l, list_transform(l, lambda x: x % 3 > 0))", ""},
		{"CASE WHEN i % 2 = 0 THEN l ELSE [7] END", ""}, {"coalesce(NULLIF(l, [0]), [9])", ""}, {"flatten(n)", ""}, {"n[2]", ""}, {"n[1 + i % 3]", ""},
		{"x", "(SELECT i, list(i) OVER (ORDER BY i ROWS 3 PRECEDING) AS x FROM s)"},
		{"x", "(SELECT k AS i, list(i ORDER BY i) AS x FROM (SELECT i, i % 700 AS k FROM s) GROUP BY k)"},
		{"x", "(SELECT i, first(l) OVER (PARTITION BY i % 7 ORDER BY i) AS x FROM s)"},
		{"l", "(SELECT s.* FROM s, range(3) u(k) WHERE i % 5 = 0)"},
		{"l", "(SELECT s.* FROM s JOIN (SELECT unnest([3, 5, 5, 900]) AS i) USING (i))"},
		{"l", "(SELECT * FROM s ORDER BY hash(i))"}, {"l", "(SELECT * FROM s WHERE hash(i) % 50 = 0)"}, {"l", "(SELECT * FROM s UNION ALL SELECT * FROM s WHERE i < 10)"},
		{"st.a", "(SELECT i, {'a': l} AS st FROM s WHERE i % 3 = 0)"}, {"m['k']", "(SELECT i, MAP {'k': l, 'j': [1]} AS m FROM s)"},
		{"x", "(SELECT i, unnest([l, [1, 2], l]) AS x FROM s)"}, {"[1, 2, 3]", ""}, {"[i, 2]", ""}, {"list_value(i, i, 3)", ""},
		{"map_values(MAP {i: i, 2 * i + 1: 5})", ""}, {"array_value(i, 2)", ""}, {"list_prepend(i, l)", ""}, {"range(i % 5)", ""}, {"generate_series(0, i % 5)", ""},
	} {
		checkLists(t, b, []int64{-1}, "BIGINT[]", tt.give, tt.from)
	}
	for _, tt := range []struct{ give, from string }{
		{"n", ""}, {"list_reverse(n)", ""}, {"list_sort(n, 'DESC')", ""}, {"n[2:]", ""}, {"n[3:1:-1]", ""}, {"list_transform(n, lambda x: list_reverse(x))", ""},
		{"list_transform(n, lambda x: x[2:])", ""}, {"list_transform(n, lambda x: l)", ""}, {"list_select(n, [3, 1, 1])", ""}, {"[l, l]", ""}, {"[l, list_reverse(l)]", ""},
		{"list_filter(n, lambda x: x[1] % 2 = 0)", ""}, {"list_concat(n, n)", ""}, {"list_resize(n, 4, [0, 0])", ""}, {"[n[3], n[1]]", ""}, {"[[i, 1], [i, 2]]", ""},
		{"x", "(SELECT i, list(n[1 + i % 3]) OVER (ORDER BY i ROWS 3 PRECEDING) AS x FROM s)"},
		{"x", "(SELECT k AS i, list(n[2] ORDER BY i DESC) AS x FROM (SELECT n, i, i % 700 AS k FROM s) GROUP BY k)"},
		{"n", "(SELECT s.* FROM s, range(3) u(k) WHERE i % 5 = 0)"}, {"n", "(SELECT * FROM s ORDER BY hash(i))"}, {"[]::BIGINT[][]", ""}, {"[[], []]::BIGINT[][]", ""},
		{"list_transform(n, lambda x: []::BIGINT[])", ""}, {"list_zip(l, l).list_transform(lambda x: [x[1], x[2]])", ""}, {"array_value(l, l)", ""},
		{"list_transform(n, lambda x: x::BIGINT[2])", ""}, {"list_reverse(list_transform(n, lambda x: x::BIGINT[2]))", ""}, {"list_reverse(n)::BIGINT[2][3]", ""},
	} {
		checkLists(t, b, []int64{-1, -1}, "BIGINT[][]", tt.give, tt.from)
	}
	for _, tt := range []struct{ give, from string }{
		{"list_reverse(t)", ""}, {"t[2:]", ""}, {"list_select(t, [2, 2, 1])", ""}, {"list_transform(t, lambda x: upper(x))", ""}, {"string_split(t[1], ' ')", ""}, {"[t[2]]", ""},
	} {
		checkLists(t, b, []int64{-1}, "VARCHAR[]", tt.give, tt.from)
	}
}

func checkLists(t *testing.T, b *bed, shape []int64, typ, give, from string) {
	t.Helper()
	if from == "" {
		from = "s"
	}
	dt := Int64
	if typ == "VARCHAR[]" {
		dt = String
	}
	p := Port{Name: "x", DType: dt, Shape: append([]int64{-1}, shape...)}
	o := p
	o.Name = "y"
	m := &Model{Inputs: []Port{p}, Outputs: []Port{o}}
	b.add(m, Native, echo)
	in := predictSQL(m, Native, fmt.Sprintf("SELECT i, %s AS x FROM %s", give, from))
	got, err := b.query(fmt.Sprintf(`SELECT count(*), count(*) FILTER (y IS DISTINCT FROM x::%s) FROM %s`, typ, in))
	if err != nil {
		t.Errorf("%s: %v", give, err)
		return
	}
	if got[0][1] != "0" || got[0][0] == "0" {
		t.Errorf("%s from %s: %s of %s rows differ: %v", give, from, got[0][1], got[0][0], b.must("SELECT x, y FROM "+in+" WHERE y IS DISTINCT FROM x::"+typ+" LIMIT 3"))
	}
}
