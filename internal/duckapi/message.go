// Package duckapi is what Mallard knows of DuckDB and of its driver beyond what they promise: what the words of an error
// mean, and where the driver keeps the C handles. Each fact has a test, so that a new DuckDB that says or keeps something
// another way fails here and nowhere else.
package duckapi

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// Is reports whether DuckDB gave the error and it has one of the types.
func Is(err error, types ...duckdb.ErrorType) bool {
	var d *duckdb.Error
	if !errors.As(err, &d) {
		return false
	}
	for _, t := range types {
		if d.Type == t {
			return true
		}
	}
	return false
}

// HasPosition reports whether DuckDB can say where a fault of this kind is when it prepares the text again.
func HasPosition(err error) bool {
	return Is(err, duckdb.ErrorTypeParser, duckdb.ErrorTypeSyntax, duckdb.ErrorTypeBinder, duckdb.ErrorTypeCatalog, duckdb.ErrorTypeConversion)
}

// Position reads the byte of the statement that DuckDB points at out of an error in JSON: `SET errors_as_json = true`
// makes it write those.
func Position(err error) (int, bool) {
	_, text, ok := strings.Cut(err.Error(), "{")
	if !ok {
		return 0, false
	}
	var d struct{ Position string }
	if json.NewDecoder(strings.NewReader("{"+text)).Decode(&d) != nil {
		return 0, false
	}
	at, err := strconv.Atoi(d.Position)
	return at, err == nil && at >= 0
}

var excerpt = regexp.MustCompile(`\n\nLINE (\d+): (.*)\n( *)\^`)

// Place finds the byte of the statement at which the excerpt under a message points. Long lines are shortened in it.
func Place(sql, msg string) (int, bool) {
	m := excerpt.FindStringSubmatch(msg)
	if m == nil {
		return 0, false
	}
	line, _ := strconv.Atoi(m[1])
	start := 0
	for range line - 1 {
		next := strings.IndexByte(sql[start:], '\n')
		if next < 0 {
			return 0, false
		}
		start += next + 1
	}
	whole, _, _ := strings.Cut(sql[start:], "\n")
	shown := []rune(m[2])
	caret := len(m[3]) - len("LINE : ") - len(m[1])
	if caret < 0 || caret > len(shown) {
		return 0, false
	}
	before, text := string(shown[:caret]), m[2]
	if !strings.HasPrefix(whole, strings.TrimSuffix(text, "...")) {
		before, text = strings.TrimPrefix(before, "..."), strings.TrimPrefix(text, "...")
	}
	at := strings.Index(whole, text)
	if at < 0 {
		if text = strings.TrimSuffix(text, "..."); text == "" {
			return 0, false
		}
		if at = strings.Index(whole, text); at < 0 {
			return 0, false
		}
	}
	return start + at + len(before), true
}

// WithoutExcerpt cuts off the excerpt of the statement that DuckDB writes under a message, `LINE 1: …` and a caret.
func WithoutExcerpt(msg string) string {
	before, _, _ := strings.Cut(msg, "\n\nLINE ")
	return strings.TrimRight(before, "\n")
}

// SameFault reports whether two errors speak of the same, though one of them may list other candidates, or none: what they say up to
// the end of the first name in it.
func SameFault(a, b error) bool {
	return beginning(a.Error()) == beginning(b.Error())
}

func beginning(msg string) string {
	msg, _, _ = strings.Cut(msg, "\n")
	if parts := strings.SplitN(msg, `"`, 3); len(parts) == 3 {
		return parts[0] + parts[1]
	}
	return msg
}

var word = regexp.MustCompile(`^(?:[\pL\pN_$]+|"[^"\n]*"|` + "`[^`\n]*`" + `)`)

// WordEnd is the end of the word, or of the character, that starts at a place in a text.
func WordEnd(src string, pos int) int {
	if w := word.FindString(src[min(pos, len(src)):]); w != "" {
		return pos + len(w)
	}
	return min(pos+1, len(src))
}

// WithoutAdvice cuts off the list of candidates, and the advice to add casts, after a complaint about types.
func WithoutAdvice(msg string) string {
	msg, _, _ = strings.Cut(msg, "\n\tCandidate functions:")
	return strings.TrimRight(strings.TrimSuffix(strings.TrimSpace(msg), " You might need to add explicit type casts."), ".")
}

// Carries reports whether an error is, or has come through DuckDB as the text of, one that a callback of ours gave.
func Carries(err, ours error) bool {
	return errors.Is(err, ours) || strings.Contains(err.Error(), ours.Error())
}

// Aborted reports that the transaction has failed before, so that nothing but ROLLBACK runs in it.
func Aborted(err error) bool {
	return strings.Contains(err.Error(), "Current transaction is aborted")
}

// Absent reports that the table of a query is not there, or not even its schema or database.
func Absent(err error) bool {
	msg := err.Error()
	return strings.HasPrefix(msg, "Catalog Error") && strings.Contains(msg, "does not exist") ||
		strings.HasPrefix(msg, "Binder Error") && strings.Contains(msg, "Catalog")
}

// LacksColumn reports that no table has a column of that name, which is lower-case.
func LacksColumn(err error, name string) bool {
	s := strings.ToLower(err.Error()) // which shows the column as the user wrote it
	return strings.Contains(s, `column "`+name+`"`) || strings.Contains(s, `column named "`+name+`"`)
}

var noColumnOf = regexp.MustCompile(`"([^"]+)" does not have a column named|Referenced table "([^"]+)" not found`)

// LacksColumnOf gives the table that lacks the column which a query names with it; in a correlated subquery DuckDB says that
// the table is not there.
func LacksColumnOf(err error) (table string, ok bool) {
	m := noColumnOf.FindStringSubmatch(err.Error())
	if m == nil {
		return "", false
	}
	return m[1] + m[2], true
}

var missingFunction = regexp.MustCompile(`(Table|Scalar) Function with name "?(\w+)"? ` +
	`(?:does not exist|is not in the catalog, a function by this name exists)`)

// MissingFunction gives the name of the function that DuckDB does not know, and whether it stands where a table does.
func MissingFunction(err error) (name string, table, ok bool) {
	m := missingFunction.FindStringSubmatch(err.Error())
	if m == nil {
		return "", false, false
	}
	return m[2], m[1] == "Table", true
}

var noOverload = regexp.MustCompile(
	`^Binder Error: (?:No function matches the given name and argument types '|` +
		`Could not choose a best candidate function for the function call ")(\w+)\((.*)\)['"]\.`)

// NoOverload reads a complaint about the types of a function's arguments; types is their list, as DuckDB writes it.
func NoOverload(msg string) (name, types string, ok bool) {
	m := noOverload.FindStringSubmatch(msg)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

var literalType = regexp.MustCompile(`\b(STRING|INTEGER)_LITERAL\b`)

// FirstTypes gives the first n types of a list that [NoOverload] gave, with the names that a user knows.
func FirstTypes(list string, n int) string {
	depth := 0
	for i, c := range list {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				if n--; n == 0 {
					list = list[:i]
				}
			}
		}
		if n == 0 {
			break
		}
	}
	return literalType.ReplaceAllStringFunc(list, func(s string) string {
		return map[string]string{"STRING_LITERAL": "VARCHAR", "INTEGER_LITERAL": "INTEGER"}[s]
	})
}

// ManyColumns reports a complaint about a subquery that stands where one value does and has several columns.
func ManyColumns(msg string) bool { return strings.HasPrefix(msg, "Binder Error: Subquery returns ") }

// Prefixes are what DuckDB puts before the message of a callback: nothing, or the kind of error it makes of it.
var Prefixes = [...]string{"", "Binder Error: ", "Invalid Input Error: "}

// AlreadyExists reports whether DuckDB refused to make what is there.
func AlreadyExists(err error) bool {
	return Is(err, duckdb.ErrorTypeCatalog) && strings.Contains(err.Error(), "already exists")
}

var conflict = regexp.MustCompile(`write-write conflict|Conflict on (?:update|tuple deletion)|Transaction conflict:`)

// Conflicts reports that another transaction was first to change the same, so that trying again may help.
func Conflicts(err error) bool { return conflict.MatchString(err.Error()) }
