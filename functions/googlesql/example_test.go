package googlesql_test

import (
	"fmt"
	"slices"

	"github.com/mallardml/mallard/functions/googlesql"
)

func ExampleNames() {
	fmt.Println(slices.Contains(googlesql.Names(), "soundex")) // in SQL it is googlesql.Prefix + "soundex"
	// Output: true
}
