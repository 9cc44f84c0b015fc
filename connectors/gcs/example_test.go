package gcs_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/mallardml/mallard/connectors/gcs"
	"github.com/mallardml/mallard/connectors/gcs/gcstest"
)

func ExampleNew() {
	server, err := gcstest.NewServer(gcstest.Object{Bucket: "posters", Name: "1950/a.txt", Content: []byte("a duck")})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	ctx := context.Background()
	client, err := gcs.New(ctx, gcs.Options{Auth: gcs.None, Endpoint: server.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	err = client.List(ctx, "posters", "1950/", "", nil, func(page []gcs.Object) error {
		for _, o := range page {
			fmt.Println(o.URI)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	content, size, err := client.Open(ctx, "posters", "1950/a.txt", 0, 2)
	if err != nil {
		log.Fatal(err)
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	fmt.Printf("%q %d %v\n", text, size, err)
	// Output:
	// gs://posters/1950/a.txt
	// "duck" 6 <nil>
}
