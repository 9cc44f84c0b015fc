// Package quote writes names and texts into SQL of DuckDB's.
package quote

import "strings"

// Name quotes an identifier: my "x" becomes "my ""x""".
func Name(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// Path quotes the parts of a qualified name: a, b becomes "a"."b".
func Path(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = Name(p)
	}
	return strings.Join(quoted, ".")
}

// Text quotes a string constant: the quotes within it are doubled.
func Text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
