package localfs_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/mallardml/mallard/connectors/localfs"
)

func ExampleOpenBucket() {
	folder, err := os.MkdirTemp("", "bucket")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	bucket, err := localfs.OpenBucket("posters", folder)
	if err != nil {
		log.Fatal(err)
	}
	defer bucket.Close()
	upload, err := bucket.Create("1950/a.txt") // nobody sees it before Commit
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.WriteString(upload, "a duck"); err != nil {
		log.Fatal(err)
	}
	o, err := upload.Commit(context.Background())
	fmt.Println(o.URI, o.Size, err)
	_, err = bucket.Create("../outside")
	fmt.Println(err != nil)
	// Output:
	// gs://posters/1950/a.txt 6 <nil>
	// true
}
