package remote_test

import (
	"fmt"

	"github.com/mallardml/mallard/functions/remote"
)

func ExampleFamilyOf() {
	for _, endpoint := range []string{"gemini-2.5-flash", "claude-opus-4", "multimodalembedding@001", "my-model"} {
		f := remote.FamilyOf(endpoint)
		fmt.Println(endpoint, "is", f.Model(), f.Text(), f.Embedding())
	}
	// Output:
	// gemini-2.5-flash is a Gemini model true false
	// claude-opus-4 is a Claude model true false
	// multimodalembedding@001 is a multimodal embedding model false true
	// my-model is a model false false
}

func ExampleParseColumns() {
	columns, err := remote.ParseColumns("title STRING, tags ARRAY<STRING>")
	fmt.Println(columns[1].Name, columns[1].Type, err)
	_, err = remote.ParseColumns("title BYTES")
	fmt.Println(err)
	// Output:
	// tags ARRAY<STRING> <nil>
	// has the type BYTES; it may be BOOL, INT64, FLOAT64, NUMERIC, STRING, ARRAY<…> or STRUCT<…>
}
