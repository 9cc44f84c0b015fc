package catalog

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/quote"
)

// QualifiedName is where a model is: the parts by which DuckDB knows the view.
type QualifiedName struct{ Database, Schema, Name string }

// SQL is the name with its parts quoted.
func (p QualifiedName) SQL() string { return quote.Path(p.Database, p.Schema, p.Name) }

// Key is the place as the overlay of a transaction knows it; DuckDB's names do not tell case apart.
func (p QualifiedName) Key() string { return strings.ToLower(p.SQL()) }

// String is the name as messages show it: as short as it is clear.
func (p QualifiedName) String() string {
	if p.Schema == "main" {
		return p.Name
	}
	return p.Schema + "." + p.Name
}

// SplitName reads the name of a model in a text: dotted parts, each of which may be quoted with backticks or double quotes.
func SplitName(s string) ([]string, error) {
	var parts []string
	rest := strings.TrimSpace(s)
	for {
		var part string
		if rest != "" && (rest[0] == '`' || rest[0] == '"') {
			quote := rest[:1]
			rest = rest[1:]
			for {
				piece, after, ok := strings.Cut(rest, quote)
				if !ok {
					return nil, fmt.Errorf("model name `%s`: the quote %s is not closed", s, quote)
				}
				part, rest = part+piece, after
				if !strings.HasPrefix(rest, quote) {
					break
				}
				part, rest = part+quote, rest[1:] // doubled: the quote itself
			}
			if quote == "`" { // a whole path may stand in one pair of backticks
				parts = append(parts, strings.Split(part, ".")...)
				part = ""
			}
		} else {
			end := strings.IndexByte(rest, '.')
			if end < 0 {
				end = len(rest)
			}
			part, rest = strings.TrimSpace(rest[:end]), rest[end:]
			if part == "" {
				return nil, fmt.Errorf("model name `%s` has an empty part", s)
			}
		}
		if part != "" {
			parts = append(parts, part)
		}
		rest = strings.TrimSpace(rest)
		if rest == "" {
			return parts, nil
		}
		if rest[0] != '.' {
			return nil, fmt.Errorf("model name `%s`: `%s` is not expected", s, rest)
		}
		rest = strings.TrimSpace(rest[1:])
	}
}
