package bigquery_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"
)

// TestTablePolicies: policies of tables and routines are kept with them, follow a rename and a patch, and go with what they are of.
func TestTablePolicies(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	s.must("CREATE TABLE demo.t (a INT64)")
	s.must("CREATE FUNCTION demo.f(x INT64) AS (x + 1)")
	const policy = `{"policy": {"bindings": [{"role": "roles/bigquery.dataViewer", "members": ["group:a@example.com"]}]}}`
	const at = "/bigquery/v2/projects/test-project/datasets/demo/"
	ask := func(path, body, want string) string {
		t.Helper()
		got := s.send("POST", at+path, body)
		if !strings.Contains(got, want) || want == "" && strings.Contains(got, "bindings") {
			t.Errorf("%s gives %s\nwant %s", path, got, want)
		}
		return got
	}
	for _, of := range []string{"tables/t", "routines/f"} {
		ask(of+":getIamPolicy", `{}`, "")
		ask(of+":setIamPolicy", policy, "group:a@example.com")
		ask(of+":getIamPolicy", `{"options": {"requestedPolicyVersion": 1}}`, "group:a@example.com")
		ask(of+":testIamPermissions", `{"permissions": ["bigquery.tables.get"]}`, "bigquery.tables.get")
		ask(of+":setIamPolicy", `{"policy": {"etag": "AAAA", "bindings": []}}`, "concurrent policy changes")
		ask(of+":setIamPolicies", `{}`, "is no method that is served")
		ask(of+"x:getIamPolicy", `{}`, "notFound")
	}
	s.send("PATCH", at+"tables/t", `{"description": "x", "encryptionConfiguration": {"kmsKeyName": "k"}}`)
	s.send("PUT", at+"routines/f", `{"definitionBody": "x + 2", "arguments": [{"name": "x", "dataType": {"typeKind": "INT64"}}], "strictMode": true}`)
	s.must("ALTER TABLE demo.t RENAME TO u")
	ask("tables/u:getIamPolicy", "", "group:a@example.com")
	var packed bytes.Buffer // as Google's client for Java sends bodies
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(`{"permissions": ["bigquery.tables.get"]}`))
	_ = z.Close()
	r, err := http.NewRequest(http.MethodPost, s.url+at+"tables/u:testIamPermissions", &packed)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Encoding", "gzip")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		t.Errorf("a body in gzip: %s", got.Status)
	}
	ask("routines/f:getIamPolicy", "", "group:a@example.com")
	if got := s.send("GET", at+"tables/u", ""); !strings.Contains(got, `"kmsKeyName":"k"`) || strings.Contains(got, "iamPolicy") {
		t.Error(got)
	}
	s.must("DROP TABLE demo.u")
	s.must("CREATE TABLE demo.u (a INT64)")
	ask("tables/u:getIamPolicy", "", "")
}

// TestMethodOverride: Google's client for Java sends a PATCH as a POST that says so.
func TestMethodOverride(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	r, err := http.NewRequest(http.MethodPost, s.url+"/bigquery/v2/projects/test-project/datasets/demo", strings.NewReader(`{"description": "ducks"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-HTTP-Method-Override", "PATCH")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if d, err := s.Datasets.Get(project, "demo").Do(); err != nil || got.StatusCode != http.StatusOK || d.Description != "ducks" {
		t.Errorf("%d, %+v, %v", got.StatusCode, d, err)
	}
}

// TestMaterializedView: how a materialized view is refreshed is kept and shown; its query stays.
func TestMaterializedView(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	s.must("CREATE TABLE demo.t (a INT64)")
	const tables = "/bigquery/v2/projects/test-project/datasets/demo/tables"
	view := func(name, more string) string {
		return s.send("POST", tables, `{"tableReference": {"tableId": "`+name+`"}, "materializedView": {"query": "SELECT SUM(a) AS a FROM demo.t"`+more+`}}`)
	}
	for _, tt := range []struct{ got, want string }{
		{view("v", ""), `"enableRefresh":true,"query":"SELECT SUM(a) AS a FROM demo.t","refreshIntervalMs":"1800000"`},
		{view("w", `, "enableRefresh": false, "maxStaleness": "MA=="`), `"enableRefresh":false,"maxStaleness":"MA==","query"`},
		{s.send("PATCH", tables+"/v", `{"materializedView": {"enableRefresh": false, "refreshIntervalMs": "3600000"}}`),
			`"enableRefresh":false,"query":"SELECT SUM(a) AS a FROM demo.t","refreshIntervalMs":"3600000"`},
		{s.send("PATCH", tables+"/v", `{"description": "x"}`), `"enableRefresh":false`},
		{s.send("PATCH", tables+"/v", `{"materializedView": {"query": "SELECT 1 AS a"}}`), "cannot be changed"},
		{s.send("GET", tables+"/w", ""), `"enableRefresh":false`},
	} {
		if !strings.Contains(tt.got, tt.want) {
			t.Errorf("got %s\nwant %s", tt.got, tt.want)
		}
	}
}

// TestDestinationEncryption: a table that a job makes shows the key that the job names.
func TestDestinationEncryption(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	key := &api.EncryptionConfiguration{KmsKeyName: "projects/p/locations/us/keyRings/r/cryptoKeys/k"}
	to := func(name string) *api.TableReference {
		return &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: name}
	}
	s.must("CREATE TABLE demo.t (a INT64)")
	s.insertQuery(&api.JobConfigurationQuery{Query: "SELECT 1 AS a", DestinationTable: to("queried"), DestinationEncryptionConfiguration: key})
	s.insert(&api.Job{Configuration: &api.JobConfiguration{Copy: &api.JobConfigurationTableCopy{
		SourceTable: to("queried"), DestinationTable: to("copied"), DestinationEncryptionConfiguration: key}}})
	s.load(&api.JobConfigurationLoad{SourceFormat: "NEWLINE_DELIMITED_JSON", Autodetect: true, DestinationTable: to("loaded"),
		DestinationEncryptionConfiguration: key}, `{"a": 1}`)
	for _, name := range []string{"queried", "copied", "loaded"} {
		if got, err := s.Tables.Get(project, "demo", name).Do(); err != nil || got.EncryptionConfiguration == nil || got.EncryptionConfiguration.KmsKeyName != key.KmsKeyName {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
