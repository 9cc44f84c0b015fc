package bigquery_test

import (
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/internal/server"
)

// TestRemoteJob: a dry run tells what a remote model would be asked and asks nothing; a job tells how far it is, and asks within
// maximumBytesBilled.
func TestRemoteJob(t *testing.T) {
	vertex, err := vertextest.New(vertextest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	vertex.Start()
	t.Cleanup(func() {
		if err := vertex.Close(); err != nil {
			t.Error(err)
		}
	})
	s := serve(t, func(o *server.Options) {
		o.Config.Connections = map[string]mallard.ConnectionConfig{"default": {Project: "p", Location: "us-central1", BaseURL: vertex.URL(), Auth: "none"}}
	})
	s.dataset("demo")
	s.must("CREATE MODEL demo.g REMOTE WITH CONNECTION DEFAULT OPTIONS (ENDPOINT = 'gemini-2.5-flash')")
	before := len(vertex.Requests())
	const query = "SELECT * FROM ML.GENERATE_TEXT(MODEL demo.g, (SELECT CONCAT('question ', CAST(x AS STRING)) AS prompt FROM UNNEST(GENERATE_ARRAY(1, 5)) AS x), STRUCT(TRUE AS flatten_json_output))"
	j, err := s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{DryRun: true, Query: &api.JobConfigurationQuery{Query: query}}}).Do()
	if err != nil {
		t.Fatal(err)
	}
	if st := j.Statistics; st.TotalBytesProcessed == 0 || len(st.Query.ExternalServiceCosts) != 1 || st.Query.Schema == nil || len(vertex.Requests()) != before {
		t.Errorf("%+v, %d requests", st.Query, len(vertex.Requests())-before)
	}
	poor := s.insertQuery(&api.JobConfigurationQuery{Query: query, MaximumBytesBilled: 4})
	if poor.Status.ErrorResult != nil {
		t.Fatal(poor.Status.ErrorResult)
	}
	r, err := s.Jobs.GetQueryResults(project, poor.JobReference.JobId).Do()
	if err != nil || !strings.Contains(texts(r.Rows), "Not sent: the budget") {
		t.Errorf("%v, %v", texts(r.Rows), err)
	}
	rich := s.insertQuery(&api.JobConfigurationQuery{Query: query})
	if rich.Status.ErrorResult != nil {
		t.Fatal(rich.Status.ErrorResult)
	}
	if line := rich.Statistics.Query.Timeline; len(line) != 1 || line[0].CompletedUnits != 5 || line[0].ActiveUnits != 0 || line[0].PendingUnits != 0 {
		t.Errorf("%+v", line)
	}
	if len(vertex.Requests()) == before {
		t.Error("nothing was asked")
	}
}
