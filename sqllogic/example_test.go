package sqllogic_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mallardml/mallard/sqllogic"
)

func ExampleRunner() {
	folder, err := os.MkdirTemp("", "tests")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "sum.test")
	if err := os.WriteFile(file, []byte("query I\nSELECT 1 + 1\n----\n2\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	var runner sqllogic.Runner // on plain DuckDB
	report, err := runner.Run(context.Background(), file)
	fmt.Println(report, err)
	// Output: 1 passed, 0 failed, 0 skipped <nil>
}
