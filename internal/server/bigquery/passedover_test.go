package bigquery_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/server"
)

// What requests say was passed over here once.
func TestNothingIsPassedOver(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, func(o *server.Options) {
		o.Config.Buckets = map[string]string{"bucket": folder}
		o.Limits.ExtractFile, o.Limits.Bytes = 4000, 1<<20
	})
	s.dataset("demo")
	s.must("CREATE TABLE demo.t AS SELECT n, STRUCT(n AS x, [STRUCT(CAST(n AS STRING) AS y, 2 AS z)] AS l) AS r FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS n")
	var data struct{ Rows json.RawMessage }
	text := s.answer("GET", "/bigquery/v2/projects/test-project/datasets/demo/tables/t/data?maxResults=1&selectedFields=r.x,r.l.y", "").body
	if err := json.Unmarshal([]byte(text), &data); err != nil || string(data.Rows) != `[{"f":[{"v":{"f":[{"v":"1"},{"v":[{"v":{"f":[{"v":"1"}]}}]}]}}]}]` {
		t.Errorf("fields of a RECORD: %s, %v", text, err)
	}
	for q, field := range map[string]string{"SELECT 1 AS a, [1, NULL] AS b": "b", "SELECT STRUCT([STRUCT(['x', NULL] AS y)] AS s)": "f0_"} {
		_, err := s.query(q)
		wantFault(t, err, 400, "invalidQuery", "Array cannot have a null element; error in writing field "+field)
	}
	s.must("SELECT [STRUCT(CAST(NULL AS INT64) AS x)], CAST(NULL AS ARRAY<INT64>)")

	ask := func(body string) (r struct {
		JobReference      *api.JobReference
		JobCreationReason *struct{ Code string }
		QueryId           string
		Rows              []any
	}) {
		t.Helper()
		if err := json.Unmarshal([]byte(s.send("POST", "/bigquery/v2/projects/test-project/queries", body)), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := ask(`{"query": "SELECT 1", "useLegacySql": false, "jobCreationMode": "JOB_CREATION_OPTIONAL"}`); r.JobReference != nil || r.JobCreationReason != nil || r.QueryId == "" || len(r.Rows) != 1 {
		t.Errorf("without a job: %+v", r)
	}
	for body, want := range map[string]string{
		`{"query": "SELECT 1", "useLegacySql": false}`: "REQUESTED",
		`{"query": "SELECT n FROM demo.t", "maxResults": 1, "useLegacySql": false, "jobCreationMode": "JOB_CREATION_OPTIONAL"}`: "LARGE_RESULTS",
		`{"query": "CREATE TABLE demo.o (a INT64)", "useLegacySql": false, "jobCreationMode": "JOB_CREATION_OPTIONAL"}`:         "OTHER",
	} {
		if r := ask(body); r.JobReference == nil || r.JobCreationReason.Code != want {
			t.Errorf("%s: %+v, want %s", body, r, want)
		}
	}
	for result, want := range map[string]string{"FIRST_SELECT": "1", "LAST": "2"} {
		j := s.await(must(s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Query: &api.JobConfigurationQuery{
			Query: "SELECT 1; SELECT 2", ScriptOptions: &api.ScriptOptions{KeyResultStatement: result}}}}).Do()))
		if r := must(s.Jobs.GetQueryResults(project, j.JobReference.JobId).Do()); texts(r.Rows) != want {
			t.Errorf("%s gives %s", result, texts(r.Rows))
		}
	}
	for _, format := range []string{"CSV", "NEWLINE_DELIMITED_JSON", "PARQUET"} {
		s.must("CREATE OR REPLACE TABLE demo.flat AS SELECT n FROM demo.t ORDER BY n") // 8,000 bytes
		extract := func(uris ...string) *api.Job {
			return s.await(must(s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Extract: &api.JobConfigurationExtract{
				SourceTable: &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "flat"}, DestinationFormat: format, DestinationUris: uris}}}).Do()))
		}
		if j := extract("gs://bucket/one"); j.Status.ErrorResult == nil || !strings.Contains(j.Status.ErrorResult.Message, "too large to be exported to a single file") {
			t.Errorf("%s into a file: %+v", format, j.Status.ErrorResult)
		}
		if got := fmt.Sprint(extract("gs://bucket/"+format+"/*", "gs://bucket/"+format+"/b-*").Statistics.Extract.DestinationUriFileCounts); got != "[1 1]" {
			t.Errorf("%s into two uris: %s", format, got)
		}
		if got := fmt.Sprint(extract("gs://bucket/" + format + "/x-*").Statistics.Extract.DestinationUriFileCounts); got != "[2]" {
			t.Errorf("%s into files: %s", format, got)
		}
		files := must(filepath.Glob(filepath.Join(folder, format, "x-*")))
		if len(files) != 2 || filepath.Base(files[1]) != "x-000000000001" {
			t.Errorf("%s made %v", format, files)
		}
		if body := string(must(os.ReadFile(files[1]))); format != "PARQUET" && !strings.Contains(body, "501") {
			t.Errorf("%s: the second file has %.50q", format, body)
		}
		if got := s.load(&api.JobConfigurationLoad{SourceUris: []string{"gs://bucket/" + format + "/x-*"}, SourceFormat: format, WriteDisposition: "WRITE_TRUNCATE", SkipLeadingRows: map[string]int64{"CSV": 1}[format],
			Schema: &api.TableSchema{Fields: []*api.TableFieldSchema{{Name: "n", Type: "INTEGER"}}}}, ""); strings.Contains(got, "invalid") {
			t.Errorf("%s back: %s", format, got)
		}
		if got := texts(s.must("SELECT COUNT(*), SUM(n) FROM demo.t").Rows); got != "1000,500500" {
			t.Errorf("%s back: %s", format, got)
		}
	}
	// The temporary tables of a session are bounded; what frees them goes on.
	session := ""
	run := func(q string) error {
		r, err := s.Jobs.Query(project, &api.QueryRequest{Query: q, UseLegacySql: new(bool), CreateSession: session == "",
			ConnectionProperties: map[bool][]*api.ConnectionProperty{true: nil, false: {{Key: "session_id", Value: session}}}[session == ""]}).Do()
		if err == nil && r.SessionInfo != nil {
			session = r.SessionInfo.SessionId
		}
		return err
	}
	for _, q := range []string{"SELECT 1", "CREATE TEMP TABLE large AS SELECT n FROM UNNEST(GENERATE_ARRAY(1, 200000)) AS n"} {
		if err := run(q); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, run("CREATE TEMP TABLE more AS SELECT 1 AS x"), http.StatusForbidden, "quotaExceeded", "temporary tables of session")
	if err := run("DROP TABLE _SESSION.large"); err != nil {
		t.Fatal(err)
	}
	if err := run("CREATE TEMP TABLE more AS SELECT 1 AS x"); err != nil {
		t.Error(err)
	}
}
