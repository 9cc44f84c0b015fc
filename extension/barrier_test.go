package extension_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mallardml/mallard/extension"
)

// TestAnalyzeSharded: over which relations a statement may be run in parts, and what stands against it at which place. Whether the
// parts' rows are those of the whole was told by hand from the meaning of SQL.
func TestAnalyzeSharded(t *testing.T) {
	o := extension.AnalyzeOptions{Tables: []extension.Relation{
		{Name: "cut", Columns: columnsOf(t, "id INT64, kind INT64, content STRING, tags ARRAY<STRING>")},
		{Name: "side", Columns: columnsOf(t, "k INT64, n STRING")},
	}}
	for _, tt := range []struct{ sql, over, barriers string }{
		{"SELECT id + 1 FROM cut WHERE kind > 3", "cut", ""},
		{"SELECT id, x FROM cut, unnest(tags) u(x)", "cut", ""},
		{"SELECT id, (SELECT max(x) FROM unnest(tags) u(x)) FROM cut", "cut", ""},
		{"SELECT id, n FROM cut JOIN side ON kind = k", "cut side", ""},
		{"SELECT id, n FROM cut LEFT JOIN side ON kind = k", "cut", "LEFT JOIN with a table that is not cut@27 side"},
		{"SELECT id, n FROM cut RIGHT JOIN side ON kind = k", "side", "* cut"},
		{"SELECT id FROM cut FULL JOIN side ON kind = k", "", "* cut side"},
		{"SELECT id FROM cut CROSS JOIN side", "cut side", ""},
		{"SELECT id FROM cut WHERE kind IN (SELECT k FROM side)", "cut", "* side"},
		{"SELECT id FROM cut WHERE kind NOT IN (SELECT k FROM side)", "cut", "* side"},
		{"SELECT id FROM cut WHERE EXISTS (FROM side WHERE k = kind)", "cut", "* side"},
		{"SELECT id, (SELECT any_value(n) FROM side WHERE k = kind) FROM cut", "cut", "* side"},
		{"SELECT id FROM cut WHERE kind IN (SELECT k FROM side ORDER BY k LIMIT 3)", "cut", "* side"},
		{"SELECT id FROM cut UNION ALL SELECT kind FROM cut", "cut", ""},
		{"SELECT id FROM cut UNION ALL SELECT k FROM side", "", "UNION@19 cut side"},
		{"SELECT id FROM cut UNION SELECT kind FROM cut", "", "UNION@19 cut +"},
		{"WITH c AS MATERIALIZED (SELECT id FROM cut) SELECT a.id FROM c a JOIN c b USING (id)", "", "INNER JOIN with a table that is not cut@65 cut"},
		{"SELECT a.id FROM cut a JOIN cut b ON a.id = b.kind", "", "INNER JOIN with a table that is not cut@23 cut"},
		{"SELECT /* ORDER BY */ 'LIMIT', id FROM cut ORDER BY id", "", "ORDER BY@43 cut"},
		{"SELECT id FROM cut ORDER BY id LIMIT 3", "", "ORDER BY@19 cut"},
		{"SELECT id FROM cut LIMIT 3", "", "LIMIT@19 cut"},
		{"SELECT DISTINCT kind FROM cut", "", "DISTINCT@7 cut +"},
		{"SELECT kind, count(*) FROM cut GROUP BY kind", "", "GROUP BY@31 cut +"},
		{"SELECT sum(id) + 1 FROM cut", "", "sum(…)@7 cut +"},
		{"SELECT kind, count(*) FROM cut GROUP BY kind HAVING count(*) > 3", "", "GROUP BY@31 cut"},
		{"SELECT id FROM cut WHERE id = (SELECT max(id) FROM cut)", "", "max(…)@38 cut; INNER JOIN@0 cut"},
		{"SELECT id, sum(id) OVER (ORDER BY id) FROM cut", "", "a window function (OVER)@19 cut"},
		{"SELECT id, row_number() OVER () FROM cut", "", "a window function (OVER)@24 cut"},
		{"SELECT id FROM cut USING SAMPLE 10", "", "USING SAMPLE@19 cut; SEMI JOIN@0 cut"},
		{"SELECT id FROM cut EXCEPT SELECT 3", "", "EXCEPT@19 cut"},
		{"SELECT array_agg(id ORDER BY kind) FROM cut", "", "array_agg(…)@7 cut +"},
		{"SELECT `id` FROM `cut` ORDER BY id", "", "ORDER BY@23 cut"},
	} {
		all, err := extension.Analyze(context.Background(), tt.sql, o)
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		a := all[0]
		over := strings.ReplaceAll(strings.Join(slices.Sorted(slices.Values(a.Sharded)), " "), "memory.main.", "")
		var found []string
		for _, b := range a.Barriers {
			line := b.Name + "@" + strconv.Itoa(b.Pos) + " "
			if strings.HasPrefix(tt.barriers, "* ") {
				line = "* "
			}
			line += strings.ReplaceAll(strings.Join(b.Over, " "), "memory.main.", "")
			if b.Combines {
				line += " +"
			}
			if !slices.Contains(found, line) {
				found = append(found, line)
			}
		}
		if got := strings.Join(found, "; "); over != tt.over || got != tt.barriers {
			t.Errorf("%s\n  over %q with %q, and not over %q with %q", tt.sql, over, got, tt.over, tt.barriers)
		}
	}
	all, err := extension.Analyze(context.Background(), "CREATE SEQUENCE q; SELECT id, nextval('q') AS n FROM cut", o)
	if err != nil {
		t.Fatal(err)
	}
	if b := all[1].Barriers; len(all[1].Sharded) > 0 || len(b) != 1 || b[0].Name != "nextval(…)" {
		t.Errorf("nextval: %v, %v", all[1].Sharded, b)
	}
}
