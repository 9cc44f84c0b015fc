// Command search finds texts by what they mean: the lines of a file are embedded into a DuckDB file once, and asked as often as you like.
//
//	go run ./examples/search ducks.db index testdata/models/swivel_like notes.txt
//	go run ./examples/search ducks.db ask 'water birds'
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

	"github.com/mallardml/mallard"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	if len(args) < 3 {
		return errors.New("usage: search DATABASE index MODEL FILE, or search DATABASE ask TEXT")
	}
	// "" in place of a file name is a database in memory; a Config in the Options names connections, limits and budgets.
	connector, err := mallard.NewConnector(args[0], mallard.Options{})
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	switch {
	case args[1] == "index" && len(args) == 4:
		return index(ctx, db, args[2], args[3])
	case args[1] == "ask" && len(args) == 3:
		return ask(ctx, db, args[2], out)
	}
	return fmt.Errorf("%q is neither index MODEL FILE nor ask TEXT", args[1:])
}

// index embeds the lines of a file. A remote model takes the place of the imported one with another CREATE MODEL, and nothing else.
func index(ctx context.Context, db *sql.DB, model, file string) error {
	text := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	_, err := db.ExecContext(ctx, `
		CREATE OR REPLACE MODEL words OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH=`+text(model)+`);
		CREATE OR REPLACE TABLE lines AS
		SELECT content, ml_generate_embedding_result AS embedding
		FROM ML.GENERATE_EMBEDDING(MODEL words, (
			SELECT DISTINCT trim(unnest(string_split(content, chr(10)))) AS content FROM read_text(`+text(file)+`)
		), STRUCT(TRUE AS flatten_json_output))
		WHERE content <> ''`)
	return err
}

// ask prints the three lines that are nearest to a text. Parameters go into the model's input as anywhere else.
func ask(ctx context.Context, db *sql.DB, text string, out io.Writer) (err error) {
	rows, err := db.QueryContext(ctx, `
		SELECT base.content, distance
		FROM VECTOR_SEARCH(TABLE lines, 'embedding', (
			SELECT ml_generate_embedding_result AS embedding
			FROM ML.GENERATE_EMBEDDING(MODEL words, (SELECT ? AS content), STRUCT(TRUE AS flatten_json_output))
		), top_k => 3, distance_type => 'COSINE')
		ORDER BY distance`, text)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line string
		var distance float64
		if err := rows.Scan(&line, &distance); err != nil {
			return err
		}
		fmt.Fprintf(out, "%.3f  %s\n", distance, line)
	}
	return rows.Err()
}
