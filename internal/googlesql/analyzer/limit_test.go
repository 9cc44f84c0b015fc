package analyzer

import (
	"strings"
	"testing"
)

// TestChains: chains of fields and nested types are counted where they stand, and what is only long has none.
func TestChains(t *testing.T) {
	many := maxChain + 1
	for _, c := range []struct {
		sql           string
		fields, types bool
	}{
		{"SELECT x" + strings.Repeat(".a", many), true, false},
		{"SELECT x" + strings.Repeat(".a[0]", many), true, false},
		{"SELECT x" + strings.Repeat(" . /* . */ `a`", many), true, false},
		{"SELECT x" + strings.Repeat(".\fa", many), true, false},
		{"SELECT x" + strings.Repeat(".\u3000a", many), true, false},
		{"-- \rSELECT x" + strings.Repeat(".a", many), true, false},
		{"/*/ ' */ SELECT x" + strings.Repeat(".a", many), true, false},
		{"SELECT (x)" + strings.Repeat(".f(a.b)", many), true, false},
		{"SELECT CAST(x AS " + strings.Repeat("ARRAY<", many), false, true},
		{"SELECT CAST(x AS " + strings.Repeat("array <struct <a ", many), false, true},
		{"SELECT " + strings.Repeat("a.b, ", many), false, false},
		{"SELECT " + strings.Repeat("a.b[c.d] + 1.5 ", many), false, false},
		{"SELECT '" + strings.Repeat(".a", many) + "', x < " + strings.Repeat("y OR x <", many), false, false},
		{"SELECT " + strings.Repeat("ARRAY<INT64>[1], ", many), false, false},
		{"SELECT x -- " + strings.Repeat(".a", many), false, false},
	} {
		fields, types := chains(c.sql)
		if (fields > maxChain) != c.fields || (types > maxChain) != c.types {
			t.Errorf("%.60s: %d fields, types %d deep", c.sql, fields, types)
		}
	}
}
