package quote_test

import (
	"fmt"

	"github.com/mallardml/mallard/internal/quote"
)

func Example() {
	fmt.Println(quote.Name(`my "x"`), quote.Path("demo", "t"), quote.Text("it's"))
	fmt.Println(quote.Files([]string{"a.csv", "it's [1]*?.csv"}))
	// Output:
	// "my ""x""" "demo"."t" 'it''s'
	// ['a.csv', 'it''s [[]1][*][?].csv']
}
