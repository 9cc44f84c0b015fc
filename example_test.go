package mallard_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/googlesql"
)

// words opens a database in memory with a model that makes a vector of a text.
func words() *sql.DB {
	connector, err := mallard.NewConnector("", mallard.Options{})
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	if _, err := db.Exec("CREATE MODEL words OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='testdata/models/swivel_like/*')"); err != nil {
		log.Fatal(err)
	}
	return db
}

func ExampleNewConnector() {
	db := words()
	defer db.Close()
	var vector duckdb.Composite[[]float64]
	err := db.QueryRow("SELECT embedding FROM ML.PREDICT(MODEL words, (SELECT ? AS content))", "a duck on the pond").Scan(&vector)
	fmt.Println(len(vector.Get()), err)
	// Output: 20 <nil>
}

func ExampleDriver() {
	db, err := sql.Open("mallard", "?mallard_dialect=bigquery")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	var n int
	err = db.QueryRow("SELECT ARRAY_LENGTH([1, 2, 3])").Scan(&n)
	fmt.Println(n, err)
	// Output: 3 <nil>
}

func ExampleParseDialect() {
	for _, name := range []string{"", "bigquery", "mysql"} {
		d, err := mallard.ParseDialect(name)
		fmt.Println(d == mallard.GoogleSQL, err)
	}
	// Output:
	// false <nil>
	// true <nil>
	// false unknown dialect "mysql": use auto, duckdb or bigquery
}

func ExampleCodeOf() {
	db := words()
	defer db.Close()
	_, err := db.Exec("SELECT * FROM ML.PREDICT(MODEL word, (SELECT 'duck' AS content))")
	fmt.Println(mallard.CodeOf(err), errors.Is(err, mallard.ErrModelNotFound))
	var e *mallard.Error
	if errors.As(err, &e) {
		fmt.Println(e.Render("query"))
	}
	// Output:
	// notFound true
	// query:1:32: model `word` not found; did you mean `words`? SHOW MODELS lists the models
	//   1 | SELECT * FROM ML.PREDICT(MODEL word, (SELECT 'duck' AS content))
	//                                      ^~~~
}

func ExampleTypedValue() {
	db := words()
	defer db.Close()
	days, err := googlesql.ParseType("ARRAY<DATE>")
	if err != nil {
		log.Fatal(err)
	}
	leap := time.Date(2024, time.February, 29, 0, 0, 0, 0, time.UTC)
	var n int
	err = db.QueryRow("SELECT len($days)", sql.Named("days", mallard.TypedValue{Type: days, Value: []any{leap, nil}})).Scan(&n)
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleWithNotices() {
	connector, err := mallard.NewConnector("", mallard.Options{Dialect: mallard.DuckDB})
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx := mallard.WithNotices(context.Background(), func(s string) { fmt.Println(s) })
	_, err = db.ExecContext(ctx, "CREATE MODEL words OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='testdata/models/swivel_like/*')")
	fmt.Println(err)
	// Output:
	// Successfully created model named words.
	// <nil>
}

// shout is a function of the program's own.
type shout struct{}

func (shout) Config() duckdb.ScalarFuncConfig {
	text, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	if err != nil {
		log.Fatal(err)
	}
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{text}, ResultTypeInfo: text}
}

func (shout) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(args []driver.Value) (any, error) { return args[0].(string) + "!", nil }}
}

func ExampleWithDuckDB() {
	db, err := sql.Open("mallard", "")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	err = mallard.WithDuckDB(ctx, conn, func(d *sql.Conn) error {
		return duckdb.RegisterScalarUDF(d, "shout", shout{})
	})
	if err != nil {
		log.Fatal(err)
	}
	var text string
	err = conn.QueryRowContext(ctx, "SELECT shout('quack')").Scan(&text)
	fmt.Println(text, err)
	// Output: quack! <nil>
}

func ExampleWithProgress() {
	db := words()
	defer db.Close()
	var p mallard.Progress
	ctx := mallard.WithProgress(context.Background(), &p)
	var n int
	err := db.QueryRowContext(ctx, "SELECT count(embedding) FROM ML.PREDICT(MODEL words, (SELECT 'text ' || i AS content FROM range(1000) t(i)))").Scan(&n)
	fmt.Println(n, p.Rows(), err)
	// Output: 1000 1000 <nil>
}

func ExampleWithStreaming() {
	db := words()
	defer db.Close()
	conn, err := db.Conn(context.Background()) // rows that are computed as they are read belong to one connection
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	rows, err := conn.QueryContext(mallard.WithStreaming(context.Background()), "SELECT i FROM range(1_000_000_000) t(i)")
	if err != nil {
		log.Fatal(err)
	}
	rows.Next()
	var i int
	fmt.Println(rows.Scan(&i), i, rows.Close())
	// Output: <nil> 0 <nil>
}

// The models of a database run in a process of their own, which is this program again.
func ExampleRunWorker() {
	mallard.RunWorker() // first: in that process it does not return
	program, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	cfg := mallard.DefaultConfig()
	cfg.TensorFlow.Isolation, cfg.TensorFlow.Worker = "process", program
	cfg.TensorFlow.WorkerMemory = 4 << 30
	fmt.Println(cfg.Validate())
	// Output: <nil>
}

func ExampleLoadConfig() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "mallard.toml")
	if err := os.WriteFile(file, []byte("[connections.local]\nkind = \"openai\"\nbase_url = \"http://localhost:11434/v1\"\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	cfg, err := mallard.LoadConfig(file)
	fmt.Println(cfg.Connections["local"].Kind, err)
	// Output: openai <nil>
}

func ExampleFindConfig() {
	fmt.Println(mallard.FindConfig(func(string) string { return "/etc/mallard.toml" }))
	// Output: /etc/mallard.toml
}

func ExampleConfigTemplate() {
	// What `mallard config init` writes: the start of a configuration of one's own.
	first, _, _ := strings.Cut(mallard.ConfigTemplate(), "\n")
	fmt.Println(first)
	// Output: # Mallard's configuration: every key with its default. Mallard works without any file.
}

func ExampleDefaultConfig() {
	cfg := mallard.DefaultConfig()
	cfg.BigQuery.Project = "my-project" // SELECT … FROM `my-project.demo.t` is demo.t
	fmt.Println(cfg.Validate())
	// Output: <nil>
}

func ExampleAnalyze() {
	columns, err := googlesql.ParseColumns("id INT64, content STRING")
	if err != nil {
		log.Fatal(err)
	}
	all, err := mallard.Analyze(context.Background(), "SELECT id, UPPER(content) AS loud FROM demo.t WHERE id > $least", mallard.AnalyzeOptions{
		Tables: []mallard.Relation{{Name: "demo.t", Columns: columns}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range all {
		fmt.Println(a.Kind, a.Reads, a.RowWise)
		for _, p := range a.Parameters {
			fmt.Println("parameter", p.Name, p.Type)
		}
		for _, c := range a.Columns {
			fmt.Println("column", c.Name, c.Type)
		}
	}
	// Output:
	// SELECT [demo.t] true
	// parameter least INT64
	// column id INT64
	// column loud STRING
}
