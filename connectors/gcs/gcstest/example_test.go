package gcstest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/mallardml/mallard/connectors/gcs/gcstest"
)

func ExampleNewServer() {
	server, err := gcstest.NewServer(gcstest.Object{Bucket: "posters", Name: "a.txt", Content: []byte("a duck")})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.Fail(http.StatusServiceUnavailable, 1, gcstest.Media) // the first download is told to come again
	content, err := server.Client().Bucket("posters").Object("a.txt").NewReader(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	fmt.Println(string(text), err)
	// Output: a duck <nil>
}
