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

// TestConditions: those of one condition count, and no others.
func TestConditions(t *testing.T) {
	many := maxConditions + 1
	for sql, want := range map[string]bool{
		"SELECT x" + strings.Repeat(" AND x", many):                                true,
		"SELECT x" + strings.Repeat(" or (x = 1)", many):                           true,
		"SELECT x" + strings.Repeat(" AND x", maxConditions):                       false,
		"SELECT 1" + strings.Repeat(", a AND b", many):                             false,
		"SELECT f(" + strings.Repeat("(a OR b) + ", many):                          false,
		"SELECT '" + strings.Repeat(" AND x", many) + "'":                          false,
		strings.Repeat("SELECT a FROM t WHERE b OR c UNION ALL ", many) + "SELECT": false,
	} {
		if got := conditions(sql) > maxConditions; got != want {
			t.Errorf("%.60s: %t", sql, got)
		}
	}
}

// TestDeepJSON: brackets count as the JSON has them, however the literal is written.
func TestDeepJSON(t *testing.T) {
	open := func(n int) string { return strings.Repeat("[", n) }
	for _, c := range []struct {
		sql  string
		want bool
	}{
		{"SELECT JSON '" + open(maxJSON) + "'", false},
		{"SELECT JSON '" + open(maxJSON+1) + "'", true},
		{"SELECT json /* of */ R\"\"\"" + open(maxJSON+1) + "\"\"\"", true},
		{"SELECT JSON '" + open(300) + "' \"" + open(300) + "\"", true},
		{"SELECT JSON '" + open(300) + "', JSON '" + open(300) + "'", false},
		{"SELECT JSON '" + strings.Repeat(`\x5b\u007b\133`, 200) + "'", true},
		{"SELECT JSON R'" + strings.Repeat(`\x5b\u007b\133`, 200) + "'", false},
		{"SELECT JSON '" + strings.Repeat(`["]",`, maxJSON+1) + "'", true},
		{"SELECT JSON '[\"" + open(maxJSON) + "\"]'", false},
		{`SELECT JSON R'["\"` + open(maxJSON) + `"]'`, false},
		{"SELECT '" + open(maxJSON+1) + "', JSON '[]'", false},
		{"SELECT x -- JSON '" + open(maxJSON+1) + "'", false},
	} {
		if got := deepJSON(c.sql); got != c.want {
			t.Errorf("%.60s: %t", c.sql, got)
		}
	}
}
