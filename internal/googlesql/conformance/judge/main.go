// Judge compares queries with Google's reference evaluator: those that it is given, or the lines of standard input.
//
//	MALLARD_GOOGLESQL=liblocal_service_jni.so go run ./internal/googlesql/conformance/judge "SELECT 1/0" …
//
// Without -v it prints those that are not the same.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/native"
	"github.com/mallardml/mallard/internal/googlesql/conformance"
)

func main() {
	log.SetFlags(0)
	all := flag.Bool("v", false, "print what is the same, too")
	flag.Parse()
	ctx := context.Background()
	service, err := native.Open(os.Getenv("MALLARD_GOOGLESQL"))
	if err != nil {
		log.Fatal(err)
	}
	config := extension.DefaultConfig()
	config.BigQuery.Dialect = extension.Dialect(dialect.GoogleSQL)
	connector, err := extension.NewConnector("", extension.Options{Config: config})
	if err != nil {
		log.Fatal(err)
	}
	judge, err := conformance.New(ctx, service, sql.OpenDB(connector))
	if err != nil {
		log.Fatal(err)
	}
	queries := flag.Args()
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
}
