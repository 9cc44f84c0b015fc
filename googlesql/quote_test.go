package googlesql_test

import (
	"fmt"

	"github.com/mallardml/mallard/googlesql"
)

func ExampleQuoteText() {
	fmt.Println(googlesql.QuoteText("a \"b\"\n"))
	// Output: "a \"b\"\n"
}

func ExampleUnescape() {
	fmt.Println(googlesql.Unescape(`a\x62\"`))
	// Output: ab" <nil>
}
