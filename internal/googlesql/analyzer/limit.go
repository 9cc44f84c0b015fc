package analyzer

import (
	"errors"
	"fmt"
	"strings"
)

// maxSteps is how many joins and pipe operators a statement may have. Each makes the tree a level deeper, which takes the service
// time by the square, and ends the process of the native library in the tens of thousands; BigQuery reads 1,000 tables in a query.
const maxSteps = 1000

// check refuses what the service must not be given.
func check(sql string) error {
	if len(sql) > maxText {
		return fmt.Errorf("the statement has %d bytes, and GoogleSQL takes at most %d", len(sql), maxText)
	}
	if steps(sql) > maxSteps {
		return fmt.Errorf("the statement joins too many tables, or has too many pipe operators: more than %d in all", maxSteps)
	}
	if fields, types := chains(sql); fields > maxChain {
		return fmt.Errorf("a name, or a chain of fields, has more than %d parts", maxChain)
	} else if types > maxChain {
		return fmt.Errorf("a type is nested more than %d levels deep", maxChain)
	}
	if deepJSON(sql) {
		return errors.New("Invalid JSON literal: Max nesting of 500 has been exceeded while parsing JSON document")
	}
	return nil
}

// maxChain is how many fields may follow each other, as a.b.c does, and how deep a type may be nested: no JSON is deeper, and a
// STRUCT of BigQuery's has 15 levels. In the ten thousands they end the process of the native library.
const maxChain = 500

// chains gives the most fields in one chain, and the deepest nesting of ARRAY< and STRUCT<.
func chains(sql string) (fields, types int) {
	if strings.Count(sql, ".") <= maxChain && strings.Count(sql, "<") <= maxChain {
		return 0, 0
	}
	var around []int // the chains before the brackets that are open
	run, open, word, dot := 0, 0, "", false
	for i := 0; i < len(sql); {
		n, c := 1, sql[i]
		switch {
		case comment(sql[i:]) > 0:
			i += comment(sql[i:])
			continue
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '.':
			run++
			fields = max(fields, run)
		case c == '(' || c == '[':
			around, run = append(around, run), 0
		case (c == ')' || c == ']') && len(around) > 0:
			around, run = around[:len(around)-1], around[len(around)-1]
		case c == '<' && (strings.EqualFold(word, "ARRAY") || strings.EqualFold(word, "STRUCT")):
			open++
			types = max(types, open)
		case c == '>':
			open = max(open-1, 0)
		case c == '\'' || c == '"' || c == '`':
			n = quoted(sql[i:])
		case letter(c):
			for i+n < len(sql) && letter(sql[i+n]) {
				n++
			}
		}
		name := letter(c) || c == '`'
		if c != '.' && c != ')' && c != ']' && !(name && dot) {
			run = 0
		}
		dot, word = c == '.', ""
		if letter(c) {
			word = sql[i : i+n]
		}
		i += n
	}
	return fields, types
}

// deepJSON looks for a constant JSON '…' that is nested too deep, which ends the process of the native library.
func deepJSON(sql string) bool {
	const most = 500
	if depth(sql) <= most {
		return false
	}
	word, before := "", "" // the words that end here, of which the last may be the prefix of a string
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '"' || c == '`':
			n := quoted(sql[i:])
			json := strings.EqualFold(word, "JSON") || strings.EqualFold(word, "R") && strings.EqualFold(before, "JSON")
			if json && n > most && depth(sql[i:i+n]) > most {
				return true
			}
			i, word = i+n, ""
			continue
		case comment(sql[i:]) > 0:
			i += comment(sql[i:])
			continue
		case letter(c):
			from := i
			for i < len(sql) && letter(sql[i]) {
				i++
			}
			before, word = word, sql[from:i]
			continue
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			word = ""
		}
		i++
	}
	return false
}

// depth is how many brackets are open in each other, at most: those in strings count too.
func depth(s string) (most int) {
	open := 0
	for i := range len(s) {
		switch s[i] {
		case '[', '{':
			open++
			most = max(most, open)
		case ']', '}':
			open = max(open-1, 0)
		}
	}
	return most
}

// steps counts joins, the commas of FROM clauses and pipe operators. It need not be exact.
func steps(sql string) (n int) {
	if strings.Count(sql, ",")+strings.Count(sql, "|>")+strings.Count(strings.ToUpper(sql), "JOIN") <= maxSteps {
		return 0
	}
	var from []bool // whether a FROM clause is being read, by the parentheses that are open
	in := false
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '"' || c == '`':
			i += quoted(sql[i:])
			continue
		case comment(sql[i:]) > 0:
			i += comment(sql[i:])
			continue
		case c == '(' || c == '[':
			from, in = append(from, in), false
		case (c == ')' || c == ']') && len(from) > 0:
			from, in = from[:len(from)-1], from[len(from)-1]
		case c == ',' && in:
			n++
		case strings.HasPrefix(sql[i:], "|>"):
			n, in = n+1, false
		case letter(c):
			word := i
			for i < len(sql) && letter(sql[i]) {
				i++
			}
			switch strings.ToUpper(sql[word:i]) {
			case "FROM":
				in = true
			case "JOIN":
				n++
			case "SELECT", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "WINDOW", "LIMIT", "UNION", "INTERSECT", "EXCEPT":
				in = false
			}
			continue
		}
		i++
	}
	return n
}

func letter(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// quoted is the length of the quoted text at the beginning of s.
func quoted(s string) int {
	quote := s[:1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s, triple) {
		quote = triple
	}
	for i := len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		}
	}
	return len(s)
}

// comment is the length of the comment at the beginning of s, 0 where there is none.
func comment(s string) int {
	switch {
	case s[0] == '#' || strings.HasPrefix(s, "--"):
		return through(s, "\n")
	case strings.HasPrefix(s, "/*"):
		return through(s, "*/")
	}
	return 0
}

// through is the length of s up to the end of the first mark.
func through(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i + len(mark)
	}
	return len(s)
}
