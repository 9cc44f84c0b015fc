package openai_test

import (
	"context"
	"fmt"
	"log"

	"github.com/mallardml/mallard/connectors/openai"
)

func ExampleNew() {
	o := openai.Options{BaseURL: "http://127.0.0.1:11434/v1"} // Ollama, which wants no key
	client, err := openai.New(context.Background(), o)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	endpoint := o.ExpandEndpoint("llama3.2")
	name, err := o.ModelName(endpoint)
	fmt.Println(endpoint, name, err)
	// Output: http://127.0.0.1:11434/v1/models/llama3.2 llama3.2 <nil>
}
