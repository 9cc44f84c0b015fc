package bigquery_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	api "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"

	"github.com/mallardml/mallard/internal/server"
	"github.com/mallardml/mallard/internal/server/bigquery"
)

// insert runs a job to its end.
func (s *served) insert(j *api.Job) *api.Job {
	s.t.Helper()
	j, err := s.Jobs.Insert(project, j).Do()
	if err != nil {
		s.t.Fatal(err)
	}
	return s.await(j)
}

func (s *served) await(j *api.Job) *api.Job {
	s.t.Helper()
	for j.Status.State != "DONE" {
		var err error
		if j, err = s.Jobs.Get(project, j.JobReference.JobId).Do(); err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	return j
}

func (s *served) insertQuery(q *api.JobConfigurationQuery) *api.Job {
	s.t.Helper()
	q.UseLegacySql = googleapi.Bool(false)
	return s.insert(&api.Job{Configuration: &api.JobConfiguration{Query: q}})
}

// post sends a body as it is.
func (s *served) post(path, body string) (int, map[string]any) {
	s.t.Helper()
	r, err := http.Post(s.url+"/bigquery/v2/projects/"+project+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	return r.StatusCode, v
}

// TestParameters: named and by position, of every shape; the empty STRING is none, and NULL is NULL.
func TestParameters(t *testing.T) {
	s := serve(t)
	for _, tt := range []struct{ give, want string }{
		{`{"query":"SELECT @x AS x, @s AS s, @a AS a","parameterMode":"NAMED","queryParameters":[
			{"name":"x","parameterType":{"type":"INT64"},"parameterValue":{"value":"5"}},{"name":"s","parameterType":{"type":"STRING"},"parameterValue":{"value":""}},
			{"name":"a","parameterType":{"type":"ARRAY","arrayType":{"type":"INT64"}},"parameterValue":{"arrayValues":[{"value":"1"},{"value":"2"}]}}]}`,
			`[{"f":[{"v":"5"},{"v":""},{"v":[{"v":"1"},{"v":"2"}]}]}]`},
		{`{"query":"SELECT ? AS x, ? AS d","parameterMode":"POSITIONAL","queryParameters":[
			{"parameterType":{"type":"STRING"},"parameterValue":{"value":null}},{"parameterType":{"type":"DATE"},"parameterValue":{"value":"2020-01-01"}}]}`,
			`[{"f":[{"v":null},{"v":"2020-01-01"}]}]`},
		{`{"query":"SELECT @s.y, @s AS s","queryParameters":[{"name":"s","parameterType":{"type":"STRUCT","structTypes":[{"name":"x","type":{"type":"INT64"}},{"name":"y","type":{"type":"STRING"}}]},
			"parameterValue":{"structValues":{"x":{"value":"5"},"y":{"value":"b"}}}}]}`, `[{"f":[{"v":"b"},{"v":{"f":[{"v":"5"},{"v":"b"}]}}]}]`},
		{`{"query":"DECLARE n INT64 DEFAULT @n; SELECT n + ?x","queryParameters":[]}`, "invalidQuery"},
		{`{"query":"DECLARE n INT64 DEFAULT @n; IF n > 1 THEN SELECT n, @n; END IF","queryParameters":[{"name":"n","parameterType":{"type":"INT64"},"parameterValue":{"value":"2"}}]}`,
			`[{"f":[{"v":"2"},{"v":"2"}]}]`},
		{`{"query":"SELECT @x","queryParameters":[{"name":"x","parameterType":{"type":"INT64"},"parameterValue":{"value":"a"}}]}`, "invalidQuery"},
		{`{"query":"SELECT @x","queryParameters":[{"name":"x","parameterType":{"type":"GEOGRAPHY"},"parameterValue":{"value":"POINT(1 1)"}}]}`, "invalidQuery"},
		{`{"query":"SELECT TIMESTAMP '2020-01-01 00:00:00+00' AS t, [STRUCT(TIMESTAMP '2020-01-01 00:00:00+00' AS t)]"}`,
			`[{"f":[{"v":"1.5778368E9"},{"v":[{"v":{"f":[{"v":"1.5778368E9"}]}}]}]}]`},
		{`{"query":"SELECT TIMESTAMP '2020-01-01 00:00:00+00' AS t","formatOptions":{"timestampOutputFormat":"ISO8601_STRING"}}`,
			`[{"f":[{"v":"2020-01-01T00:00:00.000000000000Z"}]}]`},
	} {
		_, r := s.post("/queries", tt.give)
		got, _ := json.Marshal(r["rows"])
		if e, ok := r["error"].(map[string]any); ok {
			got, _ = json.Marshal(e["errors"].([]any)[0].(map[string]any)["reason"])
		}
		if strings.Trim(string(got), `"`) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.give, got, tt.want)
		}
	}
	// maxResults 0 is the schema and the count alone, as Google's recorded reply has it.
	_, r := s.post("/queries", `{"query":"SELECT n FROM UNNEST(GENERATE_ARRAY(1, 50)) AS n ORDER BY n","useLegacySql":false,"maxResults":0}`)
	if r["rows"] != nil || r["totalRows"] != "50" || r["pageToken"] == nil {
		t.Errorf("%v", r)
	}
	// A request that is sent again is not run again.
	s.dataset("demo")
	s.must("CREATE TABLE demo.t (a INT64)")
	for range 2 {
		if status, r := s.post("/queries", `{"query":"INSERT demo.t VALUES (1)","useLegacySql":false,"requestId":"r1"}`); status != 200 {
			t.Fatal(r)
		}
	}
	if got := texts(s.must("SELECT COUNT(*) FROM demo.t").Rows); got != "1" {
		t.Error(got)
	}
}

// TestDryRun: the schema and no job; nothing changes, and what is wrong is an error of the request.
func TestDryRun(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	dry := func(sql string) (*api.Job, error) {
		return s.Jobs.Insert(project, &api.Job{JobReference: &api.JobReference{JobId: "given"}, Configuration: &api.JobConfiguration{DryRun: true, Query: &api.JobConfigurationQuery{Query: sql}}}).Do()
	}
	j, err := dry("SELECT 1 AS a, CAST(2.5 AS FLOAT64) AS b, 'c' AS c, [STRUCT(1 AS x)] AS d")
	if err != nil {
		t.Fatal(err)
	}
	schema, _ := json.Marshal(j.Statistics.Query.Schema)
	if want := `{"fields":[{"mode":"NULLABLE","name":"a","type":"INTEGER"},{"mode":"NULLABLE","name":"b","type":"FLOAT"},{"mode":"NULLABLE","name":"c","type":"STRING"},` +
		`{"fields":[{"mode":"NULLABLE","name":"x","type":"INTEGER"}],"mode":"REPEATED","name":"d","type":"RECORD"}]}`; string(schema) != want {
		t.Errorf("got %s", schema)
	}
	if j.JobReference.JobId != "" || j.Status.State != "DONE" || j.Statistics.Query.StatementType != "SELECT" || !j.Configuration.DryRun {
		t.Errorf("%+v", j)
	}
	for _, sql := range []string{"CREATE TABLE demo.t AS SELECT 1 AS a", "CREATE TABLE demo.t (a INT64); INSERT demo.t VALUES (1)", "DROP SCHEMA demo", "DECLARE x INT64; SELECT x"} {
		if _, err := dry(sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if list, err := s.Tables.List(project, "demo").Do(); err != nil || len(list.Tables) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	_, err = dry("SELECT NOT_A_FUNCTION(1)")
	wantFault(t, err, 400, "invalidQuery", "NOT_A_FUNCTION")
	status, r := s.post("/queries", `{"query":"SELECT @p AS p","dryRun":true,"queryParameters":[{"name":"p","parameterType":{"type":"DATE"},"parameterValue":{"value":"2020-01-01"}}]}`)
	if got, _ := json.Marshal(r["schema"]); status != 200 || string(got) != `{"fields":[{"mode":"NULLABLE","name":"p","type":"DATE"}]}` || r["jobComplete"] != true || r["totalBytesProcessed"] != "0" {
		t.Errorf("%d %v", status, r)
	}
	if list, err := s.Jobs.List(project).Do(); err != nil || len(list.Jobs) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestStatements: what jobs tell of statements that are no queries.
func TestStatements(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	for _, tt := range []struct{ give, kind, operation, table string }{
		{"CREATE TABLE demo.t (a INT64)", "CREATE_TABLE", "CREATE", "demo.t"}, {"CREATE TABLE IF NOT EXISTS demo.t (a INT64)", "CREATE_TABLE", "SKIP", "demo.t"},
		{"/* x */ CREATE OR REPLACE TABLE `test-project.demo.t` AS SELECT 1 AS a", "CREATE_TABLE_AS_SELECT", "REPLACE", "demo.t"},
		{"CREATE OR REPLACE TABLE demo.u AS SELECT 1 AS a", "CREATE_TABLE_AS_SELECT", "CREATE", "demo.u"},
		{"INSERT demo.t VALUES (2), (3)", "INSERT", "", "demo.t"}, {"CREATE VIEW demo.v AS SELECT * FROM demo.t", "CREATE_VIEW", "CREATE", "demo.v"},
		{"ALTER TABLE demo.t ADD COLUMN b STRING", "ALTER_TABLE", "ALTER", "demo.t"}, {"DROP TABLE demo.u", "DROP_TABLE", "DROP", "demo.u"},
		{"DROP TABLE IF EXISTS demo.u", "DROP_TABLE", "SKIP", "demo.u"},
	} {
		j := s.insertQuery(&api.JobConfigurationQuery{Query: tt.give})
		if j.Status.ErrorResult != nil {
			t.Fatalf("%s: %v", tt.give, j.Status.ErrorResult.Message)
		}
		st := j.Statistics.Query
		to := j.Configuration.Query.DestinationTable
		if st.StatementType != tt.kind || st.DdlOperationPerformed != tt.operation || to == nil || to.DatasetId+"."+to.TableId != tt.table {
			t.Errorf("%s: %s %s %v", tt.give, st.StatementType, st.DdlOperationPerformed, to)
		}
	}
	j := s.insertQuery(&api.JobConfigurationQuery{Query: "UPDATE demo.t SET a = 5 WHERE a > 1"})
	if st := j.Statistics.Query; st.NumDmlAffectedRows != 2 || st.DmlStats.UpdatedRowCount != 2 {
		t.Errorf("%+v", st)
	}
	r, err := s.Jobs.GetQueryResults(project, j.JobReference.JobId).Do()
	if err != nil || !r.JobComplete || r.NumDmlAffectedRows != 2 || len(r.Rows) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	j = s.insertQuery(&api.JobConfigurationQuery{Query: "SELECT nope FROM demo.t"})
	if e := j.Status.ErrorResult; e == nil || e.Reason != "invalidQuery" || e.Location != "query" || !strings.Contains(e.Message, "at [1:8]") {
		t.Errorf("%+v", e)
	}
	_, err = s.Jobs.GetQueryResults(project, j.JobReference.JobId).Do()
	wantFault(t, err, 400, "invalidQuery", "nope")
	_, err = s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Query: &api.JobConfigurationQuery{Query: "SELECT * FROM [p:d.t]", UseLegacySql: googleapi.Bool(true)}}}).Do()
	wantFault(t, err, 400, "notImplemented", "Legacy SQL")
}

// TestDestination: the dispositions of a query's table.
func TestDestination(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	to := &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "t"}
	for _, tt := range []struct{ query, write, create, want string }{
		{"SELECT 1 AS a, 'x' AS b", "", "CREATE_NEVER", "notFound"}, {"SELECT 1 AS a, 'x' AS b", "", "", "1,x"}, {"SELECT 2 AS a, 'y' AS b", "", "", "duplicate"},
		{"SELECT 'y' AS b, 2 AS a", "WRITE_APPEND", "", "1,x;2,y"}, {"SELECT 1.5 AS a", "WRITE_APPEND", "", "invalid"}, {"SELECT 1 AS c", "WRITE_APPEND", "", "invalid"},
		{"SELECT a + 1 AS a FROM demo.t", "WRITE_TRUNCATE", "", "2;3"}, {"SELECT 9 AS a", "WRITE_TRUNCATE_DATA", "", "9"}, {"SELECT ERROR('no') AS a", "WRITE_TRUNCATE", "", "invalidQuery"},
		{"SELECT a FROM demo.t", "WRITE_APPEND", "", "9;9"}, {"SELECT 1 AS a FROM demo.t WHERE FALSE", "WRITE_TRUNCATE", "", ""}, {"SELECT 4 AS z", "WRITE_EMPTY", "", "4"},
	} {
		j := s.insertQuery(&api.JobConfigurationQuery{Query: tt.query, DestinationTable: to, WriteDisposition: tt.write, CreateDisposition: tt.create})
		got := ""
		if e := j.Status.ErrorResult; e != nil {
			got = e.Reason
		} else {
			got = texts(s.must("SELECT * FROM demo.t ORDER BY 1").Rows)
		}
		if got != tt.want {
			t.Errorf("%+v: %s, %+v", tt, got, j.Status.ErrorResult)
		}
	}
	j := s.insertQuery(&api.JobConfigurationQuery{Query: "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 10000)) AS x", DestinationTable: to, WriteDisposition: "WRITE_TRUNCATE"})
	r, err := s.Jobs.GetQueryResults(project, j.JobReference.JobId).StartIndex(9990).MaxResults(5).Do()
	if err != nil || texts(r.Rows) != "9991;9992;9993;9994;9995" || r.TotalRows != 10000 || r.PageToken == "" {
		t.Errorf("%+v, %v", r, err)
	}
	python := s.Jobs.GetQueryResults(project, j.JobReference.JobId).MaxResults(0)
	python.Header().Set("X-Goog-Api-Client", "gl-python/3.12 gccl/3.47.0")
	if r, err = python.Do(); err != nil || len(r.Rows) != 0 || r.TotalRows != 10000 { // DataFrames then read the table
		t.Errorf("Google's Python client: %+v, %v", r, err)
	}
	_, err = s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Query: &api.JobConfigurationQuery{Query: "SELECT 1", WriteDisposition: "MAYBE"}}}).Do()
	wantFault(t, err, 400, "invalid", "writeDisposition")
}

// TestDryRunBytes: the bytes of the columns that are read, behind views too, by the sizes that BigQuery counts values with.
func TestDryRunBytes(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	s.must("CREATE TABLE demo.t AS SELECT n AS a, 'abcd' AS b, n > 500 AS c, NUMERIC '1.5' AS d FROM UNNEST(GENERATE_ARRAY(1, 3000)) AS n")
	s.must("INSERT demo.t (b) VALUES ('')")
	s.must("CREATE VIEW demo.v AS SELECT a, b AS word FROM demo.t")
	for _, tt := range []struct {
		sql, accuracy string
		bytes         int64
	}{
		{"SELECT 1 AS x", "PRECISE", 0},
		{"SELECT COUNT(*) FROM demo.t", "PRECISE", 0},
		{"SELECT a FROM demo.t", "PRECISE", 8 * 3000},
		{"SELECT MAX(a) FROM demo.v WHERE word = 'abcd'", "PRECISE", 8*3000 + 6*3000 + 2},
		{"SELECT x.c FROM demo.t AS x JOIN demo.t AS y ON x.a = y.a", "PRECISE", (1 + 8) * 3000},
		{"SELECT * FROM demo.t ORDER BY a LIMIT 1", "PRECISE", (8+6+1+16)*3000 + 2},
		{"SELECT a FROM demo.t WHERE false", "LOWER_BOUND", 0},
		{"INSERT demo.t (a) SELECT a FROM demo.t", "UNKNOWN", 0},
		{"DROP TABLE demo.t", "PRECISE", 0},
	} {
		j, err := s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{DryRun: true, Query: &api.JobConfigurationQuery{Query: tt.sql}}}).Do()
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if q := j.Statistics.Query; j.Statistics.TotalBytesProcessed != tt.bytes || q.TotalBytesProcessedAccuracy != tt.accuracy {
			t.Errorf("%s: %d bytes %s, want %d %s", tt.sql, j.Statistics.TotalBytesProcessed, q.TotalBytesProcessedAccuracy, tt.bytes, tt.accuracy)
		}
		if !strings.HasPrefix(tt.sql, "SELECT") {
			continue
		}
		ran := s.insertQuery(&api.JobConfigurationQuery{Query: tt.sql, UseLegacySql: googleapi.Bool(false)})
		if st := ran.Statistics; st.TotalBytesProcessed != tt.bytes || st.Query.TotalBytesProcessed != tt.bytes || st.Query.TotalBytesBilled%(10<<20) != 0 ||
			st.Query.TotalBytesBilled == 0 != (tt.bytes == 0) {
			t.Errorf("%s as a job: %d and %d bytes, %d billed, want %d", tt.sql, st.TotalBytesProcessed, st.Query.TotalBytesProcessed, st.Query.TotalBytesBilled, tt.bytes)
		}
	}
}

// TestParametersAreShown: a job shows NULL as no value, so that clients tell it from the empty STRING; a wrong value fails the job.
func TestParametersAreShown(t *testing.T) {
	s := serve(t)
	_, r := s.post("/jobs", `{"configuration":{"query":{"query":"SELECT 1","queryParameters":[{"parameterType":{"type":"INT64"},"parameterValue":{"value":null}},
		{"parameterType":{"type":"STRING"},"parameterValue":{"value":""}},{"parameterType":{"type":"STRUCT","structTypes":[{"name":"a","type":{"type":"STRING"}},
		{"name":"b","type":{"type":"ARRAY","arrayType":{"type":"INT64"}}}]},"parameterValue":{"structValues":{"a":{"value":"x"},"b":{}}}}]}}}`)
	shown, _ := json.Marshal(r["configuration"].(map[string]any)["query"].(map[string]any)["queryParameters"])
	if want := `[{"parameterType":{"type":"INT64"}},{"parameterType":{"type":"STRING"},"parameterValue":{"value":""}},` +
		`{"parameterType":{"structTypes":[{"name":"a","type":{"type":"STRING"}},{"name":"b","type":{"arrayType":{"type":"INT64"},"type":"ARRAY"}}],"type":"STRUCT"},` +
		`"parameterValue":{"structValues":{"a":{"value":"x"}}}}]`; string(shown) != want {
		t.Errorf("%s, want %s", shown, want)
	}
	status, r := s.post("/jobs", `{"configuration":{"query":{"query":"SELECT @p","queryParameters":[{"name":"p","parameterType":{"type":"INT64"},"parameterValue":{"value":"x"}}]}}}`)
	if e, _ := r["status"].(map[string]any)["errorResult"].(map[string]any); status != 200 || e["reason"] != "invalidQuery" {
		t.Errorf("%d %v", status, r)
	}
}

// TestNotATable: what is there and is no table is a wrong statement, and not absent.
func TestNotATable(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	s.must("CREATE VIEW demo.v AS SELECT 1 AS x")
	for _, sql := range []string{"INSERT demo.v VALUES (1)", "UPDATE demo.v SET x = 1 WHERE true", "DELETE FROM demo.v WHERE true", "TRUNCATE TABLE demo.v",
		"ALTER TABLE demo.v ADD COLUMN y INT64", "DROP TABLE demo.v"} {
		if e := s.insertQuery(&api.JobConfigurationQuery{Query: sql}).Status.ErrorResult; e == nil || e.Reason != "invalidQuery" {
			t.Errorf("%s: %+v", sql, e)
		}
	}
}

// TestScript: a script has children, newest first in lists, with their places; its result is that of its last query.
func TestScript(t *testing.T) {
	s := serve(t)
	j := s.insertQuery(&api.JobConfigurationQuery{Query: "DECLARE n INT64 DEFAULT (SELECT 2);\nCREATE TEMP TABLE t (a INT64);\nWHILE n > 0 DO\n  INSERT t VALUES (n);\n  SET n = n - 1;\nEND WHILE;\nSELECT a FROM t ORDER BY a;\nDROP TABLE t"})
	if j.Status.ErrorResult != nil {
		t.Fatal(j.Status.ErrorResult.Message)
	}
	if j.Statistics.Query.StatementType != "SCRIPT" || j.Statistics.NumChildJobs != 6 {
		t.Errorf("%+v", j.Statistics)
	}
	r, err := s.Jobs.GetQueryResults(project, j.JobReference.JobId).Do()
	if err != nil || texts(r.Rows) != "1;2" {
		t.Errorf("%v, %v", r, err)
	}
	list, err := s.Jobs.List(project).ParentJobId(j.JobReference.JobId).Projection("full").Do()
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, c := range list.Jobs {
		f := c.Statistics.ScriptStatistics.StackFrames[0]
		kind := c.Statistics.ScriptStatistics.EvaluationKind[:4] + " " + c.Statistics.Query.StatementType
		kinds = append(kinds, fmt.Sprintf("%s %d:%d-%d:%d", kind, f.StartLine, f.StartColumn, f.EndLine, f.EndColumn))
		if to := c.Configuration.Query.DestinationTable; to != nil && to.DatasetId == "" { // which Google's client for Python fails at
			t.Errorf("%s writes %+v", kind, to)
		}
		if c.Statistics.ParentJobId != j.JobReference.JobId {
			t.Errorf("%+v", c.Statistics)
		}
	}
	if got, want := strings.Join(kinds, ", "), "STAT DROP_TABLE 8:1-8:13, STAT SELECT 7:1-7:27, STAT INSERT 4:3-4:22, STAT INSERT 4:3-4:22, STAT CREATE_TABLE 2:1-2:30, "+
		"EXPR SELECT 1:25-1:35"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if r, err = s.Jobs.GetQueryResults(project, list.Jobs[1].JobReference.JobId).Do(); err != nil || texts(r.Rows) != "1;2" {
		t.Errorf("%v, %v", r, err)
	}
	if r, err = s.Jobs.GetQueryResults(project, list.Jobs[5].JobReference.JobId).Do(); err != nil || texts(r.Rows) != "2" {
		t.Errorf("the value of DECLARE: %v, %v", r, err)
	}
	j = s.insertQuery(&api.JobConfigurationQuery{Query: "CREATE TEMP TABLE t AS SELECT 1 AS x"})
	if to := j.Configuration.Query.DestinationTable; to == nil || !strings.HasPrefix(to.DatasetId, "_script_") {
		t.Errorf("a temporary table without a session: %+v", to)
	}
	if all, err := s.Jobs.List(project).Do(); err != nil || len(all.Jobs) != 2 {
		t.Errorf("%v, %v", all, err)
	}
	j = s.insertQuery(&api.JobConfigurationQuery{Query: "SELECT 1;\nSELECT ERROR('no')"})
	if e := j.Status.ErrorResult; e == nil || e.Reason != "invalidQuery" || j.Statistics.NumChildJobs != 2 {
		t.Errorf("%+v", j)
	}
}

// TestSessions: temporary tables and variables go from job to job of a session, and are read from outside; nobody else has them.
func TestSessions(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	first, err := s.Jobs.Query(project, &api.QueryRequest{Query: "SELECT 1", CreateSession: true}).Do()
	if err != nil || first.SessionInfo == nil {
		t.Fatal(first, err)
	}
	id := first.SessionInfo.SessionId
	in := func(sql string) (*api.Job, error) {
		j, err := s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Query: &api.JobConfigurationQuery{
			Query: sql, DefaultDataset: &api.DatasetReference{DatasetId: "demo"}, ConnectionProperties: []*api.ConnectionProperty{{Key: "session_id", Value: id}}}}}).Do()
		if err != nil {
			return nil, err
		}
		j = s.await(j)
		if e := j.Status.ErrorResult; e != nil {
			return j, fmt.Errorf("%s: %s", e.Reason, e.Message)
		}
		return j, nil
	}
	var place *api.TableReference
	for _, sql := range []string{"CREATE TEMP TABLE `_SESSION`.`x` (a INT64)", "INSERT _SESSION.x VALUES (7)", "CREATE TEMP TABLE y AS SELECT a + 1 AS a FROM x",
		"CREATE TABLE t AS SELECT a FROM y", "SELECT * FROM `_SESSION.x` UNION ALL SELECT * FROM y UNION ALL SELECT * FROM demo.t"} {
		j, err := in(sql)
		if err != nil {
			t.Fatal(sql, err)
		}
		if j.Statistics.SessionInfo.SessionId != id {
			t.Errorf("%+v", j.Statistics)
		}
		if place == nil {
			place = j.Configuration.Query.DestinationTable
		}
	}
	rows, err := s.Tabledata.List(place.ProjectId, place.DatasetId, place.TableId).Do()
	if err != nil || texts(rows.Rows) != "7" {
		t.Errorf("%v, %v of %+v", rows, err, place)
	}
	if got := texts(s.must(fmt.Sprintf("SELECT * FROM `%s`.`%s`.`%s`", place.ProjectId, place.DatasetId, place.TableId)).Rows); got != "7" {
		t.Error(got)
	}
	if _, err := s.query("SELECT * FROM x"); err == nil {
		t.Error("another job sees the session's table")
	}
	s.must("CALL BQ.ABORT_SESSION('" + id + "')")
	if _, err := in("SELECT 1"); err == nil || !strings.Contains(err.Error(), "Session") {
		t.Errorf("%v", err)
	}
	if list, err := s.Datasets.List(project).All(true).Do(); err != nil || len(list.Datasets) > 3 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestMissing: what is not there is told in Google's words.
func TestMissing(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	for _, tt := range []struct {
		sql, dataset string
		status       int
		reason, want string
	}{
		{"SELECT * FROM nowhere", "", 400, "invalid", `Table "nowhere" must be qualified with a dataset (e.g. dataset.table).`},
		{"SELECT * FROM nowhere", "demo", 404, "notFound", "Not found: Table test-project:demo.nowhere was not found in location US"},
		{"SELECT * FROM demo.nowhere", "", 404, "notFound", "Not found: Table test-project:demo.nowhere was not found in location US"},
		{"SELECT * FROM `test-project.demo.nowhere`", "", 404, "notFound", "Not found: Table test-project:demo.nowhere was not found in location US"},
		{"SELECT * FROM nope.nowhere", "", 404, "notFound", "Not found: Dataset test-project:nope was not found in location US"},
	} {
		for _, dry := range []bool{false, true} {
			q := &api.QueryRequest{Query: tt.sql, UseLegacySql: googleapi.Bool(false), DryRun: dry}
			if tt.dataset != "" {
				q.DefaultDataset = &api.DatasetReference{DatasetId: tt.dataset}
			}
			_, err := s.Jobs.Query(project, q).Do()
			wantFault(t, err, tt.status, tt.reason, tt.want)
		}
	}
}

// TestTooLarge: a result that is larger than what is kept is refused, and may have a destination.
func TestTooLarge(t *testing.T) {
	s := serve(t, func(o *server.Options) { o.Limits = bigquery.Limits{Bytes: 1 << 20} })
	const query = "SELECT REPEAT('x', 1000) AS s FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS a"
	_, err := s.query(query)
	wantFault(t, err, 403, "responseTooLarge", "destination table")
	s.dataset("demo")
	j := s.insertQuery(&api.JobConfigurationQuery{Query: query, DestinationTable: &api.TableReference{DatasetId: "demo", TableId: "t"}})
	if j.Status.ErrorResult != nil {
		t.Error(j.Status.ErrorResult)
	}
}

// TestChildren: the children of a script are jobs among others, and are forgotten before it.
func TestChildren(t *testing.T) {
	s := serve(t, func(o *server.Options) { o.Limits = bigquery.Limits{Kept: 5} })
	j := s.insertQuery(&api.JobConfigurationQuery{Query: "DECLARE n INT64 DEFAULT 0; WHILE n < 200 DO SET n = n + 1; SELECT n; END WHILE"})
	if j.Status.ErrorResult != nil || j.Statistics.NumChildJobs != 200 {
		t.Fatalf("%+v", j)
	}
	if n := s.on.BigQuery().Jobs(); n.Kept > 5 {
		t.Errorf("%+v", n)
	}
	var tables int
	if err := s.on.DB().QueryRow("SELECT COUNT(*) FROM `_mallard_results.INFORMATION_SCHEMA.TABLES`").Scan(&tables); err != nil || tables > 6 {
		t.Errorf("%d tables, %v", tables, err)
	}
}
