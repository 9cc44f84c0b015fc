// Judge compares queries with Google's reference evaluator: those that it is given, or the lines of standard input.
//
//	go run ./internal/googlesql/conformance/judge "SELECT 1/0" …
//	go run ./internal/googlesql/conformance/judge -generate 20000 -from 1
//
// Without -v it prints those that are not the same. It exits with 1 when one has other values, or misses an error.
package main

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/conformance"
	"github.com/mallardml/mallard/internal/googlesql/installed"
	"github.com/mallardml/mallard/internal/trace"
)

func main() {
	log.SetFlags(0)
	all := flag.Bool("v", false, "print what is the same, too")
	generate := flag.Uint64("generate", 0, "how many queries to generate")
	from := flag.Uint64("from", 1, "the first of them")
	show := flag.Bool("sql", false, "print the SQL that DuckDB is given")
	flag.Parse()
	ctx := context.Background()
	source, err := installed.Find("")
	if err != nil {
		log.Fatal(err)
	}
	service, err := source.Open(func(line string) { log.Print(line) })
	if err != nil {
		log.Fatal(err)
	}
	if os.Getenv(installed.EnvLibrary) == "" { // the connections take it only so
		if err := os.Setenv(installed.EnvLibrary, cmp.Or(source.Native, "wasm")); err != nil {
			log.Fatal(err)
		}
	}
	cfg := config.DefaultConfig()
	cfg.BigQuery.Dialect = config.Dialect(dialect.GoogleSQL)
	options := extension.Options{Config: cfg}
	if *show {
		options.Tracer = planned{}
	}
	connector, err := extension.NewConnector("", options)
	if err != nil {
		log.Fatal(err)
	}
	judge, err := conformance.New(ctx, service, sql.OpenDB(connector))
	if err != nil {
		log.Fatal(err)
	}
	queries := flag.Args()
	for i := range *generate {
		queries = append(queries, conformance.Generate(*from+i))
	}
	if len(queries) == 0 {
		in := bufio.NewScanner(os.Stdin)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			if q := strings.TrimSpace(in.Text()); q != "" && !strings.HasPrefix(q, "--") {
				queries = append(queries, strings.TrimSuffix(q, ";"))
			}
		}
	}
	counts := map[conformance.Verdict]int{}
	for _, q := range queries {
		j := judge.Query(ctx, q)
		counts[j.Verdict]++
		if *all || j.Verdict != conformance.Same {
			fmt.Printf("%s: %s\n\twant %s\n\tgot  %s\n", j.Verdict, q, j.Want, j.Got)
		}
	}
	fmt.Println(counts)
	if counts[conformance.Different]+counts[conformance.MissingError] > 0 {
		os.Exit(1)
	}
}

// planned prints what becomes of a statement.
type planned struct{}

func (planned) Trace(_ context.Context, e trace.Event) {
	if e.SQL != "" {
		fmt.Println("\tSQL ", e.SQL)
	}
}
