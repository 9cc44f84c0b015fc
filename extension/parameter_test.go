package extension_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestParameterKinds: parameters of any Go kind, in plain, ML and VECTOR_SEARCH statements, prepared and not.
func TestParameterKinds(t *testing.T) {
	db := open(t, "", config(t))
	exec(t, db, createIn(filepath.Join(models(t), "swivel_like")), "CREATE TABLE base AS SELECT [1.0, 2.0]::DOUBLE[] AS v")
	f := float32(1)
	statements := map[string]string{
		"plain":         "SELECT [x * 2 FOR x IN ?]::VARCHAR",
		"cast":          "SELECT list_transform(?::DOUBLE[], lambda x: x * 2)::VARCHAR",
		"VECTOR_SEARCH": "SELECT distance::VARCHAR FROM VECTOR_SEARCH(TABLE base, 'v', query_value => ?)",
		"ML.DISTANCE":   "SELECT ML.DISTANCE(?, [1.0, 2.0])::VARCHAR",
	}
	for name, query := range statements {
		want := map[string]string{"plain": "[2, 4]", "cast": "[2.0, 4.0]"}[name]
		if want == "" {
			want = "0.0"
		}
		st, err := db.PrepareContext(t.Context(), query)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, arg := range []any{[]float32{1, 2}, []float64{1, 2}, []int{1, 2}, []uint8{1, 2}[:0:0], [2]float32{1, 2}, []any{1, 2.0}, []any{&f, 2}, &[]float64{1, 2}, []int8{1, 2}} {
			if b, ok := arg.([]uint8); ok && len(b) == 0 { // bytes are no list of numbers
				continue
			}
			var direct, prepared string
			err := db.QueryRowContext(t.Context(), query, arg).Scan(&direct)
			if perr := st.QueryRowContext(t.Context(), arg).Scan(&prepared); err != nil || perr != nil || direct != prepared || strings.ReplaceAll(direct, ".0", "") != strings.ReplaceAll(want, ".0", "") {
				t.Errorf("%s of %T: %q %v, prepared %q %v, want %s", name, arg, direct, err, prepared, perr, want)
			}
		}
		for _, arg := range []any{
			[]string{"caf\xe9"}, "caf\xe9", map[string]any{}, []any{1, "a"}, []complex64{1}, make(chan int), struct{ a int }{},
			time.Now(), time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC), []time.Time{time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		} {
			if err := db.QueryRowContext(t.Context(), query, arg).Scan(new(any)); err == nil || strings.TrimSpace(err.Error()) == "" || strings.Contains(err.Error(), "INTERNAL") {
				t.Errorf("%s of %T: %v", name, arg, err)
			}
			if err := st.QueryRowContext(t.Context(), arg).Scan(new(any)); err == nil || strings.TrimSpace(err.Error()) == "" {
				t.Errorf("%s of %T, prepared: %v", name, arg, err)
			}
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, arg := range []any{uint64(math.MaxUint64), uint(math.MaxUint64), []uint64{math.MaxUint64}} {
		var n string
		if err := db.QueryRowContext(t.Context(), "SELECT trim(?::VARCHAR, '[]')", arg).Scan(&n); err != nil || n != "18446744073709551615" {
			t.Errorf("%T: %s %v", arg, n, err)
		}
	}
	type title string
	text := title("a")
	for _, arg := range []any{"a", text, &text, []byte("a"), nil, []string{"a"}, [1]title{"a"}, map[string]any{"a": 1}, 1, 2.5, true} {
		var n any
		err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM ML.PREDICT(MODEL m, (SELECT ? AS content))", arg).Scan(&n)
		if err != nil && (strings.TrimSpace(err.Error()) == "" || strings.Contains(err.Error(), "INTERNAL")) {
			t.Errorf("ML.PREDICT of %T: %v", arg, err)
		}
		if s := fmt.Sprintf("%T", arg); err != nil && (s == "string" || strings.HasSuffix(s, "title") && !strings.HasPrefix(s, "[")) {
			t.Errorf("ML.PREDICT of %T: %v", arg, err)
		}
	}
}
