package bigquery_test

import (
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"
)

// table$20240101 is a partition: it is written, read and deleted by itself
// (https://docs.cloud.google.com/bigquery/docs/managing-partitioned-tables).
func TestPartitions(t *testing.T) {
	s, _ := withBucket(t)
	to := func(table string) *api.TableReference {
		return &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: table}
	}
	load := func(table, write, file string) string {
		t.Helper()
		got := s.load(&api.JobConfigurationLoad{DestinationTable: to(table), WriteDisposition: write}, file)
		if strings.HasPrefix(got, "invalid") {
			return got
		}
		name, _, _ := strings.Cut(table, "$")
		return texts(s.must("SELECT * FROM demo." + name + " ORDER BY 1, 2").Rows)
	}
	s.must("CREATE TABLE demo.t (d DATE, n INT64) PARTITION BY d")
	load("t", "WRITE_APPEND", "2024-01-01,1\n2024-01-02,2\n")
	summary, err := s.Tables.Get(project, "demo", "t$__PARTITIONS_SUMMARY__").Do()
	if err != nil || summary.NumRows != 2 || summary.Schema.Fields[3].Name != "partition_id" {
		t.Errorf("%+v, %v", summary, err)
	}
	if ids, err := s.Tabledata.List(project, "demo", "t$__PARTITIONS_SUMMARY__").SelectedFields("partition_id").Do(); err != nil || texts(ids.Rows) != "20240101;20240102" {
		t.Errorf("%+v, %v", ids, err)
	}
	filtered, err := s.Tables.Insert(project, "demo", &api.Table{TableReference: to("filtered"), RequirePartitionFilter: true, TimePartitioning: &api.TimePartitioning{Field: "d"},
		Schema: &api.TableSchema{Fields: []*api.TableFieldSchema{{Name: "d", Type: "DATE"}}}}).Do()
	if err != nil || !filtered.RequirePartitionFilter || !filtered.TimePartitioning.RequirePartitionFilter {
		t.Errorf("%+v, %v", filtered, err)
	}
	filtered, err = s.Tables.Patch(project, "demo", "filtered", &api.Table{ForceSendFields: []string{"RequirePartitionFilter"}}).Do()
	if err != nil || filtered.RequirePartitionFilter || filtered.TimePartitioning.RequirePartitionFilter {
		t.Errorf("%+v, %v", filtered, err)
	}
	s.must("CREATE TABLE demo.whole (n INT64)")
	_, err = s.Tables.Get(project, "demo", "whole$__PARTITIONS_SUMMARY__").Do()
	wantFault(t, err, 400, "invalid", "not partitioned")
	for _, tt := range []struct{ table, write, file, want string }{
		{"t$20240101", "WRITE_TRUNCATE", "2024-01-01,3\n2024-01-01,4\n", "2024-01-01,3;2024-01-01,4;2024-01-02,2"},
		{"t$20240101", "WRITE_APPEND", "2024-01-01,5\n", "2024-01-01,3;2024-01-01,4;2024-01-01,5;2024-01-02,2"},
		{"t$20240102", "WRITE_TRUNCATE", "2024-01-01,6\n", "invalid: Some rows belong to different partitions rather than destination partition 20240102"},
		{"t$202401", "WRITE_TRUNCATE", "2024-01-01,6\n", `invalid: Invalid partition ID "202401"`},
	} {
		if got := load(tt.table, tt.write, tt.file); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %s gives %s\nwant %s", tt.write, tt.table, got, tt.want)
		}
	}
	if got := s.rows("demo", "t$20240102"); !strings.Contains(got, "2024-01-02,2") || strings.Contains(got, "2024-01-01") {
		t.Errorf("the partition has %s", got)
	}
	copied := s.await(must(s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Copy: &api.JobConfigurationTableCopy{
		SourceTable: to("t$20240102"), DestinationTable: to("c")}}}).Do()))
	if got := texts(s.must("SELECT n FROM demo.c").Rows); got != "2" {
		t.Errorf("the copy has %s: %v", got, copied.Status.ErrorResult)
	}
	if of := must(s.Tables.Get(project, "demo", "c").Do()).TimePartitioning; of == nil || of.Field != "d" {
		t.Errorf("the copy is partitioned by %v", of)
	}
	if err := s.Tables.Delete(project, "demo", "t$20240101").Do(); err != nil {
		t.Fatal(err)
	}
	if got := texts(s.must("SELECT n FROM demo.t").Rows); got != "2" {
		t.Errorf("without a partition the table has %s", got)
	}
	// By the time at which rows come, and by ranges of numbers.
	s.must("CREATE TABLE demo.h (a INT64, b INT64) PARTITION BY TIMESTAMP_TRUNC(_PARTITIONTIME, MONTH)")
	load("h$202402", "WRITE_TRUNCATE", "1,1\n")
	load("h$202403", "WRITE_TRUNCATE", "2,2\n")
	load("h$202402", "WRITE_TRUNCATE", "3,3\n")
	if got := texts(s.must("SELECT a, FORMAT_TIMESTAMP('%F', _PARTITIONTIME) FROM demo.h ORDER BY a").Rows); got != "2,2024-03-01;3,2024-02-01" {
		t.Errorf("got %s", got)
	}
	s.must("CREATE TABLE demo.r (a INT64, b INT64) PARTITION BY RANGE_BUCKET(a, GENERATE_ARRAY(0, 100, 10))")
	load("r", "WRITE_APPEND", "1,1\n11,2\n")
	if got := load("r$10", "WRITE_TRUNCATE", "19,3\n"); got != "1,1;19,3" {
		t.Errorf("got %s", got)
	}
}

// What a job says of the table that it makes is kept.
func TestJobsMakeTables(t *testing.T) {
	s, _ := withBucket(t)
	by := &api.TimePartitioning{Type: "MONTH", Field: "d"}
	if got := s.load(&api.JobConfigurationLoad{TimePartitioning: by, Clustering: &api.Clustering{Fields: []string{"s"}},
		DestinationTableProperties: &api.DestinationTableProperties{Description: "loaded", Labels: map[string]string{"a": "b"}},
		Schema:                     &api.TableSchema{Fields: []*api.TableFieldSchema{{Name: "d", Type: "DATE"}, {Name: "s", Type: "STRING", MaxLength: 3, Description: "a text"}}},
	}, "2024-01-01,abc\n"); !strings.Contains(got, "2024-01-01,abc") {
		t.Fatal(got)
	}
	got := must(s.Tables.Get(project, "demo", "t").Do())
	if got.TimePartitioning == nil || got.TimePartitioning.Type != "MONTH" || got.Clustering == nil || got.Description != "loaded" || got.Labels["a"] != "b" ||
		got.Schema.Fields[1].MaxLength != 3 || got.Schema.Fields[1].Description != "a text" {
		t.Errorf("the load made %+v", got)
	}
	j := s.await(must(s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Query: &api.JobConfigurationQuery{
		Query: "SELECT DATE '2024-02-01' AS d, 1 AS n", TimePartitioning: by, Clustering: &api.Clustering{Fields: []string{"n"}},
		DestinationTable: &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "q"}}}}).Do()))
	if j.Status.ErrorResult != nil {
		t.Fatal(j.Status.ErrorResult.Message)
	}
	if got := must(s.Tables.Get(project, "demo", "q").Do()); got.TimePartitioning == nil || got.TimePartitioning.Field != "d" || got.Clustering.Fields[0] != "n" {
		t.Errorf("the query made %+v", got)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
