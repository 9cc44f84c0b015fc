package planner

import "testing"

func TestHasStar(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT * FROM t": true, "SELECT t.* FROM t": true, "SELECT DISTINCT * FROM t": true, "SELECT a, * EXCEPT (b) FROM t": true,
		"SELECT a * a FROM t": false, "SELECT COUNT(*) FROM t": false, "SELECT '*' FROM t": false, "SELECT `*` FROM t": false,
	} {
		if got := hasStar(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
