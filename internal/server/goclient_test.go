package server_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
	"github.com/mallardml/mallard/internal/server"
	"github.com/mallardml/mallard/internal/tutorial"
)

// goClient is Google's Go client of a server that has the tutorials' content.
func goClient(t *testing.T) *bigquery.Client {
	t.Helper()
	installedtest.Need(t)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	w, err := tutorial.Write(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := mallard.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	w.Buckets["suite-data"] = t.TempDir()
	s, err := server.New(ctx, server.Options{
		Listen: "localhost:0", Project: "go-project", Config: cfg, Buckets: w.Buckets, Folder: private(t),
		Attach: []server.Attachment{{Name: tutorial.Project, File: w.Tables}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.Proxy = nil
	c, err := bigquery.NewClient(ctx, "go-project", option.WithEndpoint(s.URL()), option.WithoutAuthentication(), option.WithHTTPClient(&http.Client{Transport: tr}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		tr.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return c
}

// private is a folder that nobody else may use.
func private(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// all reads rows as text.
func all(it *bigquery.RowIterator, err error) (string, error) {
	if err != nil {
		return "", err
	}
	var rows []string
	for {
		var row []bigquery.Value
		switch err := it.Next(&row); {
		case errors.Is(err, iterator.Done):
			return strings.Join(rows, "; "), nil
		case err != nil:
			return "", err
		}
		text := fmt.Sprint(row)
		rows = append(rows, text[1:len(text)-1])
	}
}

func asked(ctx context.Context, c *bigquery.Client, text string, parameters ...bigquery.QueryParameter) (string, error) {
	q := c.Query(text)
	q.Parameters = parameters
	return all(q.Read(ctx))
}

// waited runs a job to its end.
func waited(ctx context.Context, j *bigquery.Job, err error) (*bigquery.JobStatus, error) {
	if err != nil {
		return nil, err
	}
	st, err := j.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return st, st.Err()
}

func names[T any](next func() (T, error), name func(T) string) (string, error) {
	var out []string
	for {
		v, err := next()
		if errors.Is(err, iterator.Done) {
			slices.Sort(out)
			return strings.Join(out, " "), nil
		}
		if err != nil {
			return "", err
		}
		out = append(out, name(v))
	}
}

func reason(err error) string {
	var e *googleapi.Error
	if errors.As(err, &e) && len(e.Errors) > 0 {
		return fmt.Sprint(e.Code, " ", e.Errors[0].Reason)
	}
	var b *bigquery.Error
	if errors.As(err, &b) {
		return b.Reason
	}
	return fmt.Sprint(err)
}

// TestGoClient: Google's Go client makes datasets, tables, views, models and jobs, and reads what it wrote.
func TestGoClient(t *testing.T) {
	c := goClient(t)
	ctx := t.Context()
	is := func(what string, got any, err error, want any) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v; want %v", what, got, err, want)
		}
	}
	ds := c.Dataset("d")
	is("create a dataset", nil, ds.Create(ctx, &bigquery.DatasetMetadata{Description: "a", Location: "US", Labels: map[string]string{"k": "v"}}), nil)
	is("create it again", reason(ds.Create(ctx, nil)), nil, "409 duplicate")
	md, err := ds.Metadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	is("its metadata", []any{md.Description, md.Location, md.Labels}, nil, []any{"a", "US", map[string]string{"k": "v"}})
	change := bigquery.DatasetMetadataToUpdate{Description: "b"}
	change.SetLabel("c", "d")
	change.DeleteLabel("k")
	_, err = ds.Update(ctx, change, "of another time")
	is("update what has changed", reason(err), nil, "412 conditionNotMet")
	if md, err = ds.Update(ctx, change, md.ETag); err != nil {
		t.Fatal(err)
	}
	is("update it", []any{md.Description, md.Labels, md.FullID}, nil, []any{"b", map[string]string{"c": "d"}, "go-project:d"})
	it := c.Datasets(ctx)
	got, err := names(it.Next, func(d *bigquery.Dataset) string { return d.DatasetID })
	is("list datasets", got, err, "d")
	_, err = c.Dataset("none").Metadata(ctx)
	is("a dataset that is not", reason(err), nil, "404 notFound")
	t.Run("tables", func(t *testing.T) { goTables(t, c, is) })
	t.Run("queries", func(t *testing.T) { goQueries(t, c, is) })
	t.Run("types", func(t *testing.T) { goTypes(t, c, is) })
	t.Run("jobs", func(t *testing.T) { goJobs(t, c, is) })
	t.Run("models", func(t *testing.T) { goModels(t, c, is) })
	is("delete a dataset with tables", reason(ds.Delete(ctx)), nil, "400 resourceInUse")
	is("delete it with them", nil, ds.DeleteWithContents(ctx), nil)
	it = c.Datasets(ctx)
	got, err = names(it.Next, func(d *bigquery.Dataset) string { return d.DatasetID })
	is("list datasets", got, err, "")
}

type check func(what string, got any, err error, want any)

type person struct {
	ID   int64
	Name bigquery.NullString
	Tags []string
	Seen time.Time
	Day  civil.Date
	Part struct{ X float64 }
}

func goTables(t *testing.T, c *bigquery.Client, is check) {
	ctx := t.Context()
	ds := c.Dataset("d")
	schema, err := bigquery.InferSchema(person{})
	if err != nil {
		t.Fatal(err)
	}
	people := ds.Table("people")
	is("create a table", nil, people.Create(ctx, &bigquery.TableMetadata{Schema: schema, Description: "some", Clustering: &bigquery.Clustering{Fields: []string{"ID"}}}), nil)
	is("create it again", reason(people.Create(ctx, &bigquery.TableMetadata{Schema: schema})), nil, "409 duplicate")
	md, err := people.Metadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	is("its metadata", []any{md.Description, md.Type, md.NumRows, md.Schema[0].Required, md.Schema[2].Repeated, md.Clustering.Fields[0]}, nil,
		[]any{"some", bigquery.RegularTable, uint64(0), true, true, "ID"})
	at := time.Date(2020, 1, 2, 3, 4, 5, 678901000, time.UTC)
	day := civil.DateOf(at)
	is("insert", nil, people.Inserter().Put(ctx, []person{
		{1, bigquery.NullString{StringVal: "Ä", Valid: true}, []string{"x"}, at, day, struct{ X float64 }{1.5}}, {ID: 2, Seen: at, Day: day},
	}), nil)
	read := people.Read(ctx)
	var got []person
	for {
		var p person
		if err := read.Next(&p); errors.Is(err, iterator.Done) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	slices.SortFunc(got, func(a, b person) int { return int(a.ID - b.ID) })
	is("read a table", fmt.Sprint(got), nil, "[{1 Ä [x] 2020-01-02 03:04:05.678901 +0000 UTC 2020-01-02 {1.5}} {2 NULL [] 2020-01-02 03:04:05.678901 +0000 UTC 2020-01-02 {0}}]")
	is("how many rows", read.TotalRows, nil, uint64(2))
	md, err = people.Update(ctx, bigquery.TableMetadataToUpdate{Description: "more", Schema: append(schema, &bigquery.FieldSchema{Name: "extra", Type: bigquery.StringFieldType})}, md.ETag)
	if err != nil {
		t.Fatal(err)
	}
	is("another column", []any{md.Description, len(md.Schema)}, nil, []any{"more", 7})
	_, err = people.Update(ctx, bigquery.TableMetadataToUpdate{Description: "late"}, "of another time")
	is("update what has changed", reason(err), nil, "412 conditionNotMet")
	view := ds.Table("names")
	is("create a view", nil, view.Create(ctx, &bigquery.TableMetadata{ViewQuery: "SELECT Name FROM d.people WHERE Name IS NOT NULL"}), nil)
	text, err := asked(ctx, c, "SELECT * FROM d.names")
	is("a view's rows", text, err, "Ä")
	it := ds.Tables(ctx)
	text, err = names(it.Next, func(t *bigquery.Table) string { return t.TableID })
	is("list tables", text, err, "names people")
	_, err = ds.Table("none").Metadata(ctx)
	is("a table that is not", reason(err), nil, "404 notFound")
	is("delete a view", nil, view.Delete(ctx), nil)
	is("delete it again", reason(view.Delete(ctx)), nil, "404 notFound")
}

func goQueries(t *testing.T, c *bigquery.Client, is check) {
	ctx := t.Context()
	for _, tt := range []struct {
		text, want string
		parameters []bigquery.QueryParameter
	}{
		{"SELECT 1 AS x, 'a' AS y, [1, 2] AS z", "1 a [1 2]", nil},
		{"SELECT x FROM UNNEST([3, 1, 2]) AS x ORDER BY x", "1; 2; 3", nil},
		{"SELECT 1 AS x FROM (SELECT 1) WHERE FALSE", "", nil},
		{"SELECT @x + 1, @s", "6 b", []bigquery.QueryParameter{{Name: "x", Value: 5}, {Name: "s", Value: "b"}}},
		{"SELECT ?, ?", "5 b", []bigquery.QueryParameter{{Value: 5}, {Value: "b"}}},
		{"SELECT SUM(x) FROM UNNEST(@l) AS x", "6", []bigquery.QueryParameter{{Name: "l", Value: []int64{1, 2, 3}}}},
		{"SELECT @p.A, @p.B", "1 x", []bigquery.QueryParameter{{Name: "p", Value: struct {
			A int64
			B string
		}{1, "x"}}}},
		{"SELECT @d", "2024-02-29", []bigquery.QueryParameter{{Name: "d", Value: civil.Date{Year: 2024, Month: 2, Day: 29}}}},
		{"SELECT @n IS NULL", "true", []bigquery.QueryParameter{{Name: "n", Value: bigquery.NullString{}}}},
		{"DECLARE n INT64 DEFAULT 2; SELECT 1 AS a; SELECT n + 1 AS b;", "3", nil},
		{"SELECT COUNT(*), COUNT(title) FROM `bigquery-public-data.hacker_news.full`", "1000 858", nil},
		{"SELECT COUNT(*) FROM d.people WHERE ID IN UNNEST(@ids) AND Seen = @at", "2", []bigquery.QueryParameter{
			{Name: "ids", Value: []int64{1, 2}}, {Name: "at", Value: time.Date(2020, 1, 2, 3, 4, 5, 678901000, time.UTC)}}},
	} {
		got, err := asked(ctx, c, tt.text, tt.parameters...)
		is(tt.text, got, err, tt.want)
	}
	for text, want := range map[string]string{
		"SELECT nope FROM nowhere": "400 invalid", "SELECT nope FROM d.nowhere": "404 notFound", "SELECT nope FROM (SELECT 1 AS x)": "400 invalidQuery", "SELEC": "400 invalidQuery", "SELECT 1/0": "400 invalidQuery",
	} {
		_, err := asked(ctx, c, text)
		is(text, reason(err), nil, want)
	}
	q := c.Query("SELECT 1 AS x")
	q.DryRun = true
	j, err := q.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := j.LastStatus().Statistics.Details.(*bigquery.QueryStatistics)
	is("dry run", []any{s.Schema[0].Name, s.StatementType}, nil, []any{"x", "SELECT"})
	q = c.Query("SELECT COUNT(*) FROM people")
	q.DefaultProjectID, q.DefaultDatasetID = "go-project", "d"
	got, err := all(q.Read(ctx))
	is("default dataset", got, err, "2")
}

func goTypes(t *testing.T, c *bigquery.Client, is check) {
	it, err := c.Query(`SELECT 9007199254740993, 0.1, TRUE, 'ü', b'\x00\xff', NUMERIC '1234567890.123456789', DATE '2024-02-29', TIME '12:34:56.789',
		DATETIME '2024-02-29 12:34:56', TIMESTAMP '2024-02-29 12:34:56.123456+00', STRUCT(1 AS a, ['q'] AS b), CAST(NULL AS INT64), [TIMESTAMP '2020-01-01 00:00:00+00']`).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var row []bigquery.Value
	if err := it.Next(&row); err != nil {
		t.Fatal(err)
	}
	day := civil.Date{Year: 2024, Month: 2, Day: 29}
	for i, want := range []bigquery.Value{
		int64(9007199254740993), 0.1, true, "ü", []byte{0, 255}, nil, day, civil.Time{Hour: 12, Minute: 34, Second: 56, Nanosecond: 789e6},
		civil.DateTime{Date: day, Time: civil.Time{Hour: 12, Minute: 34, Second: 56}}, time.Date(2024, 2, 29, 12, 34, 56, 123456000, time.UTC),
		[]bigquery.Value{int64(1), []bigquery.Value{"q"}}, nil, []bigquery.Value{time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if i == 5 {
			r, ok := row[i].(*big.Rat)
			is("a NUMERIC", ok && r.FloatString(9) == "1234567890.123456789", nil, true)
			continue
		}
		is(fmt.Sprint("column ", i), row[i], nil, want)
	}
}

func goJobs(t *testing.T, c *bigquery.Client, is check) {
	ctx := t.Context()
	ds := c.Dataset("d")
	q := c.Query("CREATE OR REPLACE TABLE d.made AS SELECT x FROM UNNEST([1, 2, 3]) AS x")
	j, err := q.Run(ctx)
	st, err := waited(ctx, j, err)
	if err != nil {
		t.Fatal(err)
	}
	s := st.Statistics.Details.(*bigquery.QueryStatistics)
	is("DDL", []any{s.StatementType, s.DDLOperationPerformed, s.DDLTargetTable.TableID}, nil, []any{"CREATE_TABLE_AS_SELECT", "CREATE", "made"})
	j, err = c.Query("UPDATE d.made SET x = x + 1 WHERE x > 1").Run(ctx)
	if st, err = waited(ctx, j, err); err != nil {
		t.Fatal(err)
	}
	is("DML", st.Statistics.Details.(*bigquery.QueryStatistics).NumDMLAffectedRows, nil, int64(2))
	q = c.Query("SELECT 7 AS x")
	q.Dst, q.WriteDisposition = ds.Table("dest"), bigquery.WriteTruncate
	j, err = q.Run(ctx)
	_, err = waited(ctx, j, err)
	is("a destination", nil, err, nil)
	q.WriteDisposition = bigquery.WriteEmpty
	j, err = q.Run(ctx)
	_, err = waited(ctx, j, err)
	is("one that is not empty", reason(err), nil, "409 duplicate")
	again, err := c.JobFromID(ctx, j.ID())
	if err != nil {
		t.Fatal(err)
	}
	is("a job by its ID", again.LastStatus().Done(), nil, true)
	_, err = c.JobFromID(ctx, "none")
	is("a job that is not", reason(err), nil, "404 notFound")
	is("cancel a job that has ended", nil, again.Cancel(ctx), nil)
	if j, err = c.Query("SELECT SUM(x * y) FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS x, UNNEST(GENERATE_ARRAY(1, 1000000)) AS y").Run(ctx); err != nil {
		t.Fatal(err)
	}
	is("cancel a job", nil, j.Cancel(ctx), nil)
	_, err = j.Wait(ctx)
	is("what was cancelled", reason(err), nil, "499 stopped")
	found := false
	for it := c.Jobs(ctx); !found; {
		l, err := it.Next()
		if err != nil {
			break
		}
		found = l.ID() == j.ID()
	}
	is("list jobs", found, nil, true)
	src := bigquery.NewReaderSource(strings.NewReader("{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2}\n"))
	src.SourceFormat, src.AutoDetect = bigquery.JSON, true
	j, err = ds.Table("loaded").LoaderFrom(src).Run(ctx)
	if st, err = waited(ctx, j, err); err != nil {
		t.Fatal(err)
	}
	is("load JSON", st.Statistics.Details.(*bigquery.LoadStatistics).OutputRows, nil, int64(2))
	src = bigquery.NewReaderSource(strings.NewReader(strings.Repeat("1,"+strings.Repeat("x", 197)+"\n", 100_000))) // 20 MB go in parts
	src.Schema = bigquery.Schema{{Name: "a", Type: bigquery.IntegerFieldType}, {Name: "b", Type: bigquery.StringFieldType}}
	j, err = ds.Table("large").LoaderFrom(src).Run(ctx)
	_, err = waited(ctx, j, err)
	is("load CSV in parts", nil, err, nil)
	got, err := asked(ctx, c, "SELECT COUNT(*), SUM(a) FROM d.large")
	is("what was loaded", got, err, "100000 100000")
	j, err = ds.Table("copied").CopierFrom(ds.Table("loaded")).Run(ctx)
	_, err = waited(ctx, j, err)
	is("copy", nil, err, nil)
	ref := bigquery.NewGCSReference("gs://suite-data/out.csv")
	ref.DestinationFormat = bigquery.CSV
	j, err = ds.Table("copied").ExtractorTo(ref).Run(ctx)
	_, err = waited(ctx, j, err)
	is("extract", nil, err, nil)
	in := bigquery.NewGCSReference("gs://suite-data/out.csv")
	in.SourceFormat, in.SkipLeadingRows = bigquery.CSV, 1
	in.Schema = bigquery.Schema{{Name: "a", Type: bigquery.IntegerFieldType}, {Name: "b", Type: bigquery.StringFieldType}}
	j, err = ds.Table("back").LoaderFrom(in).Run(ctx)
	_, err = waited(ctx, j, err)
	is("load from a bucket", nil, err, nil)
	got, err = asked(ctx, c, "SELECT a, b FROM d.back ORDER BY a")
	is("what came back", got, err, "1 x; 2 <nil>")
}

func goModels(t *testing.T, c *bigquery.Client, is check) {
	ctx := t.Context()
	ds := c.Dataset("d")
	_, err := asked(ctx, c, `CREATE MODEL d.m OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='gs://cloud-training-demos/txtclass/export/exporter/1549825580/*')`)
	is("CREATE MODEL", nil, err, nil)
	it := ds.Models(ctx)
	got, err := names(it.Next, func(m *bigquery.Model) string { return m.ModelID })
	is("list models", got, err, "m")
	md, err := ds.Model("m").Metadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	in, err := md.RawFeatureColumns()
	if err != nil || len(in) != 1 {
		t.Fatal(in, err)
	}
	is("a model's metadata", []any{md.Type, in[0].Name}, nil, []any{"TENSORFLOW", "input"})
	md, err = ds.Model("m").Update(ctx, bigquery.ModelMetadataToUpdate{Description: "of titles"}, md.ETag)
	is("update a model", md.Description, err, "of titles")
	got, err = asked(ctx, c, "SELECT ARRAY_LENGTH(dense_1), COUNT(*) FROM ML.PREDICT(MODEL `d.m`, (SELECT title AS input FROM bigquery-public-data.hacker_news.full)) GROUP BY 1 ORDER BY 1")
	is("ML.PREDICT, a title that is NULL has no shares", got, err, "<nil> 142; 3 858")
	is("delete a model", nil, ds.Model("m").Delete(ctx), nil)
	_, err = ds.Model("m").Metadata(ctx)
	is("a model that is not", reason(err), nil, "404 notFound")
	r := ds.Routine("twice")
	is("create a routine", nil, r.Create(ctx, &bigquery.RoutineMetadata{
		Type: "SCALAR_FUNCTION", Language: "SQL", Body: "x * 2",
		Arguments: []*bigquery.RoutineArgument{{Name: "x", DataType: &bigquery.StandardSQLDataType{TypeKind: "INT64"}}},
	}), nil)
	rm, err := r.Metadata(ctx)
	if err != nil || len(rm.Arguments) != 1 {
		t.Fatal(rm, err)
	}
	is("a routine's argument", rm.Arguments[0].DataType.TypeKind, nil, "INT64")
	got, err = asked(ctx, c, "SELECT d.twice(21)")
	is("call a routine", got, err, "42")
	routines := ds.Routines(ctx)
	got, err = names(routines.Next, func(r *bigquery.Routine) string { return r.RoutineID })
	is("list routines", got, err, "twice")
	is("delete a routine", nil, r.Delete(ctx), nil)
}
