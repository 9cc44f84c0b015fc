package objecttable_test

import (
	"fmt"

	"github.com/mallardml/mallard/objecttable"
)

func ExampleSplitURI() {
	for _, uri := range []string{"gs://posters/1950/a.jpg", "file:///data/a.jpg", "posters/a.jpg", "s3://posters/a.jpg"} {
		scheme, bucket, name, err := objecttable.SplitURI(uri)
		fmt.Printf("%q %q %q %v\n", scheme, bucket, name, err)
	}
	// Output:
	// "gs" "posters" "1950/a.jpg" <nil>
	// "file" "" "/data/a.jpg" <nil>
	// "file" "" "posters/a.jpg" <nil>
	// "" "" "" s3://posters/a.jpg: objects of s3:// cannot be read; use gs://bucket/object, file:///path or a plain path
}
