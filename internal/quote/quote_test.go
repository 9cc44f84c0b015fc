package quote_test

import (
	"fmt"

	"github.com/mallardml/mallard/internal/quote"
)

func Example() {
	fmt.Println(quote.Name(`my "x"`), quote.Path("demo", "t"), quote.Text("it's"))
	// Output: "my ""x""" "demo"."t" 'it''s'
}
