package emulate_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/sqllogic"
)

const duckTest = `require vertexai

statement ok
CREATE MODEL m REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT = 'gemini-2.5-flash')

query T
SELECT ml_generate_text_llm_result FROM ML.GENERATE_TEXT(MODEL m, (SELECT 'a duck' AS prompt), STRUCT(TRUE AS flatten_json_output))
----
Echo: a duck
`

func ExampleSuite() {
	folder, err := os.MkdirTemp("", "tests")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "duck.test")
	if err := os.WriteFile(file, []byte(duckTest), 0o600); err != nil {
		log.Fatal(err)
	}
	runner := sqllogic.Runner{Options: sqllogic.Options{Begin: emulate.Suite{}.Begin}}
	report, err := runner.Run(context.Background(), file)
	fmt.Println(report, err)
	// Output: 1 passed, 0 failed, 0 skipped <nil>
}
