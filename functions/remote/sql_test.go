package remote

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

func TestGenerateText(t *testing.T) {
	db := openDB(t)
	f := &fake{}
	s := db.add(textSpec(t, f, flat))
	cols, rows, err := db.query(context.Background(), "SELECT * FROM "+over(s, "SELECT 1 AS id, 'why?' AS prompt -- note")+" p")
	if err != nil {
		t.Fatal(err)
	}
	want := "ml_generate_text_llm_result ml_generate_text_rai_result ml_generate_text_status id prompt"
	if got := strings.Join(cols, " "); got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	if got := text(rows); got != "WHY? | NULL |  | 1 | why?" {
		t.Errorf("rows %q", got)
	}
}

// Facts about DuckDB that the shape of SQL rests on.
func TestShape(t *testing.T) {
	tests := []struct {
		give string // %s is the call
		want int    // requests, at most
		rows int
	}{
		{"SELECT * FROM %s", 4000, 4000},
		{"SELECT count(*) FROM %s", 0, 1},
		{"SELECT id FROM %s", 0, 4000},
		{"SELECT * FROM %s LIMIT 5", 5, 5},
		{"SELECT * FROM %s LIMIT 5 OFFSET 3000", 4000, 5}, // since DuckDB 1.5.6: an OFFSET stays above a volatile function
		{"SELECT * FROM %s WHERE id < 7", 7, 7},
		{"SELECT * FROM %s WHERE prompt LIKE '%%00'", 39, 39},
		// DuckDB moves nothing that may fail, such as a division, below a volatile function.
		{"SELECT * FROM %s WHERE id %% 100 = 0", 4000, 40},
		{"SELECT ml_generate_text_llm_result a FROM %s WHERE a IS NOT NULL AND a <> 'x'", 4000, 4000},
		{"SELECT p.ml_generate_text_llm_result FROM %s p JOIN (SELECT unnest([3, 5]) id) USING (id)", 4000, 2},
		{"SELECT * FROM %s ORDER BY id LIMIT 5", 4000, 5},
		{"WITH c AS (SELECT * FROM %s) SELECT count(a.ml_generate_text_status) FROM c a JOIN c b USING (id)", 4000, 1},
	}
	for _, tt := range tests {
		t.Run(tt.give, func(t *testing.T) {
			db := openDB(t)
			db.exec("CREATE TABLE w AS SELECT range AS id, 'row ' || range AS prompt FROM range(4000)")
			f := &fake{}
			s := db.add(textSpec(t, f, flat))
			rows := db.must(fmt.Sprintf(tt.give, over(s, "SELECT * FROM w")))
			if len(rows) != tt.rows {
				t.Errorf("%d rows, want %d", len(rows), tt.rows)
			}
			t.Logf("%d requests", f.requests())
			if f.requests() > tt.want {
				t.Errorf("%d requests, want at most %d", f.requests(), tt.want)
			}
			if d := f.twice(); len(d) > 0 {
				t.Errorf("%d asked twice, such as %q", len(d), d[0])
			}
		})
	}
}
