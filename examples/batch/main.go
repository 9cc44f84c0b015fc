// Command batch scores the rows of Parquet files with a SavedModel and writes them, with the model's outputs, into another file.
//
//	go run ./examples/batch testdata/models/text_classifier 'titles/*.parquet' scored.parquet
//
// The files have a column for each input of the model. No row is held in memory longer than its batch.
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
	"time"

	"github.com/mallardml/mallard"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: batch MODEL INPUT.parquet OUTPUT.parquet")
		os.Exit(2)
	}
	if err := score(ctx, os.Args[1], os.Args[2], os.Args[3], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// score writes the scored rows, and tells once a second how far it is.
func score(ctx context.Context, model, input, output string, log io.Writer) (err error) {
	connector, err := mallard.NewConnector("", mallard.Options{})
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	create := "CREATE MODEL m OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH=" + text(model) + ")"
	if _, err := db.ExecContext(ctx, create); err != nil {
		return err
	}

	var p mallard.Progress
	done := make(chan struct{})
	defer func() { <-done }()
	counting, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer close(done)
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-counting.Done():
				tick.Stop()
				return
			case <-tick.C:
				fmt.Fprintf(log, "%d rows\n", p.Rows())
			}
		}
	}()

	// What is half written has another name, so that nobody takes it for the whole.
	part := output + ".part"
	r, err := db.ExecContext(mallard.WithProgress(ctx, &p),
		"COPY (SELECT * FROM ML.PREDICT(MODEL m, (FROM read_parquet("+text(input)+")))) TO "+text(part)+" (FORMAT parquet)")
	if err != nil {
		return errors.Join(err, removed(part))
	}
	rows, err := r.RowsAffected()
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "%d rows are in %s\n", rows, output)
	return os.Rename(part, output)
}

// text is a literal of SQL.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func removed(file string) error {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
