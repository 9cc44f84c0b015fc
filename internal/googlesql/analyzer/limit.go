package analyzer

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
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
	if conditions(sql) > maxConditions {
		return fmt.Errorf("a condition has more than %d ANDs and ORs", maxConditions)
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

// maxConditions is far above what DuckDB takes, BETWEENs counted: with more there is nothing that is worth the time of reading it.
const maxConditions = 20000

// conditions gives the most ANDs and ORs between two brackets or commas.
func conditions(sql string) (most int) {
	if strings.Count(strings.ToUpper(sql), "OR")+strings.Count(strings.ToUpper(sql), "AND") <= maxConditions {
		return 0
	}
	var around []int // those before the brackets that are open
	n := 0
	for t := range tokens(sql) {
		switch strings.ToUpper(t) {
		case "AND", "OR":
			n++
			most = max(most, n)
		case "(", "[":
			around, n = append(around, n), 0
		case ")", "]":
			n = 0
			if last := len(around) - 1; last >= 0 {
				around, n = around[:last], around[last]
			}
		case ",", ";", "SELECT", "WHERE", "FROM":
			n = 0
		}
	}
	return most
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
	run, open, last := 0, 0, ""
	for t := range tokens(sql) {
		switch {
		case t == ".":
			run++
			fields = max(fields, run)
		case t == "(" || t == "[":
			around, run = append(around, run), 0
		case (t == ")" || t == "]") && len(around) > 0:
			around, run = around[:len(around)-1], around[len(around)-1]
		case t == "<" && (strings.EqualFold(last, "ARRAY") || strings.EqualFold(last, "STRUCT")):
			open++
			types = max(types, open)
		case t == ">":
			open = max(open-1, 0)
		}
		name := letter(t[0]) || t[0] == '`'
		if t != "." && t != ")" && t != "]" && !(name && last == ".") {
			run = 0
		}
		last = t
	}
	return fields, types
}

// maxJSON is how deep a JSON may be nested (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types#json_type).
const maxJSON = 500

// deepJSON looks for a constant JSON '…' that is nested too deep, which ends the process of the native library. It may be written in
// several literals behind each other, and its brackets as escapes.
func deepJSON(sql string) bool {
	if strings.Count(sql, "[")+strings.Count(sql, "{")+strings.Count(sql, `\`) <= maxJSON {
		return false
	}
	var json strings.Builder
	in, raw := false, false // behind the word JSON; behind the R of a literal
	for t := range tokens(sql) {
		switch {
		case in && (t[0] == '\'' || t[0] == '"'):
			json.WriteString(inside(t, raw))
			raw = false
		case in && strings.EqualFold(t, "R"):
			raw = true
		default:
			if nesting(json.String()) > maxJSON {
				return true
			}
			json.Reset()
			in, raw = strings.EqualFold(t, "JSON"), false
		}
	}
	return nesting(json.String()) > maxJSON
}

// inside gives the text of a literal; "" for one that is wrong.
func inside(literal string, raw bool) string {
	n := mark(literal)
	if len(literal) < 2*n {
		return ""
	}
	text := literal[n : len(literal)-n]
	if raw {
		return text
	}
	text, err := googlesql.Unescape(text)
	if err != nil {
		return ""
	}
	return text
}

// nesting is how many brackets of a JSON are open in each other, at most.
func nesting(json string) (most int) {
	open, text := 0, false
	for i := 0; i < len(json); i++ {
		switch c := json[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '[' || c == '{':
			open++
			most = max(most, open)
		case c == ']' || c == '}':
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
	for t := range tokens(sql) {
		switch strings.ToUpper(t) {
		case "(", "[":
			from, in = append(from, in), false
		case ")", "]":
			if n := len(from) - 1; n >= 0 {
				from, in = from[:n], from[n]
			}
		case ",":
			if in {
				n++
			}
		case "|>":
			n, in = n+1, false
		case "FROM":
			in = true
		case "JOIN":
			n++
		case "SELECT", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "WINDOW", "LIMIT", "UNION", "INTERSECT", "EXCEPT":
			in = false
		}
	}
	return n
}

// tokens gives the words, the texts in quotes and the marks of a statement, without spaces and comments.
func tokens(sql string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for sql != "" {
			n, blank := token(sql)
			if !blank && !yield(sql[:n]) {
				return
			}
			sql = sql[n:]
		}
	}
}

// token is the length of the token at the beginning of s, or of what is blank there. Outside of quotes GoogleSQL has no use for
// characters beyond ASCII but as spaces.
func token(s string) (n int, blank bool) {
	switch c := s[0]; {
	case c <= ' ' || c >= utf8.RuneSelf:
		return 1, true
	case c == '#' || strings.HasPrefix(s, "--"):
		n = strings.IndexAny(s, "\r\n")
	case strings.HasPrefix(s, "/*"):
		if n = strings.Index(s[2:], "*/"); n >= 0 {
			n += 4
		}
	case c == '\'' || c == '"' || c == '`':
		return quoted(s), false
	case letter(c):
		for n = 1; n < len(s) && letter(s[n]); n++ {
		}
		return n, false
	case strings.HasPrefix(s, "|>"):
		return 2, false
	default:
		return 1, false
	}
	if n < 0 {
		n = len(s)
	}
	return n, true
}

func letter(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// quoted is the length of the quoted text at the beginning of s.
func quoted(s string) int {
	n := mark(s)
	for i := n; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], s[:n]):
			return i + n
		}
	}
	return len(s)
}

// mark is how many quotes s begins with: three, or one.
func mark(s string) int {
	if strings.HasPrefix(s, strings.Repeat(s[:1], 3)) {
		return 3
	}
	return 1
}
