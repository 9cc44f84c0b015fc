package vertextest_test

import (
	"database/sql"
	"fmt"
	"log"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

func ExampleNew() {
	server, err := vertextest.New(vertextest.Options{Script: []vertextest.Rule{{Contains: "duck", Answer: "Quack."}}})
	if err != nil {
		log.Fatal(err)
	}
	server.Start()
	defer server.Close()
	cfg := mallard.DefaultConfig()
	cfg.Connections = map[string]mallard.ConnectionConfig{
		"default": {Kind: "vertexai", Project: "p", Location: "us-central1", Auth: "none", BaseURL: server.URL()},
	}
	connector, err := mallard.NewConnector("", mallard.Options{Config: cfg})
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.Exec("CREATE MODEL m REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT = 'gemini-2.5-flash')"); err != nil {
		log.Fatal(err)
	}
	var text string
	err = db.QueryRow("SELECT ml_generate_text_llm_result FROM ML.GENERATE_TEXT(MODEL m, (SELECT 'What does a duck say?' AS prompt), " +
		"STRUCT(TRUE AS flatten_json_output))").Scan(&text)
	fmt.Println(text, server.Count(), err)
	// Output: Quack. 1 <nil>
}
