package bigquery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/server"
)

func TestInsertAll(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	s.must("CREATE TABLE demo.t (n INT64 NOT NULL, s ARRAY<STRUCT<x FLOAT64, j JSON>>, d NUMERIC)")
	post := func(body string) string {
		t.Helper()
		return s.send("POST", "/bigquery/v2/projects/test-project/datasets/demo/tables/t/insertAll", body)
	}
	if got := post(`{"rows": [{"json": {"n": 9007199254740993, "s": [{"x": 1.5, "j": "{\"a\": 1}"}], "d": "1.25"}}, {"json": {"n": "2"}}]}`); !strings.Contains(got, `{"kind":"bigquery#tableDataInsertAllResponse"}`) {
		t.Errorf("got %s", got)
	}
	// As recorded on BigQuery.
	if got, want := post(`{"skipInvalidRows": true, "rows": [{"json": {"n": 3}}, {"json": {"n": "not-a-number"}}]}`),
		`{"insertErrors":[{"errors":[{"debugInfo":"","location":"n","message":"Cannot convert value to integer (bad value): not-a-number","reason":"invalid"}],"index":1}],`+
			`"kind":"bigquery#tableDataInsertAllResponse"}`; !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := post(`{"rows": [{"json": {"n": 4}}, {"json": {"m": 1}}]}`); strings.Count(got, "stopped") != 1 || !strings.Contains(got, "no such field: m") {
		t.Errorf("got %s", got)
	}
	for range 2 { // a request that is sent again
		post(`{"rows": [{"insertId": "a", "json": {"n": 5, "unknown": 1}}], "ignoreUnknownValues": true}`)
	}
	post(`{"rows": [{"json": {"n": 7}}], "templateSuffix": "_v1"}`)
	if got, want := texts(s.must("SELECT n, d, TO_JSON_STRING(s) FROM demo.t ORDER BY n").Rows), `2,<nil>,[];3,<nil>,[];5,<nil>,[];9007199254740993,1.25,[{"x":1.5,"j":{"a":1}}]`; got != want {
		t.Errorf("rows %s\nwant %s", got, want)
	}
	if got := texts(s.must("SELECT n FROM demo.t_v1").Rows); got != "7" {
		t.Errorf("rows of the template: %s", got)
	}
	if got := post(`{"rows": []}`); !strings.Contains(got, "No rows present") {
		t.Errorf("got %s", got)
	}
}

// TestBare: a table without columns gets them from the rows that are written into it, or from a change of its schema.
func TestBare(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	const tables = "/bigquery/v2/projects/test-project/datasets/demo/tables"
	for _, name := range []string{"written", "appended", "changed"} {
		if got := s.send("POST", tables, `{"tableReference": {"tableId": "`+name+`"}}`); strings.Contains(got, writer.PartitionTime) || strings.Contains(got, "error") {
			t.Fatal(got)
		}
	}
	if got := s.send("GET", tables+"/written/data", ""); strings.Contains(got, "error") || strings.Contains(got, `"rows"`) {
		t.Error(got)
	}
	if got := s.send("POST", tables+"/written/insertAll", `{"rows": [{"json": {"a": 1}}]}`); !strings.Contains(got, "no such field: a") {
		t.Error(got)
	}
	for name, disposition := range map[string]string{"written": "", "appended": "WRITE_APPEND"} {
		s.await(s.insertQuery(&api.JobConfigurationQuery{Query: "SELECT 1 AS a, 'x' AS b", WriteDisposition: disposition,
			DestinationTable: &api.TableReference{ProjectId: "test-project", DatasetId: "demo", TableId: name}}))
		if got := texts(s.must("SELECT * FROM demo." + name).Rows); got != "1,x" {
			t.Errorf("%s: %s", name, got)
		}
	}
	s.send("PATCH", tables+"/changed", `{"schema": {"fields": [{"name": "a", "type": "STRING"}]}}`)
	s.must("INSERT INTO demo.changed VALUES ('y')")
	if got := texts(s.must("SELECT * FROM demo.changed").Rows); got != "y" {
		t.Errorf("changed: %s", got)
	}
	copied := func(operation, from, to string) *api.ErrorProto {
		return s.await(s.insert(&api.Job{Configuration: &api.JobConfiguration{Copy: &api.JobConfigurationTableCopy{OperationType: operation,
			SourceTable:      &api.TableReference{ProjectId: "test-project", DatasetId: "demo", TableId: from},
			DestinationTable: &api.TableReference{ProjectId: "test-project", DatasetId: "demo", TableId: to}}}})).Status.ErrorResult
	}
	for _, of := range [][3]string{{"SNAPSHOT", "changed", "snapshot"}, {"RESTORE", "snapshot", "restored"}} {
		if err := copied(of[0], of[1], of[2]); err != nil {
			t.Errorf("%s: %s", of[0], err.Message)
		}
	}
	if got := s.send("GET", tables+"/snapshot", ""); !strings.Contains(got, `"type":"SNAPSHOT"`) {
		t.Error(got)
	}
	if got := texts(s.must("SELECT * FROM demo.restored").Rows); got != "y" {
		t.Errorf("restored: %s", got)
	}
	if err := copied("RESTORE", "changed", "again"); err == nil || !strings.Contains(err.Message, "currently a TABLE") {
		t.Errorf("a table is restored: %v", err)
	}
}

// send sends a request, and gives the reply's body.
func (s *served) send(method, path, body string, header ...string) string {
	s.t.Helper()
	return s.answer(method, path, body, header...).body
}

type answered struct {
	status int
	header http.Header
	body   string
}

func (s *served) answer(method, path, body string, header ...string) answered {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	res, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header, string(text)}
}

func TestPatchTable(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	fields := []*api.TableFieldSchema{
		{Name: "a", Type: "INTEGER", Mode: "REQUIRED"}, {Name: "r", Type: "RECORD", Fields: []*api.TableFieldSchema{{Name: "x", Type: "INTEGER"}}},
		{Name: "l", Type: "RECORD", Mode: "REPEATED", Fields: []*api.TableFieldSchema{{Name: "x", Type: "INTEGER"}}},
	}
	made, err := s.Tables.Insert(project, "demo", &api.Table{TableReference: &api.TableReference{TableId: "t"}, Description: "before", Schema: &api.TableSchema{Fields: fields}}).Do()
	if err != nil {
		t.Fatal(err)
	}
	s.must("INSERT INTO demo.t VALUES (1, STRUCT(2), [STRUCT(3)])")
	fields[0].Mode, fields[0].Description = "NULLABLE", "relaxed"
	fields[1].Fields = append(fields[1].Fields, &api.TableFieldSchema{Name: "y", Type: "STRING"})
	fields[2].Fields = append(fields[2].Fields, &api.TableFieldSchema{Name: "y", Type: "STRING"})
	fields = append(fields, &api.TableFieldSchema{Name: "new", Type: "STRING", Mode: "REPEATED"})
	p := s.Tables.Patch(project, "demo", "t", &api.Table{Schema: &api.TableSchema{Fields: fields}, ExpirationTime: 4_000_000_000_000})
	p.Header().Set("If-Match", made.Etag)
	got, err := p.Do()
	if err != nil {
		t.Fatal(err)
	}
	f := got.Schema.Fields
	if got.Description != "before" || got.ExpirationTime != 4_000_000_000_000 || len(f) != 4 || f[0].Mode != "NULLABLE" || f[0].Description != "relaxed" ||
		f[1].Fields[1].Name != "y" || f[2].Fields[1].Name != "y" || f[3].Mode != "REPEATED" || got.NumRows != 1 {
		text, _ := got.MarshalJSON()
		t.Errorf("got %s", text)
	}
	_, err = p.Do()
	wantFault(t, err, 412, "conditionNotMet", "")
	_, err = s.Tables.Patch(project, "demo", "t", &api.Table{Schema: &api.TableSchema{Fields: fields[1:]}}).Do()
	wantFault(t, err, 400, "invalid", "Field a is missing in new schema")
	fields[0].Type = "STRING"
	_, err = s.Tables.Patch(project, "demo", "t", &api.Table{Schema: &api.TableSchema{Fields: fields}}).Do()
	wantFault(t, err, 400, "invalid", "Field a has changed type from INT64 to STRING")
	if got, want := texts(s.must("SELECT TO_JSON_STRING(t) FROM demo.t").Rows), `{"a":1,"r":{"x":2,"y":null},"l":[{"x":3,"y":null}],"new":[]}`; got != want {
		t.Errorf("row %s, want %s", got, want)
	}
	cleared, err := s.Tables.Patch(project, "demo", "t", &api.Table{NullFields: []string{"ExpirationTime", "Description"}}).Do()
	if err != nil || cleared.ExpirationTime != 0 || cleared.Description != "" {
		t.Errorf("cleared %+v, %v", cleared, err)
	}
}

func TestModels(t *testing.T) {
	dir, err := filepath.Abs("../../../testdata/models")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(o *server.Options) { o.Config.Buckets = map[string]string{"models": dir} })
	s.dataset("demo")
	if _, err := s.query("CREATE MODEL `demo.m` OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='gs://models/text_classifier/*', description='made')"); err != nil {
		if strings.Contains(err.Error(), "TensorFlow") && strings.Contains(err.Error(), "install") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	m, err := s.Models.Get(project, "demo", "m").Do()
	if err != nil {
		t.Fatal(err)
	}
	if m.ModelType != "TENSORFLOW" || m.Description != "made" || len(m.FeatureColumns) != 1 || m.FeatureColumns[0].Type.TypeKind != "STRING" ||
		m.LabelColumns[0].Type.TypeKind != "ARRAY" || m.LabelColumns[0].Type.ArrayElementType.TypeKind != "FLOAT64" || m.CreationTime == 0 || m.Etag == "" {
		text, _ := m.MarshalJSON()
		t.Errorf("model %s", text)
	}
	list, err := s.Models.List(project, "demo").Do()
	if err != nil || len(list.Models) != 1 || list.Models[0].ModelType != "TENSORFLOW" {
		t.Errorf("list %+v, %v", list, err)
	}
	tables, err := s.Tables.List(project, "demo").Do()
	if err != nil || len(tables.Tables) != 1 || tables.Tables[0].Type != "MODEL" {
		t.Errorf("tables %+v, %v", tables, err)
	}
	_, err = s.Tables.Get(project, "demo", "m").Do()
	wantFault(t, err, 404, "notFound", "")
	patch := s.Models.Patch(project, "demo", "m", &api.Model{Labels: map[string]string{"a": "b"}, Description: `quote " \ and` + "\nline", ExpirationTime: 4_000_000_000_000})
	patch.Header().Set("If-Match", m.Etag)
	got, err := patch.Do()
	if err != nil || got.Labels["a"] != "b" || got.Description != `quote " \ and`+"\nline" || got.ExpirationTime != 4_000_000_000_000 || got.ModelType != "TENSORFLOW" {
		t.Errorf("patched %+v, %v", got, err)
	}
	_, err = patch.Do()
	wantFault(t, err, 412, "conditionNotMet", "")
	// DataFrames keep a model by copying it.
	for _, tt := range []struct{ to, write, want string }{
		{"n", "", ""}, {"n", "", "Already Exists: Model test-project:demo.n"}, {"n", "WRITE_TRUNCATE", ""}, {"t", "WRITE_TRUNCATE", "currently a TABLE"},
	} {
		s.must("CREATE TABLE IF NOT EXISTS demo.t (a INT64)")
		j := s.insert(&api.Job{Configuration: &api.JobConfiguration{Copy: &api.JobConfigurationTableCopy{SourceTable: &api.TableReference{DatasetId: "demo", TableId: "m"},
			DestinationTable: &api.TableReference{DatasetId: "demo", TableId: tt.to}, WriteDisposition: tt.write}}})
		err := j.Status.ErrorResult
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Message, tt.want) {
			t.Errorf("%+v: %+v", tt, err)
		}
	}
	if r := s.must("SELECT input FROM ML.PREDICT(MODEL `demo.n`, (SELECT 'again' AS input))"); texts(r.Rows) != "again" {
		t.Errorf("the copy: %s", texts(r.Rows))
	}
	if n, err := s.Models.Get(project, "demo", "n").Do(); err != nil || n.Description != got.Description || n.Labels["a"] != "b" {
		t.Errorf("the copy: %+v, %v", n, err)
	}
	s.must("DROP TABLE demo.t; DROP MODEL demo.n")
	if r := s.must("SELECT input FROM ML.PREDICT(MODEL `demo.m`, (SELECT 'hello' AS input))"); texts(r.Rows) != "hello" {
		t.Errorf("predicted %s", texts(r.Rows))
	}
	if err := s.Models.Delete(project, "demo", "m").Do(); err != nil {
		t.Error(err)
	}
	_, err = s.Models.Get(project, "demo", "m").Do()
	wantFault(t, err, 404, "notFound", "Not found: Model test-project:demo.m")
}

func TestRoutines(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	in := &api.Routine{
		RoutineReference: &api.RoutineReference{RoutineId: "twice"}, RoutineType: "SCALAR_FUNCTION", Language: "SQL", DefinitionBody: "x * 2", Description: "d",
		Arguments: []*api.Argument{{Name: "x", DataType: &api.StandardSqlDataType{TypeKind: "INT64"}}},
	}
	r, err := s.Routines.Insert(project, "demo", in).Do()
	if err != nil {
		t.Fatal(err)
	}
	if r.Description != "d" || r.Arguments[0].Name != "x" || r.Arguments[0].DataType.TypeKind != "INT64" || strings.TrimSpace(r.DefinitionBody) != "x * 2" || r.RoutineType != "SCALAR_FUNCTION" {
		text, _ := r.MarshalJSON()
		t.Errorf("routine %s", text)
	}
	_, err = s.Routines.Insert(project, "demo", in).Do()
	wantFault(t, err, 409, "duplicate", "Already Exists: Routine test-project:demo.twice")
	if got := texts(s.must("SELECT demo.twice(21)").Rows); got != "42" {
		t.Errorf("twice: %s", got)
	}
	in.DefinitionBody = "x * 3"
	if _, err := s.Routines.Update(project, "demo", "twice", in).Do(); err != nil {
		t.Error(err)
	}
	if got := texts(s.must("SELECT demo.twice(21)").Rows); got != "63" {
		t.Errorf("changed: %s", got)
	}
	s.must("CREATE TABLE FUNCTION demo.rows(n INT64) AS (SELECT n AS a)")
	list, err := s.Routines.List(project, "demo").Do()
	if err != nil || len(list.Routines) != 2 || list.Routines[0].RoutineType != "TABLE_VALUED_FUNCTION" {
		t.Errorf("list %+v, %v", list, err)
	}
	p := &api.Routine{
		RoutineReference: &api.RoutineReference{RoutineId: "p"}, RoutineType: "PROCEDURE", Language: "SQL",
		DefinitionBody: "BEGIN\n  SET b = a + 1;\n  SELECT b, @@script.job_id IS NOT NULL, @@current_job_id != @@script.job_id;\nEND",
		Arguments: []*api.Argument{{Name: "a", DataType: &api.StandardSqlDataType{TypeKind: "INT64"}},
			{Name: "b", Mode: "OUT", DataType: &api.StandardSqlDataType{TypeKind: "INT64"}}},
	}
	if r, err = s.Routines.Insert(project, "demo", p).Do(); err != nil || r.RoutineType != "PROCEDURE" || r.Arguments[1].Mode != "OUT" ||
		r.DefinitionBody != p.DefinitionBody {
		t.Errorf("procedure %+v, %v", r, err)
	}
	j := s.insertQuery(&api.JobConfigurationQuery{Query: "DECLARE x INT64; CALL demo.p(41, x); SELECT x"})
	if j.Status.ErrorResult != nil || j.Statistics.NumChildJobs != 2 {
		t.Errorf("CALL: %+v", j.Status.ErrorResult)
	}
	if got := texts(s.must("BEGIN DECLARE x INT64; CALL demo.p(41, x); END").Rows); got != "42,true,true" {
		t.Errorf("CALL: %s", got)
	}
	tables, err := s.Tables.List(project, "demo").Do()
	if err != nil || len(tables.Tables) != 0 {
		t.Errorf("tables %+v, %v", tables, err)
	}
	in.Language, in.RoutineReference.RoutineId = "JAVASCRIPT", "js"
	_, err = s.Routines.Insert(project, "demo", in).Do()
	wantFault(t, err, 400, "notImplemented", "JAVASCRIPT")
	if err := s.Routines.Delete(project, "demo", "twice").Do(); err != nil {
		t.Error(err)
	}
	_, err = s.Routines.Get(project, "demo", "twice").Do()
	wantFault(t, err, 404, "notFound", "Routine test-project:demo.twice")
}

// TestDiscovery: the document names every method that is served, and bq's way to them.
func TestDiscovery(t *testing.T) {
	s := serve(t)
	var d struct {
		RootURL, ServicePath, BaseURL string
		Resources                     map[string]struct {
			Methods map[string]struct {
				Path, HTTPMethod string
				Parameters       map[string]struct {
					Type, Location     string
					Required, Repeated bool
				}
			}
		}
	}
	text := s.send("GET", "/$discovery/rest?version=v2", "")
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	m := d.Resources["jobs"].Methods["list"]
	if d.RootURL != s.url+"/" || d.BaseURL != s.url+"/bigquery/v2/" || m.Path != "projects/{+projectId}/jobs" || m.HTTPMethod != "GET" ||
		!m.Parameters["projectId"].Required || m.Parameters["maxResults"].Type != "integer" || !m.Parameters["stateFilter"].Repeated {
		t.Errorf("got %+v %s %s %s", m, d.RootURL, d.ServicePath, d.BaseURL)
	}
	if a := s.answer("GET", "/$discovery/rest?version=v9", ""); a.status != 404 {
		t.Errorf("version 9: %+v", a)
	}
}

// TestReplies: what is common to all: prefix, fields, prettyPrint, gzip, unknown paths, bodies that are none.
func TestReplies(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	for _, prefix := range []string{"", "/bigquery/v2"} {
		if got := s.send("GET", prefix+"/projects/test-project/datasets/demo?fields=datasetReference/datasetId,kind", ""); got != `{"datasetReference":{"datasetId":"demo"},"kind":"bigquery#dataset"}`+"\n" {
			t.Errorf("fields: %s", got)
		}
	}
	for query, want := range map[string]string{
		"fields=datasets(id,datasetReference(datasetId))": `{"datasets":[{"datasetReference":{"datasetId":"demo"},"id":"test-project:demo"}]}` + "\n",
		"fields=datasets/id&prettyPrint=true":             "{\n  \"datasets\": [\n    {\n      \"id\": \"test-project:demo\"\n    }\n  ]\n}\n",
		"fields=nope":                                     "{}\n",
	} {
		if got := s.send("GET", "/projects/test-project/datasets?"+query, ""); got != want {
			t.Errorf("%s: %s\nwant %s", query, got, want)
		}
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
		reason             string
	}{
		{"GET", "/projects/test-project/datasets?fields=a(b", "", 400, "invalid"},
		{"GET", "/projects/test-project/datasets?alt=media", "", 400, "invalid"},
		{"GET", "/projects/test-project/datasets?maxResults=-1", "", 400, "invalid"},
		{"GET", "/projects/test-project/datasets?pageToken=x", "", 400, "invalid"},
		{"GET", "/projects/test-project/nothing", "", 404, "notFound"},
		{"DELETE", "/projects/test-project/datasets", "", 404, "notFound"},
		{"POST", "/projects/test-project/datasets", "{", 400, "parseError"},
		{"POST", "/projects/test-project/datasets", "[]", 400, "parseError"},
		{"POST", "/projects/test-project/datasets", "{}{}", 400, "parseError"},
		{"POST", "/projects/test-project/datasets", "", 400, "invalid"},
		{"POST", "/projects/test-project/datasets", `{"datasetReference": 7}`, 400, "parseError"},
		{"POST", "/projects/test-project/queries", `{"query": "SELECT 1", "timeoutMs": "x"}`, 400, "parseError"},
		{"POST", "/projects/test-project/queries", `{"query": "SELECT [a:b.c]", "useLegacySql": "true"}`, 400, "notImplemented"},
	} {
		a := s.answer(tt.method, tt.path, tt.body)
		if a.status != tt.status || !strings.Contains(a.body, fmt.Sprintf(`"reason":%q`, tt.reason)) {
			t.Errorf("%s %s %s: %d %s", tt.method, tt.path, tt.body, a.status, a.body)
		}
	}
	// Google takes numbers and truths as texts, and the other way round.
	if got := s.send("POST", "/projects/test-project/queries", `{"query": "SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a", "useLegacySql": "false", "maxResults": "1", "timeoutMs": 60000.0}`); !strings.Contains(got, `"pageToken"`) {
		t.Errorf("got %s", got)
	}
	if a := s.answer("GET", "/$discovery/rest", "", "Accept-Encoding", "gzip"); a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("header %v", a.header)
	}
}
