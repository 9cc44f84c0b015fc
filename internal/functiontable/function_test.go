package functiontable_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/functiontable"
)

func ExampleNamed() {
	f, _ := functiontable.Named("ml.distance")
	fmt.Println(f.Signature(), "→", f.Result)
	fmt.Println(f.Arity())
	// Output:
	// ML.DISTANCE(a, b [, type]) → FLOAT64
	// 2 3
}

func ExampleAll() {
	for _, f := range functiontable.All(functiontable.Table) {
		fmt.Printf("%s: %s\n", f.Name, f.Doc)
	}
	// Output:
	// EXTERNAL_OBJECT_TRANSFORM: an object table with signed URLs
	// RANGE_SESSIONIZE: ranges that meet or overlap, as sessions
	// VECTOR_SEARCH: the nearest rows of a table, exactly
}

// TestFunctions: a name, or the name of a plain form, is in the table once, and every entry says what a reader needs.
func TestFunctions(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range functiontable.All() {
		for _, name := range []string{f.Name, f.Plain} {
			if key := strings.ToLower(name); key != "" && !(seen[key] && strings.EqualFold(f.Name, f.Plain) && name == f.Plain) {
				if seen[key] {
					t.Errorf("%s is there twice", name)
				}
				seen[key] = true
			}
		}
		if f.Doc == "" || f.Result == "" {
			t.Errorf("%s has no line of documentation or no result", f.Name)
		}
		if f.Page == "" && f.Kind != functiontable.System {
			t.Errorf("%s does not say which page it follows", f.Name)
		}
		asks := f.Kind == functiontable.Asking || f.Kind == functiontable.Model
		if asks != (f.Models != "") {
			t.Errorf("%s: models %q of kind %d", f.Name, f.Models, f.Kind)
		}
		for i, a := range f.Args {
			if a.Name == "" || a.Type == "" || slices.ContainsFunc(f.Args[:i], func(b functiontable.Argument) bool { return a.Name == b.Name }) {
				t.Errorf("%s: argument %d, %q", f.Name, i+1, a.Name)
			}
			if a.Named && !a.Optional || !a.Named && i > 0 && f.Args[i-1].Named {
				t.Errorf("%s: argument %s is out of order", f.Name, a.Name)
			}
		}
	}
}

// TestReference: the reference has each function and each of its named arguments.
func TestReference(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ToLower(string(page))
	for _, f := range functiontable.All() {
		if !strings.Contains(text, strings.ToLower(f.Name)) {
			t.Errorf("docs/reference.md lacks %s", f.Name)
		}
		for _, a := range f.Named("") {
			if !strings.Contains(text, a.Name) {
				t.Errorf("docs/reference.md lacks the argument %s of %s", a.Name, f.Name)
			}
		}
	}
}
