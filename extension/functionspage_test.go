package extension_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/googlesql/writer"
)

// exampleRows are those that the page's aggregate and window functions are over.
const exampleRows = "UNNEST([STRUCT(1 AS x, 1.5 AS y), (2, 2.5), (2, 3.5), (NULL, 4.5)])"

var exampleRow = regexp.MustCompile("^\\| ([^|]+?) \\| `(.*)` \\| `(.*)` \\|$")

var capitals = regexp.MustCompile(`[A-Z][A-Z0-9_.]{3,}`)

// TestFunctionsPage runs the examples of docs/functions.md, and looks for every function of the writer's there.
func TestFunctionsPage(t *testing.T) {
	page, err := os.ReadFile("../docs/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	db := openGoogleSQL(t)
	var beyond string
	listed := map[string]bool{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		switch title {
		case "Beyond BigQuery's reference":
			beyond = text
		case "Refused":
			for _, name := range capitals.FindAllString(text, -1) {
				if writer.Known(name) {
					t.Errorf("%s is not refused", name)
				}
			}
		}
		var calls, want []string
		for _, line := range strings.Split(text, "\n") {
			if m := exampleRow.FindStringSubmatch(strings.ReplaceAll(line, `\|`, "\x00")); m != nil {
				listed[strings.ToLower(m[1])] = true
				calls = append(calls, strings.ReplaceAll(m[2], "\x00", "|"))
				want = append(want, strings.ReplaceAll(m[3], "\x00", "|"))
			}
		}
		if len(calls) == 0 {
			continue
		}
		got := make([]string, len(calls))
		values := make([]any, len(calls))
		for i := range got {
			values[i] = &got[i]
		}
		if err := db.QueryRow(exampleQuery(title, calls)).Scan(values...); err != nil {
			t.Errorf("%s: %v", title, err)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s is %s, and %s on the page", calls[i], got[i], want[i])
			}
		}
	}
	if len(listed) < 270 {
		t.Errorf("only %d functions have examples", len(listed))
	}
	others := strings.FieldsFunc(strings.ToLower(beyond), func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == ':' })
	for _, name := range writer.FunctionNames() {
		if !strings.HasPrefix(name, "$") && !listed[name] && !slices.Contains(others, name) {
			t.Errorf("%s is not on the page", strings.ToUpper(name))
		}
	}
}

// exampleQuery asks for all examples of a section at once.
func exampleQuery(title string, calls []string) string {
	shown, given := make([]string, len(calls)), make([]string, len(calls))
	for i, c := range calls {
		shown[i], given[i] = fmt.Sprintf("FORMAT('%%T', %s)", c), fmt.Sprintf("%s AS v%d", c, i)
	}
	switch {
	case strings.Contains(strings.ToLower(title), "aggregate"):
		return "SELECT " + strings.Join(shown, ", ") + " FROM " + exampleRows
	case strings.HasPrefix(title, "Window"):
		for i := range calls {
			shown[i] = fmt.Sprintf("FORMAT('%%T', ARRAY_AGG(v%d ORDER BY y))", i)
		}
		return "SELECT " + strings.Join(shown, ", ") + " FROM (SELECT y, " + strings.Join(given, ", ") + " FROM " + exampleRows + ")"
	}
	return "SELECT " + strings.Join(shown, ", ")
}
