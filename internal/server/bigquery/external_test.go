package bigquery_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"

	"github.com/mallardml/mallard/internal/server"
)

// TestExternalTables: files of a bucket are a table, for as long as a query or until it is dropped; files elsewhere are none.
func TestExternalTables(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, func(o *server.Options) { o.Config.Buckets = map[string]string{"bucket": folder} })
	s.dataset("demo")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.csv", "name,n\nx,1\ny,\n")
	write("b.csv", "name,n\nz,oops\n")
	write("a.json", "{\"n\": 1, \"l\": [{\"x\": \"é\"}]}\n{\"n\": null}\n")
	s.must("CREATE TABLE demo.rows AS SELECT 7 AS n, TIMESTAMP '2020-01-02 03:04:05+00' AS made")
	s.await(must(s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Extract: &api.JobConfigurationExtract{
		SourceTable:       &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "rows"},
		DestinationFormat: "PARQUET", DestinationUri: "gs://bucket/day=2020-05-06/f.parquet"}}}).Do()))
	csv := func(file string, most int64) *api.ExternalDataConfiguration {
		return &api.ExternalDataConfiguration{SourceFormat: "CSV", SourceUris: []string{"gs://bucket/" + file}, MaxBadRecords: most,
			CsvOptions: &api.CsvOptions{SkipLeadingRows: 1}, Schema: &api.TableSchema{Fields: fields("name STRING, n INT64").Fields}}
	}
	for name, tt := range map[string]struct {
		e         *api.ExternalDataConfiguration
		sql, want string
	}{
		"csv":    {csv("a.csv", 0), "SELECT name, n FROM demo.csv ORDER BY name", "x,1;y,<nil>"},
		"bad":    {csv("*.csv", 0), "SELECT n FROM demo.bad", "Could not parse 'oops' as INT64"},
		"spared": {csv("*.csv", 1), "SELECT COUNT(*) FROM demo.spared", "2"},
		"guess": {&api.ExternalDataConfiguration{SourceFormat: "CSV", SourceUris: []string{"gs://bucket/a.csv"}, Autodetect: true},
			"SELECT SUM(n) FROM demo.guess", "1"},
		"json": {&api.ExternalDataConfiguration{SourceFormat: "NEWLINE_DELIMITED_JSON", SourceUris: []string{"gs://bucket/a.json"}, Autodetect: true},
			"SELECT n, ARRAY_LENGTH(l) FROM demo.json ORDER BY n", "<nil>,0;1,1"},
		"parquet": {&api.ExternalDataConfiguration{SourceFormat: "PARQUET", SourceUris: []string{"gs://bucket/day=*"},
			HivePartitioningOptions: &api.HivePartitioningOptions{Mode: "AUTO", SourceUriPrefix: "gs://bucket/"}},
			"SELECT n, STRING(made), day FROM demo.parquet WHERE day > '2020-01-01'", "7,2020-01-02 03:04:05+00,2020-05-06"},
	} {
		made, err := s.Tables.Insert(project, "demo", &api.Table{TableReference: &api.TableReference{TableId: name}, ExternalDataConfiguration: tt.e}).Do()
		if err != nil || made.Type != "EXTERNAL" || made.ExternalDataConfiguration == nil || made.ExternalDataConfiguration.SourceFormat != tt.e.SourceFormat {
			t.Errorf("%s: %+v, %v", name, made, err)
			continue
		}
		got := ""
		if r, err := s.query(tt.sql); err != nil {
			got = err.Error()
		} else {
			got = texts(r.Rows)
		}
		if got != tt.want && !(name == "bad" && strings.Contains(got, tt.want)) {
			t.Errorf("%s: %s\nwant %s", name, got, tt.want)
		}
	}
	// A patch looks at the uris anew.
	write("aa.csv", "name,n\nw,9\n")
	must(s.Tables.Patch(project, "demo", "csv", &api.Table{ExternalDataConfiguration: csv("a*.csv", 0)}).Do())
	if got := texts(s.must("SELECT MAX(n) FROM demo.csv").Rows); got != "9" {
		t.Errorf("patched: %s", got)
	}
	for _, sql := range []string{"SELECT * FROM demo.INFORMATION_SCHEMA.VIEWS", "SELECT table_type FROM demo.INFORMATION_SCHEMA.TABLES WHERE table_name = 'csv'"} {
		if got := fmt.Sprint(texts(s.must(sql).Rows)); strings.Contains(got, folder) || strings.Contains(sql, "TABLES") && got != "EXTERNAL" {
			t.Errorf("%s gives %s", sql, got)
		}
	}
	s.must("DROP EXTERNAL TABLE demo.csv")
	if err := s.Tables.Delete(project, "demo", "json").Do(); err != nil {
		t.Error(err)
	}
	for _, e := range []*api.ExternalDataConfiguration{
		{SourceFormat: "CSV", SourceUris: []string{"gs://bucket/../a.csv"}}, {SourceFormat: "CSV", SourceUris: []string{"/etc/passwd"}},
		{SourceFormat: "CSV", SourceUris: []string{"gs://elsewhere/a.csv"}}, {SourceFormat: "GOOGLE_SHEETS", SourceUris: []string{"gs://bucket/a.csv"}},
		{SourceFormat: "CSV"}, {SourceUris: []string{"gs://bucket/a.csv"}},
	} {
		_, err := s.Tables.Insert(project, "demo", &api.Table{TableReference: &api.TableReference{TableId: "wrong"}, ExternalDataConfiguration: e}).Do()
		if g, ok := err.(*googleapi.Error); !ok || g.Code >= 500 || strings.Contains(g.Message, folder) {
			t.Errorf("%+v: %v", e, err)
		}
	}
	// Of one query.
	job := func(dry bool) *api.Job {
		j := &api.Job{Configuration: &api.JobConfiguration{DryRun: dry, Query: &api.JobConfigurationQuery{Query: "SELECT SUM(n) AS n FROM states",
			TableDefinitions: map[string]api.ExternalDataConfiguration{"states": *csv("a.csv", 0)}}}}
		return must(s.Jobs.Insert(project, j).Do())
	}
	if j := job(true); len(j.Statistics.Query.Schema.Fields) != 1 {
		t.Errorf("a dry run: %+v", j.Statistics.Query)
	}
	j := s.await(job(false))
	if r, err := s.Jobs.GetQueryResults(project, j.JobReference.JobId).Do(); err != nil || texts(r.Rows) != "1" || j.Statistics.SessionInfo != nil {
		t.Errorf("%v, %v", r, err)
	}
	_, err := s.query("SELECT * FROM states")
	wantFault(t, err, http.StatusBadRequest, "invalid", "states")
	if got := texts(s.must("SELECT COUNT(*) FROM INFORMATION_SCHEMA.SCHEMATA WHERE schema_name LIKE '%session%'").Rows); got != "0" {
		t.Errorf("%s sessions are left", got)
	}
}
