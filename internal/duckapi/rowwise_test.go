package duckapi_test

import (
	"testing"

	"github.com/mallardml/mallard/internal/duckapi"
)

// TestRowWise: a plan with an operator that is not known to be row-wise, or over two relations, is not.
func TestRowWise(t *testing.T) {
	scan := func(table string) string {
		return `{"name": "SEQ_SCAN ", "children": [], "extra_info": {"Table": "` + table + `"}}`
	}
	for _, tt := range []struct {
		plan, input string
		ok          bool
	}{
		{`[{"name": "PROJECTION", "children": [{"name": "FILTER", "children": [` + scan("db.d.t") + `]}]}]`, "db.d.t", true},
		{`[{"name": "HASH_GROUP_BY", "children": [` + scan("t") + `]}]`, "", false},
		{`[{"name": "PROJECTION", "children": [` + scan("t") + `, ` + scan("u") + `]}]`, "", false},
		{`no JSON`, "", false},
	} {
		if ok, input := duckapi.RowWise(tt.plan); ok != tt.ok || input != tt.input {
			t.Errorf("%s is %t over %q", tt.plan, ok, input)
		}
	}
}
