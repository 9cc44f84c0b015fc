package bigquery_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	api "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/native"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/server"
)

func TestMain(m *testing.M) { leak.MainClosing(m, native.Close) }

const project = "test-project"

// served is a server in the process with the API's own client.
type served struct {
	*api.Service
	t      *testing.T
	url    string
	on     *server.Server
	client *http.Client
}

// serve starts a server over a database in memory, or of a file.
func serve(t *testing.T, change ...func(*server.Options)) *served {
	t.Helper()
	installedtest.Need(t)
	cfg := mallard.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	o := server.Options{Config: cfg, Project: project, Listen: "localhost:0", Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, f := range change {
		f(&o)
	}
	on, err := server.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- on.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	c, err := api.NewService(t.Context(), option.WithEndpoint(on.URL()), option.WithHTTPClient(client))
	if err != nil {
		t.Fatal(err)
	}
	return &served{c, t, on.URL(), on, client}
}

// query runs a statement by jobs.query, and gives the rows as texts.
func (s *served) query(sql string) (*api.QueryResponse, error) {
	s.t.Helper()
	return s.Jobs.Query(project, &api.QueryRequest{Query: sql, UseLegacySql: googleapi.Bool(false), FormatOptions: &api.DataFormatOptions{UseInt64Timestamp: true}}).Do()
}

func (s *served) must(sql string) *api.QueryResponse {
	s.t.Helper()
	r, err := s.query(sql)
	if err != nil {
		s.t.Fatalf("%s\n%v", sql, err)
	}
	return r
}

func (s *served) dataset(name string) {
	s.t.Helper()
	if _, err := s.Datasets.Insert(project, &api.Dataset{DatasetReference: &api.DatasetReference{DatasetId: name}}).Do(); err != nil {
		s.t.Fatal(err)
	}
}

// texts writes rows one after the other, their values with commas between.
func texts(rows []*api.TableRow) string {
	var all []string
	for _, r := range rows {
		var values []string
		for _, c := range r.F {
			values = append(values, fmt.Sprint(c.V))
		}
		all = append(all, strings.Join(values, ","))
	}
	return strings.Join(all, ";")
}

// wantFault demands an error of a status and a reason.
func wantFault(t *testing.T, err error, status int, reason, message string) {
	t.Helper()
	var e *googleapi.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want status %d", err, status)
	}
	if e.Code != status || len(e.Errors) != 1 || e.Errors[0].Reason != reason || !strings.Contains(e.Message, message) {
		t.Errorf("got %d %+v %s\nwant %d %s …%s…", e.Code, e.Errors, e.Message, status, reason, message)
	}
}

func TestDatasets(t *testing.T) {
	s := serve(t)
	_, err := s.Datasets.Get(project, "demo").Do()
	wantFault(t, err, 404, "notFound", "Not found: Dataset test-project:demo")
	d, err := s.Datasets.Insert(project, &api.Dataset{
		DatasetReference: &api.DatasetReference{DatasetId: "demo"}, Description: "d", Labels: map[string]string{"team": "x"}, Location: "eu",
		DefaultTableExpirationMs: 3_600_000, Access: []*api.DatasetAccess{{Role: "READER", SpecialGroup: "projectReaders"}},
	}).Do()
	if err != nil {
		t.Fatal(err)
	}
	if d.Location != "EU" || d.Labels["team"] != "x" || d.DefaultTableExpirationMs != 3_600_000 || len(d.Access) != 1 || d.CreationTime == 0 || d.Id != "test-project:demo" {
		t.Errorf("got %+v", d)
	}
	_, err = s.Datasets.Insert(project, &api.Dataset{DatasetReference: &api.DatasetReference{DatasetId: "demo"}}).Do()
	wantFault(t, err, 409, "duplicate", "Already Exists: Dataset test-project:demo")
	_, err = s.Datasets.Insert(project, &api.Dataset{DatasetReference: &api.DatasetReference{DatasetId: "a-b"}}).Do()
	wantFault(t, err, 400, "invalid", "Invalid dataset ID")
	_, err = s.Datasets.Get("other", "demo").Do()
	wantFault(t, err, 404, "notFound", "Project other")

	if _, err := s.Datasets.Get(project, "demo").IfNoneMatch(d.Etag).Do(); !googleapi.IsNotModified(err) {
		t.Errorf("the same version: %v", err)
	}
	if _, err := s.Datasets.Get(project, "demo").IfNoneMatch("another").Do(); err != nil {
		t.Errorf("another version: %v", err)
	}

	patch := s.Datasets.Patch(project, "demo", &api.Dataset{Description: "e", ForceSendFields: []string{"FriendlyName"}})
	patch.Header().Set("If-Match", "another")
	_, err = patch.Do()
	wantFault(t, err, 412, "conditionNotMet", "")
	patch.Header().Set("If-Match", d.Etag)
	changed, err := patch.Do()
	if err != nil {
		t.Fatal(err)
	}
	if changed.Description != "e" || changed.Labels["team"] != "x" || changed.Etag == d.Etag || changed.CreationTime != d.CreationTime {
		t.Errorf("patched: %+v", changed)
	}
	changed, err = s.Datasets.Patch(project, "demo", &api.Dataset{Labels: map[string]string{"new": "y"}, NullFields: []string{"Labels.team"}}).Do()
	if err != nil || fmt.Sprint(changed.Labels) != "map[new:y]" {
		t.Errorf("labels: %v, %v", changed.Labels, err)
	}
	s.dataset("other")
	s.dataset("_hidden")
	list, err := s.Datasets.List(project).MaxResults(1).Do()
	if err != nil || len(list.Datasets) != 1 || list.NextPageToken == "" {
		t.Fatalf("first page: %+v, %v", list, err)
	}
	list, err = s.Datasets.List(project).PageToken(list.NextPageToken).Do()
	if err != nil || len(list.Datasets) != 1 || list.Datasets[0].DatasetReference.DatasetId != "other" || list.NextPageToken != "" {
		t.Fatalf("last page: %+v, %v", list, err)
	}
	list, err = s.Datasets.List(project).Filter("labels.new:y").Do()
	if err != nil || len(list.Datasets) != 1 {
		t.Errorf("with the label: %+v, %v", list, err)
	}
	s.must("CREATE TABLE demo.t AS SELECT 1 AS a")
	wantFault(t, s.Datasets.Delete(project, "demo").Do(), 400, "resourceInUse", "still in use")
	if err := s.Datasets.Delete(project, "demo").DeleteContents(true).Do(); err != nil {
		t.Error(err)
	}
	_, err = s.Datasets.Get(project, "demo").Do()
	wantFault(t, err, 404, "notFound", "")
}

func TestTables(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	ref := &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "t"}
	in := &api.Table{TableReference: ref, Description: "a table", Labels: map[string]string{"k": "v"}, Schema: &api.TableSchema{Fields: []*api.TableFieldSchema{
		{Name: "id", Type: "INT64", Mode: "REQUIRED", Description: "number"},
		{Name: "tags", Type: "STRING", Mode: "REPEATED"},
		{Name: "r", Type: "RECORD", Fields: []*api.TableFieldSchema{{Name: "x", Type: "FLOAT", Description: "inner"}}},
	}}, Clustering: &api.Clustering{Fields: []string{"id"}}}
	made, err := s.Tables.Insert(project, "demo", in).Do()
	if err != nil {
		t.Fatal(err)
	}
	f := made.Schema.Fields
	if made.Type != "TABLE" || made.Description != "a table" || f[0].Mode != "REQUIRED" || f[0].Type != "INTEGER" || f[0].Description != "number" ||
		f[1].Mode != "REPEATED" || f[2].Type != "RECORD" || f[2].Fields[0].Description != "inner" || made.Clustering.Fields[0] != "id" {
		t.Errorf("made %+v", made)
	}
	_, err = s.Tables.Insert(project, "demo", in).Do()
	wantFault(t, err, 409, "duplicate", "Already Exists: Table test-project:demo.t")
	_, err = s.Tables.Get(project, "demo", "nope").Do()
	wantFault(t, err, 404, "notFound", "Not found: Table test-project:demo.nope")
	s.must("INSERT INTO demo.t (id, tags, r) VALUES (1, ['a', 'b'], STRUCT(1.5)), (2, [], NULL)")
	_, err = s.query("INSERT INTO demo.t (id) VALUES (NULL)")
	wantFault(t, err, 400, "invalidQuery", "id cannot be null")
	got, err := s.Tables.Get(project, "demo", "t").Do()
	if err != nil || got.NumRows != 2 || got.NumBytes == 0 {
		t.Errorf("rows %d, bytes %d, %v", got.NumRows, got.NumBytes, err)
	}
	rows, err := s.Tabledata.List(project, "demo", "t").MaxResults(1).Do()
	if err != nil || rows.TotalRows != 2 || rows.PageToken == "" || texts(rows.Rows) != "1,[map[v:a] map[v:b]],map[f:[map[v:1.5]]]" {
		t.Errorf("rows %+v %s, %v", rows, texts(rows.Rows), err)
	}
	rows, err = s.Tabledata.List(project, "demo", "t").PageToken(rows.PageToken).SelectedFields("id").Do()
	if err != nil || rows.PageToken != "" || texts(rows.Rows) != "2" {
		t.Errorf("rows %+v, %v", rows, err)
	}
	view, err := s.Tables.Insert(project, "demo", &api.Table{TableReference: &api.TableReference{TableId: "v"}, View: &api.ViewDefinition{
		Query: "SELECT id FROM `demo.t`", UseLegacySql: false, ForceSendFields: []string{"UseLegacySql"}}}).Do()
	if err != nil || view.Type != "VIEW" || view.View.Query != "SELECT id FROM `demo.t`" || view.Schema.Fields[0].Name != "id" {
		t.Errorf("view %+v, %v", view, err)
	}
	list, err := s.Tables.List(project, "demo").Do()
	if err != nil || len(list.Tables) != 2 || list.TotalItems != 2 || list.Tables[1].Type != "VIEW" || list.Tables[0].Labels["k"] != "v" {
		t.Errorf("list %+v, %v", list, err)
	}
	for _, name := range []string{"v", "t"} {
		if err := s.Tables.Delete(project, "demo", name).Do(); err != nil {
			t.Error(err)
		}
	}
	wantFault(t, s.Tables.Delete(project, "demo", "t").Do(), 404, "notFound", "")
}

func TestQuery(t *testing.T) {
	s := serve(t)
	r := s.must(`SELECT 1 AS x, 'a' AS y, [1, 2] AS z, STRUCT(1 AS q, 2), TIMESTAMP '2020-01-01' AS ts, NULL, 2.5`)
	var schema []string
	for _, f := range r.Schema.Fields {
		schema = append(schema, f.Name+" "+f.Type+" "+f.Mode)
	}
	if got, want := strings.Join(schema, ","), "x INTEGER NULLABLE,y STRING NULLABLE,z INTEGER REPEATED,f0_ RECORD NULLABLE,ts TIMESTAMP NULLABLE,"+
		"f1_ INTEGER NULLABLE,f2_ FLOAT NULLABLE"; got != want {
		t.Errorf("schema %s\nwant %s", got, want)
	}
	if got, want := texts(r.Rows), "1,a,[map[v:1] map[v:2]],map[f:[map[v:1] map[v:2]]],1577836800000000,<nil>,2.5"; got != want {
		t.Errorf("rows %s\nwant %s", got, want)
	}
	for sql, want := range map[string][3]string{
		"SELECT nope FROM UNNEST([1]) AS x":    {"400", "invalidQuery", "Unrecognized name: nope at [1:8]"},
		"SELECT 1 FROM `test-project.a.b`":     {"404", "notFound", "Not found: Dataset test-project:a"},
		"SELECT 1 AS a, 2 AS a":                {"400", "invalidQuery", "Duplicate column names"},
		"SELECT ERROR('sorry')":                {"400", "invalidQuery", "sorry"},
		"":                                     {"400", "invalid", "query"},
		"SELECT 1 AS a; SELECT * FROM nowhere": {"400", "invalid", "nowhere"},
	} {
		_, err := s.query(sql)
		status := 400
		if want[0] == "404" {
			status = 404
		}
		wantFault(t, err, status, want[1], want[2])
	}
}

func TestJobs(t *testing.T) {
	s := serve(t)
	insert := func(id, sql string) *api.Job {
		t.Helper()
		j, err := s.Jobs.Insert(project, &api.Job{JobReference: &api.JobReference{JobId: id}, Configuration: &api.JobConfiguration{
			Query: &api.JobConfigurationQuery{Query: sql}, Labels: map[string]string{"a": "b"}}}).Do()
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := insert("first", "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 10)) AS x ORDER BY x")
	if j.Status.State == "" || j.Configuration.JobType != "QUERY" || j.Configuration.Labels["a"] != "b" || j.JobReference.Location != "US" {
		t.Errorf("job %+v", j)
	}
	var all []string
	token := ""
	for pages := 0; ; pages++ {
		r, err := s.Jobs.GetQueryResults(project, "first").MaxResults(4).PageToken(token).Location("US").Do()
		if err != nil || !r.JobComplete || r.TotalRows != 10 {
			t.Fatalf("page: %+v, %v", r, err)
		}
		all = append(all, texts(r.Rows))
		if token = r.PageToken; token == "" {
			break
		}
	}
	if got, want := strings.Join(all, "|"), "1;2;3;4|5;6;7;8|9;10"; got != want {
		t.Errorf("pages %s, want %s", got, want)
	}
	r, err := s.Jobs.GetQueryResults(project, "first").MaxResults(0).Do()
	if err != nil || len(r.Rows) != 0 || r.TotalRows != 10 || r.PageToken == "" || len(r.Schema.Fields) != 1 {
		t.Errorf("no rows: %+v, %v", r, err)
	}
	python := s.Jobs.GetQueryResults(project, "first").MaxResults(0)
	python.Header().Set("X-Goog-Api-Client", "gl-python/3.12 gccl/3.47.0")
	if r, err = python.Do(); err != nil || len(r.Rows) != 10 || r.PageToken != "" {
		t.Errorf("the first page of Google's Python client: %+v, %v", r, err)
	}
	r, err = s.Jobs.GetQueryResults(project, "first").StartIndex(8).Fields("rows", "totalRows").Do()
	if err != nil || texts(r.Rows) != "9;10" || r.Schema != nil {
		t.Errorf("from 8: %+v, %v", r, err)
	}
	_, err = s.Jobs.Insert(project, &api.Job{JobReference: &api.JobReference{JobId: "first"}, Configuration: &api.JobConfiguration{
		Query: &api.JobConfigurationQuery{Query: "SELECT 1"}}}).Do()
	wantFault(t, err, 409, "duplicate", "Already Exists: Job test-project:US.first")

	done, err := s.Jobs.Get(project, "first").Do()
	if err != nil || done.Status.State != "DONE" || done.Status.ErrorResult != nil || done.Statistics.Query.StatementType != "SELECT" {
		t.Errorf("done: %+v, %v", done, err)
	}
	// The rows are a table of the anonymous dataset, which statements may name.
	to := done.Configuration.Query.DestinationTable
	again := s.must(fmt.Sprintf("SELECT sum(x) FROM `%s.%s.%s`", to.ProjectId, to.DatasetId, to.TableId))
	if texts(again.Rows) != "55" {
		t.Errorf("destination: %s", texts(again.Rows))
	}

	bad := insert("bad", "SELECT nope")
	for bad.Status.State != "DONE" {
		if bad, err = s.Jobs.Get(project, "bad").Do(); err != nil {
			t.Fatal(err)
		}
	}
	if e := bad.Status.ErrorResult; e == nil || e.Reason != "invalidQuery" || e.Location != "query" || !strings.Contains(e.Message, "nope") {
		t.Errorf("bad: %+v", e)
	}
	_, err = s.Jobs.GetQueryResults(project, "bad").Do()
	wantFault(t, err, 400, "invalidQuery", "nope")

	list, err := s.Jobs.List(project).Projection("full").Do()
	if err != nil || len(list.Jobs) < 3 || list.Jobs[0].JobReference.JobId != "bad" {
		t.Errorf("list %+v, %v", list, err)
	}
	if err := s.Jobs.Delete(project, "first").Do(); err != nil {
		t.Error(err)
	}
	_, err = s.Jobs.Get(project, "first").Do()
	wantFault(t, err, 404, "notFound", "Not found: Job test-project:first")
	_, err = s.query(fmt.Sprintf("SELECT * FROM `%s.%s.%s`", to.ProjectId, to.DatasetId, to.TableId))
	wantFault(t, err, 404, "notFound", "")
}

// long is a statement that runs until it is stopped.
const long = "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS a, UNNEST(GENERATE_ARRAY(1, 1000000)) AS b WHERE MOD(a * b, 7) = 3"

// TestCancel: work that is cancelled ends within a second, and lists answer meanwhile.
func TestCancel(t *testing.T) {
	s := serve(t)
	j, err := s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Query: &api.JobConfigurationQuery{Query: long}}}).Do()
	if err != nil {
		t.Fatal(err)
	}
	if j.Status.State == "DONE" {
		t.Fatalf("it ended: %+v", j.Status)
	}
	r, err := s.Jobs.GetQueryResults(project, j.JobReference.JobId).TimeoutMs(1).Do()
	if err != nil || r.JobComplete {
		t.Errorf("running: %+v, %v", r, err)
	}
	if _, err := s.Datasets.List(project).Do(); err != nil {
		t.Error(err)
	}
	c, err := s.Jobs.Cancel(project, j.JobReference.JobId).Do()
	if err != nil || c.Job == nil {
		t.Fatal(err)
	}
	// It cannot end by itself within the time of a test.
	_, err = s.Jobs.GetQueryResults(project, j.JobReference.JobId).TimeoutMs(60_000).Do()
	wantFault(t, err, 499, "stopped", "cancelled")
	if j, err = s.Jobs.Get(project, j.JobReference.JobId).Do(); err != nil || j.Status.ErrorResult == nil || j.Status.ErrorResult.Reason != "stopped" {
		t.Errorf("stopped: %+v, %v", j, err)
	}
}

// TestDrain: a server that is stopped lets its jobs end, and cancels what takes too long.
func TestDrain(t *testing.T) {
	s := serve(t, func(o *server.Options) { o.Drain = 100 * time.Millisecond })
	if _, err := s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Query: &api.JobConfigurationQuery{Query: long}}}).Do(); err != nil {
		t.Fatal(err)
	}
}
