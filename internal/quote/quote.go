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

// notPattern keeps a file's name from being read as a pattern.
var notPattern = strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]")

// Files writes the names of files, which are no patterns, as a list for DuckDB's table functions.
func Files(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = Text(notPattern.Replace(name))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
