// The tutorial "Make predictions with imported TensorFlow models" by the Go client. It finds the server by
// BIGQUERY_EMULATOR_HOST, which Go's client does not read by itself; without it the server is http://localhost:9050.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) (err error) {
	client, err := bigquery.NewClient(ctx, cmp.Or(os.Getenv("GOOGLE_CLOUD_PROJECT"), "test-project"),
		option.WithEndpoint(cmp.Or(os.Getenv("BIGQUERY_EMULATOR_HOST"), "http://localhost:9050")), option.WithoutAuthentication())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	dataset := client.Dataset("bqml_tutorial_go")
	if err := dataset.Create(ctx, &bigquery.DatasetMetadata{Location: "US"}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dataset.DeleteWithContents(ctx)) }()
	job, err := client.Query(`
		CREATE OR REPLACE MODEL bqml_tutorial_go.imported_tf_model
		OPTIONS (MODEL_TYPE='TENSORFLOW',
		  MODEL_PATH='gs://cloud-training-demos/txtclass/export/exporter/1549825580/*')`).Run(ctx)
	if err != nil {
		return err
	}
	if status, err := job.Wait(ctx); err != nil || status.Err() != nil {
		return errors.Join(err, status.Err())
	}
	rows, err := client.Query(`
		SELECT *
		FROM ML.PREDICT(MODEL bqml_tutorial_go.imported_tf_model,
		  (SELECT title AS input FROM bigquery-public-data.hacker_news.full))
		LIMIT 5`).Read(ctx)
	if err != nil {
		return err
	}
	for {
		var row struct {
			Dense []float64 `bigquery:"dense_1"`
			Input bigquery.NullString
		}
		switch err := rows.Next(&row); {
		case errors.Is(err, iterator.Done):
			return nil
		case err != nil:
			return err
		}
		fmt.Println(row.Dense, row.Input)
	}
}
