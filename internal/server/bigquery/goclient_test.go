package bigquery_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

// row is a row as Go's client reads it.
type row struct {
	ID   int64
	Tags []string
	Seen time.Time
	Day  civil.Date
	Part struct{ X float64 }
	Note bigquery.NullString
}

// TestGoClient: what programs do with Google's client for Go.
func TestGoClient(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	c, err := bigquery.NewClient(ctx, project, option.WithEndpoint(s.url), option.WithHTTPClient(s.client))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ds := c.Dataset("go_ds")
	must(ds.Create(ctx, &bigquery.DatasetMetadata{Location: "US", Description: "d", Labels: map[string]string{"a": "b"}}))
	var e *googleapi.Error
	if err := ds.Create(ctx, nil); !errors.As(err, &e) || e.Code != http.StatusConflict {
		t.Errorf("again: %v", err)
	}
	meta, err := ds.Metadata(ctx)
	must(err)
	var change bigquery.DatasetMetadataToUpdate
	change.SetLabel("c", "d")
	change.DeleteLabel("a")
	change.Description = "e"
	meta, err = ds.Update(ctx, change, meta.ETag)
	must(err)
	if meta.Description != "e" || fmt.Sprint(meta.Labels) != "map[c:d]" || meta.FullID != project+":go_ds" {
		t.Errorf("dataset %+v", meta)
	}
	if _, err := ds.Update(ctx, change, "another"); !errors.As(err, &e) || e.Code != http.StatusPreconditionFailed {
		t.Errorf("another etag: %v", err)
	}

	table := ds.Table("t")
	schema, err := bigquery.InferSchema(row{})
	must(err)
	must(table.Create(ctx, &bigquery.TableMetadata{Schema: schema, Description: "rows", Clustering: &bigquery.Clustering{Fields: []string{"ID"}}}))
	at := time.Date(2020, 1, 2, 3, 4, 5, 678901000, time.UTC)
	in := []*row{{ID: 1, Tags: []string{"x", "y"}, Seen: at, Day: civil.DateOf(at)}, {ID: 2, Seen: at, Day: civil.DateOf(at), Note: bigquery.NullString{StringVal: "n", Valid: true}}}
	in[0].Part.X = 1.5
	must(table.Inserter().Put(ctx, in))
	read := func(it *bigquery.RowIterator) (all []row) {
		t.Helper()
		for {
			var r row
			err := it.Next(&r)
			if errors.Is(err, iterator.Done) {
				return all
			}
			must(err)
			all = append(all, r)
		}
	}
	for name, rows := range map[string][]row{
		"table": read(table.Read(ctx)),
		"query": func() []row {
			q := c.Query("SELECT * FROM go_ds.t WHERE ID IN UNNEST(@ids) AND Seen = @at ORDER BY ID")
			q.Parameters = []bigquery.QueryParameter{{Name: "ids", Value: []int64{1, 2}}, {Name: "at", Value: at}}
			it, err := q.Read(ctx)
			must(err)
			return read(it)
		}(),
	} {
		if len(rows) != 2 || fmt.Sprint(rows[0].Tags) != "[x y]" || !rows[0].Seen.Equal(at) || rows[1].Part.X != 0 || rows[0].Part.X != 1.5 || rows[1].Note.StringVal != "n" || rows[0].Note.Valid {
			t.Errorf("%s: %+v", name, rows)
		}
	}
	tm, err := table.Metadata(ctx)
	must(err)
	if tm.NumRows != 2 || tm.Type != bigquery.RegularTable || tm.Clustering.Fields[0] != "ID" {
		t.Errorf("table %+v", tm)
	}
	tm, err = table.Update(ctx, bigquery.TableMetadataToUpdate{Schema: append(tm.Schema, &bigquery.FieldSchema{Name: "More", Type: bigquery.StringFieldType}), Description: "more"}, tm.ETag)
	must(err)
	if len(tm.Schema) != 7 || tm.Description != "more" {
		t.Errorf("updated %+v", tm)
	}

	source := bigquery.NewReaderSource(strings.NewReader("{\"a\": 1}\n{\"a\": 2}\n"))
	source.SourceFormat, source.AutoDetect = bigquery.JSON, true
	job, err := ds.Table("loaded").LoaderFrom(source).Run(ctx)
	must(err)
	status, err := job.Wait(ctx)
	must(err)
	if err := status.Err(); err != nil || status.Statistics.Details.(*bigquery.LoadStatistics).OutputRows != 2 {
		t.Errorf("loaded: %+v, %v", status.Statistics, err)
	}
	if job, err = c.Query("INSERT INTO go_ds.loaded (a) VALUES (3)").Run(ctx); err == nil {
		status, err = job.Wait(ctx)
	}
	must(err)
	if n := status.Statistics.Details.(*bigquery.QueryStatistics).NumDMLAffectedRows; n != 1 {
		t.Errorf("inserted %d", n)
	}
	_, err = c.Query("SELECT nope FROM go_ds.nowhere").Read(ctx)
	if !errors.As(err, &e) || e.Code != http.StatusNotFound || !strings.Contains(e.Message, "nowhere") {
		t.Errorf("a wrong query: %v", err)
	}
	dry := c.Query("SELECT 1 AS x")
	dry.DryRun = true
	job, err = dry.Run(ctx)
	must(err)
	if got := job.LastStatus().Statistics.Details.(*bigquery.QueryStatistics).Schema; len(got) != 1 || got[0].Name != "x" {
		t.Errorf("dry run: %+v", got)
	}

	f := ds.Routine("f")
	must(f.Create(ctx, &bigquery.RoutineMetadata{Type: "SCALAR_FUNCTION", Language: "SQL", Body: "x + 1",
		Arguments: []*bigquery.RoutineArgument{{Name: "x", DataType: &bigquery.StandardSQLDataType{TypeKind: "INT64"}}}}))
	fm, err := f.Metadata(ctx)
	must(err)
	if fm.Arguments[0].DataType.TypeKind != "INT64" {
		t.Errorf("routine %+v", fm)
	}
	must(f.Delete(ctx))

	job, err = c.Query(long).Run(ctx)
	must(err)
	must(job.Cancel(ctx))
	if _, err := job.Wait(ctx); !errors.As(err, &e) || e.Code != 499 {
		t.Errorf("cancelled: %v", err)
	}
	must(ds.DeleteWithContents(ctx))
	if _, err := c.Datasets(ctx).Next(); !errors.Is(err, iterator.Done) {
		t.Errorf("datasets: %v", err)
	}
}
