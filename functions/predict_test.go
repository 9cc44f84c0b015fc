package functions

import (
	"testing"
)

func TestPredictStrings(t *testing.T) {
	for _, types := range []Types{Native, BigQuery} {
		b := newBed(t)
		m := lengthModel()
		e := b.add(m, types, lengths)
		want := [][]string{
			{"[3 97 0.5]", "abc"},
			{"NULL", "NULL"},
			{"[26 122 0.5]", "z text longer than a prefi"},
			{"[0 0 0.5]", ""},
		}
		got := b.must(predictSQL2(m, types, `SELECT * FROM (VALUES ('abc'), (NULL), ('z text longer than a prefi'), ('')) t(input)`))
		equalRows(t, got, want)
		if got := b.one(`SELECT typeof(dense_1) FROM ` + predictSQL(m, types, `SELECT 'x' AS input`)); got != map[Types]string{Native: "FLOAT[3]", BigQuery: "DOUBLE[]"}[types] {
			t.Errorf("type is %s", got)
		}
		if n := e.rows.Load(); n != 3 {
			t.Errorf("%d rows inferred, want 3", n)
		}
		if n := b.host.holds(); n != 0 {
			t.Errorf("%d references are held after the statements ended", n)
		}
	}
}

func predictSQL2(m *Model, types Types, q string) string {
	return "SELECT * FROM " + predictSQL(m, types, q)
}

func equalRows(t *testing.T, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d rows %v, want %d", len(got), got, len(want))
	}
	for i := range want {
		for j := range want[i] {
			if got[i][j] != want[i][j] {
				t.Errorf("row %d column %d: got %q, want %q", i, j, got[i][j], want[i][j])
			}
		}
	}
}
