package vertexai_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/mallardml/mallard/connectors/vertexai"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

func ExampleNew() {
	server, err := vertextest.New(vertextest.Options{Script: []vertextest.Rule{{Contains: "duck", Answer: "Quack."}}})
	if err != nil {
		log.Fatal(err)
	}
	server.Start()
	defer server.Close()
	ctx := context.Background()
	client, err := vertexai.New(ctx, vertexai.Options{Auth: vertexai.AuthNone, BaseURL: server.URL()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	body := json.RawMessage(`{"contents": [{"role": "user", "parts": [{"text": "What does a duck say?"}]}]}`)
	answer, err := client.GenerateContent(ctx, server.ModelURL("gemini-2.5-flash"), body, nil)
	if err != nil {
		log.Fatal(err)
	}
	var reply struct {
		Candidates []struct {
			Content struct{ Parts []struct{ Text string } }
		}
	}
	err = json.Unmarshal(answer, &reply)
	fmt.Println(reply.Candidates[0].Content.Parts[0].Text, err)
	// Output: Quack. <nil>
}

func ExampleParseEndpoint() {
	e, err := vertexai.ParseEndpoint(vertexai.ExpandEndpoint("gemini-2.5-flash", "my-project", "us-central1"))
	fmt.Println(e.Resource(), err)
	// Output: projects/my-project/locations/us-central1/publishers/google/models/gemini-2.5-flash <nil>
}
