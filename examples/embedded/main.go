// Command embedded shows Mallard inside a Go program: open a database, create a model, ask it, scan the answers.
//
//	go run ./examples/embedded testdata/models/swivel_like
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: embedded FOLDER, a SavedModel that makes a vector of a text")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run embeds three texts with the model in a folder.
func run(ctx context.Context, folder string, out io.Writer) (err error) {
	// A file name in place of "" keeps tables and models; a Config in the Options names connections, limits and budgets.
	connector, err := mallard.NewConnector("", mallard.Options{})
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()

	create := "CREATE MODEL words OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='" + strings.ReplaceAll(folder, "'", "''") + "/*')"
	if _, err := db.ExecContext(ctx, create); err != nil {
		return err
	}

	// Parameters go into the model's input as anywhere else.
	rows, err := db.QueryContext(ctx, `
		SELECT content, ml_generate_embedding_result
		FROM ML.GENERATE_EMBEDDING(MODEL words, (SELECT unnest(?::VARCHAR[]) AS content), STRUCT(TRUE AS flatten_json_output))`,
		[]string{"a duck on the pond", "ducks on a pond", "interest rates"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		var vector duckdb.Composite[[]float64]
		if err := rows.Scan(&text, &vector); err != nil {
			return err
		}
		fmt.Fprintf(out, "%-20s %d numbers\n", text, len(vector.Get()))
	}
	return rows.Err()
}
