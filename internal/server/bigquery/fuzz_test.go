package bigquery_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
	"github.com/mallardml/mallard/internal/server"
)

// FuzzRequest: no request ends the process or is answered with a fault of the server's, and every answer is JSON.
func FuzzRequest(f *testing.F) {
	installedtest.Need(f)
	cfg := mallard.DefaultConfig()
	cfg.Store.Path = f.TempDir()
	s, err := server.New(f.Context(), server.Options{
		Config: cfg, Project: project, Listen: "localhost:0", Logger: slog.New(slog.DiscardHandler),
		// A statement may neither read nor write files here.
		Database: "?enable_external_access=false",
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Error(err)
		}
	})
	h := s.Handler()
	const p = "/bigquery/v2/projects/" + project
	for _, seed := range [][3]string{
		{"POST", p + "/datasets", `{"datasetReference": {"datasetId": "demo"}, "labels": {"a": null}, "access": [null, {"role": 7}]}`},
		{"PATCH", p + "/datasets/demo", `{"labels": {"a": "b"}, "access": null, "description": 7, "defaultTableExpirationMs": "x"}`},
		{"POST", p + "/datasets/demo/tables", `{"tableReference": {"tableId": "t"}, "schema": {"fields": [{"name": "a", "type": "INT64"}, ` +
			`{"name": "r", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "x", "type": "STRING"}]}]}, "timePartitioning": {}}`},
		{"POST", p + "/datasets/demo/tables", `{"tableReference": {"tableId": "n"}, "schema": {"fields": [null]}}`},
		{"PATCH", p + "/datasets/demo/tables/t", `{"schema": {"fields": [{"name": "a", "type": "INT64"}, null]}, "rangePartitioning": {"range": null}}`},
		{"POST", p + "/datasets/demo/tables/t/insertAll", `{"rows": [{"json": {"a": 1e400, "r": [{"x": null}]}}, null, {"insertId": "x"}]}`},
		{"GET", p + "/datasets/demo/tables/t/data?startIndex=9&maxResults=1&selectedFields=a,r.x", ``},
		{"POST", p + "/datasets/demo/routines", `{"routineReference": {"routineId": "f"}, "definitionBody": "x + 1", "arguments": [null, ` +
			`{"name": "x", "dataType": {"typeKind": "STRUCT", "structType": {"fields": [null]}}}]}`},
		{"POST", p + "/queries", `{"query": "SELECT 1 AS x, [STRUCT(1, 'a')], DATE '2020-01-01'", "timeoutMs": 1, "maxResults": 0}`},
		{"POST", p + "/queries", `{"query": "SELECT @a", "queryParameters": [null, {"name": "a", "parameterType": {"type": "ARRAY"}, "parameterValue": null}]}`},
		{"POST", p + "/jobs", `{"configuration": {"query": {"query": "SELECT 1", "destinationTable": {}, "defaultDataset": {"datasetId": "demo"}}, "dryRun": "true"}}`},
		{"POST", p + "/jobs", `{"configuration": {"load": {}, "query": null}, "jobReference": {"jobId": "a b"}}`},
		{"GET", p + "/queries/x?pageToken=-1&timeoutMs=1", ``},
		{"GET", p + "/jobs?stateFilter=done&maxResults=1&fields=jobs(id,status/state),*", ``},
		{"POST", p + "/jobs/x/cancel?location=us", ``},
		{"DELETE", p + "/datasets/demo?deleteContents=true", ``},
		{"GET", "/$discovery/rest?version=v2&fields=resources/jobs/methods", ``},
		{"GET", p + "/datasets/%00/tables/..%2f..%2fetc", ``},
		{"PUT", "/%zz", `{`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \r\n") {
			return
		}
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader(body))
		if err != nil {
			return
		}
		r.RequestURI = ""
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch {
		case w.Code >= 500:
			t.Fatalf("%s %s %s: %d %s", method, path, body, w.Code, w.Body)
		case strings.Contains(w.Body.String(), "A fault of Mallard's"):
			t.Fatalf("%s %s %s: it panicked", method, path, body)
		case w.Code < 300 || w.Code >= 400:
			text := w.Body.Bytes()
			if w.Code != http.StatusNoContent && r.URL.Path != "/healthz" && r.URL.Path != "/metrics" && !json.Valid(text) && w.Header().Get("Content-Encoding") == "" {
				t.Fatalf("%s %s %s: %d, and no JSON: %s", method, path, body, w.Code, text)
			}
		}
	})
}
