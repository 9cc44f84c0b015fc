package bigquery_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// sent sends a request, and gives the JSON of the reply without what stands before its first brace.
func (s *served) sent(method, path, body string) (reply struct {
	Schema           json.RawMessage
	Type             string
	TimePartitioning json.RawMessage
	InsertErrors     []struct {
		Errors []struct{ Message, Location string }
	}
	Error struct{ Message string }
},
) {
	s.t.Helper()
	text := s.answer(method, "/bigquery/v2/projects/test-project/datasets/demo/tables"+path, body).body
	if err := json.Unmarshal([]byte(text), &reply); err != nil {
		s.t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
	return reply
}

// The fields of a table's schema do what https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tables says, or are refused by name.
func TestSchemaFields(t *testing.T) {
	s := serve(t)
	s.dataset("demo")
	schema := `{"fields":[` +
		`{"defaultValueExpression":"\"x\"","description":"an a","maxLength":"3","mode":"NULLABLE","name":"a","type":"STRING"},` +
		`{"mode":"NULLABLE","name":"n","precision":"10","scale":"2","type":"NUMERIC"},` +
		`{"mode":"REQUIRED","name":"b","type":"INTEGER"},` +
		`{"fields":[{"mode":"REQUIRED","name":"k","type":"INTEGER"},{"maxLength":"2","mode":"NULLABLE","name":"c","type":"BYTES"}],` +
		`"mode":"NULLABLE","name":"r","type":"RECORD"},` +
		`{"defaultValueExpression":"CURRENT_TIMESTAMP()","mode":"NULLABLE","name":"ts","type":"TIMESTAMP"}]}`
	for _, kind := range []string{"", `"timePartitioning":{"type":"DAY"},`} { // by the time at which rows come, or not
		if got := s.sent("POST", "", `{"tableReference":{"tableId":"t"},`+kind+`"schema":`+schema+`}`); string(got.Schema) != schema {
			t.Errorf("made with the schema %s\nit has %s%s", schema, got.Schema, got.Error.Message)
		}
		got := s.sent("POST", "/t/insertAll", `{"rows":[{"json":{"b":1}},{"json":{"b":2,"a":null,"n":"1.25"}},{"json":{"b":3,"a":"abc","ts":null,"n":"12.345"}}]}`)
		if len(got.InsertErrors) > 0 || got.Error.Message != "" {
			t.Fatalf("got %v", got)
		}
		if got, want := texts(s.must("SELECT a, n, b, ts IS NULL FROM demo.t ORDER BY b").Rows), `x,<nil>,1,false;<nil>,1.25,2,false;abc,12.35,3,true`; got != want {
			t.Errorf("rows %s\nwant %s", got, want)
		}
		for row, want := range map[string]string{`{"b":1,"a":"abcd"}`: "maximum length 3", `{"b":1,"r":{"k":1,"c":"AAAA"}}`: "maximum length 2", `{"b":1,"r":{}}`: "required"} {
			if got := s.sent("POST", "/t/insertAll", `{"rows":[{"json":`+row+`}]}`); len(got.InsertErrors) != 1 || !strings.Contains(got.InsertErrors[0].Errors[0].Message, want) {
				t.Errorf("%s: %v; want %q", row, got, want)
			}
		}
		if _, err := s.query("INSERT INTO demo.t (b, r) VALUES (1, STRUCT(NULL, NULL))"); err == nil || !strings.Contains(err.Error(), "Required field k") {
			t.Errorf("a statement gives %v", err)
		}
		if kind != "" && texts(s.must("SELECT COUNT(*) FROM demo.t WHERE _PARTITIONTIME IS NULL").Rows) != "0" {
			t.Error("rows without a partition")
		}
		changed := strings.NewReplacer(`"defaultValueExpression":"\"x\"",`, ``, `"precision":"10"`, `"precision":"12"`, `"REQUIRED","name":"b"`, `"NULLABLE","name":"b"`,
			`"defaultValueExpression":"CURRENT_TIMESTAMP()"`, `"defaultValueExpression":"TIMESTAMP_SECONDS(0)"`,
			`"type":"TIMESTAMP"}]`, `"type":"TIMESTAMP"},{"defaultValueExpression":"7","mode":"NULLABLE","name":"z","type":"INTEGER"}]`).Replace(schema)
		if got := s.sent("PATCH", "/t", `{"schema":`+changed+`}`); string(got.Schema) != changed {
			t.Errorf("patched with %s\nit has %s%s", changed, got.Schema, got.Error.Message)
		}
		s.sent("POST", "/t/insertAll", `{"rows":[{"json":{}}]}`)
		if got, want := texts(s.must("SELECT a, UNIX_SECONDS(ts), z FROM demo.t WHERE b IS NULL").Rows), `<nil>,0,7`; got != want {
			t.Errorf("row %s\nwant %s", got, want)
		}
		s.must("DROP TABLE demo.t")
	}
	for body, want := range map[string]string{
		`"schema":{"fields":[{"name":"a","type":"STRING","collation":"und:ci"}]}`:                                                            "schema.fields.collation is not served",
		`"schema":{"fields":[{"name":"a","type":"NUMERIC","roundingMode":"ROUND_HALF_EVEN"}]}`:                                               "roundingMode ROUND_HALF_EVEN is not served",
		`"schema":{"fields":[{"name":"a","type":"STRING","defaultValueExpression":"1), (2"}]}`:                                               "no expression",
		`"schema":{"fields":[{"name":"a","type":"INTEGER","maxLength":"3"}]}`:                                                                "maxLength is of STRING and BYTES",
		`"schema":{"fields":[{"name":"a","type":"RECORD","fields":[{"name":"b","type":"STRING","defaultValueExpression":"1"}]}]}`:            "only columns have a default",
		`"biglakeConfiguration":{"storageUri":"gs://x"},"schema":{"fields":[{"name":"a","type":"INTEGER"}]}`:                                 "biglakeConfiguration is not served",
		`"view":{"query":"SELECT 1 AS x","privacyPolicy":{"aggregationThresholdPolicy":{"threshold":"2"}}}`:                                  "view.privacyPolicy is not served",
		`"clustering":{"fields":["q"]},"schema":{"fields":[{"name":"a","type":"INTEGER"}]}`:                                                  "cannot be found in the schema: q",
		`"timePartitioning":{"field":"a"},"schema":{"fields":[{"name":"a","type":"INTEGER"}]}`:                                               "partitioning, a, has the type INTEGER",
		`"rangePartitioning":{"field":"a","range":{"start":"1","end":"0","interval":"1"}},"schema":{"fields":[{"name":"a","type":"INT64"}]}`: "rangePartitioning wants",
	} {
		if got := s.sent("POST", "", `{"tableReference":{"tableId":"wrong"},`+body+`}`); !strings.Contains(got.Error.Message, want) {
			t.Errorf("%s: %q, want %q", body, got.Error.Message, want)
		}
	}
	if got := s.sent("POST", "", `{"tableReference":{"tableId":"mv"},"materializedView":{"query":"SELECT 1 AS x"}}`); got.Type != "MATERIALIZED_VIEW" {
		t.Errorf("got %v", got)
	}
}
