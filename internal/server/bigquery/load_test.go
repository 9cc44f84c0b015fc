package bigquery_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"

	"github.com/mallardml/mallard/internal/server"
)

// withBucket serves a folder as gs://bucket.
func withBucket(t *testing.T) (*served, string) {
	t.Helper()
	folder := t.TempDir()
	s := serve(t, func(o *server.Options) { o.Config.Buckets = map[string]string{"bucket": folder} })
	s.dataset("demo")
	return s, folder
}

// load uploads a file with a load job, and gives the rows of demo.t in their order, or what is wrong.
func (s *served) load(l *api.JobConfigurationLoad, file string) string {
	s.t.Helper()
	if l.DestinationTable == nil {
		l.DestinationTable = &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "t"}
	}
	call := s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Load: l}})
	if file != "" {
		call = call.Media(strings.NewReader(file))
	}
	j, err := call.Do()
	if err != nil {
		return err.Error()
	}
	if j = s.await(j); j.Status.ErrorResult != nil {
		return j.Status.ErrorResult.Reason + ": " + j.Status.ErrorResult.Message
	}
	return s.rows("demo", "t")
}

func (s *served) rows(dataset, table string) string {
	s.t.Helper()
	got, err := s.Tables.Get(project, dataset, table).Do()
	if err != nil {
		s.t.Fatal(err)
	}
	var types []string
	for _, f := range got.Schema.Fields {
		types = append(types, f.Name+" "+f.Type)
	}
	data, err := s.Tabledata.List(project, dataset, table).FormatOptionsUseInt64Timestamp(true).Do()
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(types, ",") + " | " + texts(data.Rows)
}

func fields(s string) *api.TableSchema {
	schema := &api.TableSchema{}
	for _, f := range strings.Split(s, ",") {
		parts := strings.Fields(f)
		schema.Fields = append(schema.Fields, &api.TableFieldSchema{Name: parts[0], Type: parts[1], Mode: strings.Join(parts[2:], "")})
	}
	return schema
}

// TestLoadText: CSV and JSON lines by upload, with a schema and without; what is wrong is told in BigQuery's words, and nothing of the file stays.
func TestLoadText(t *testing.T) {
	s, _ := withBucket(t)
	const truncate = "WRITE_TRUNCATE"
	tab := "\t"
	for _, tt := range []struct {
		name string
		l    api.JobConfigurationLoad
		file string
		want string
	}{
		{"no schema", api.JobConfigurationLoad{}, "1,2\n", "invalid: No schema specified on job or table."},
		{"detected", api.JobConfigurationLoad{Autodetect: true}, "a,b\n1,x\n2,y\n", "a INTEGER,b STRING | 1,x;2,y"},
		{"appended by the table's schema", api.JobConfigurationLoad{}, "3,z\n", "a INTEGER,b STRING | 1,x;2,y;3,z"},
		{"no columns of the table", api.JobConfigurationLoad{Schema: fields("a INTEGER,c STRING")}, "3,z\n", "Cannot add fields (field: c)"},
		{"added", api.JobConfigurationLoad{Schema: fields("a INTEGER,c STRING"), SchemaUpdateOptions: []string{"ALLOW_FIELD_ADDITION"}}, "4,w\n",
			"a INTEGER,b STRING,c STRING | 1,x,<nil>;2,y,<nil>;3,z,<nil>;4,<nil>,w"},
		{"empty wanted", api.JobConfigurationLoad{WriteDisposition: "WRITE_EMPTY"}, "3,z\n", "duplicate: Already Exists: Table test-project:demo.t"},
		{"types", api.JobConfigurationLoad{WriteDisposition: truncate, SkipLeadingRows: 1, Schema: fields("i INT64,f FLOAT64,b BOOL,d DATE,t TIMESTAMP,y BYTES,n NUMERIC,j JSON,s STRING,dt DATETIME,ti TIME")},
			"header\n 1 ,NaN,yes,2020-02-29,2020-01-01 00:00:00 UTC,3q2+7w==,1.5,\"{\"\"a\"\": 1}\",\"\"\"q\"\",\n2\",2020-01-01T00:00:00,12:00:00\n,,,,,,,,,,\n",
			`i INTEGER,f FLOAT,b BOOLEAN,d DATE,t TIMESTAMP,y BYTES,n NUMERIC,j JSON,s STRING,dt DATETIME,ti TIME | 1,NaN,true,2020-02-29,1577836800000000,3q2+7w==,1.5,{"a": 1},"q",` + "\n" +
				`2,2020-01-01T00:00:00,12:00:00;<nil>,<nil>,<nil>,<nil>,<nil>,<nil>,<nil>,<nil>,<nil>,<nil>,<nil>`},
		{"wrong", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: fields("i INT64")}, "1\nx\n", "giving up. Rows with errors: 1. Could not parse 'x' as INT64 for field i"},
		{"one wrong row allowed", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: fields("i INT64"), MaxBadRecords: 1}, "1\nx\n", "i INTEGER | 1"},
		{"required", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: fields("i INT64 REQUIRED,s STRING")}, ",x\n", "Only optional fields can be set to NULL. Field: i"},
		{"too many columns", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: fields("i INT64")}, "1,2\n", "Error while reading data"},
		{"jagged", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: fields("i INT64,s STRING"), AllowJaggedRows: true}, "1\n2,b\n", "i INTEGER,s STRING | 1,<nil>;2,b"},
		{"delimiter, quote and NULL", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: fields("i INT64,s STRING"), FieldDelimiter: tab, Quote: googleapi.String("'"), NullMarker: `\N`},
			"1\t'a\tb'\n\\N\t\n", "i INTEGER,s STRING | 1,a\tb;<nil>,"},
		{"no header", api.JobConfigurationLoad{WriteDisposition: truncate, Autodetect: true}, "1,2.5\n3,4.5\n", "int64_field_0 INTEGER,float64_field_1 FLOAT | 1,2.5;3,4.5"},
		{"nested CSV", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: fields("i INT64 REPEATED")}, "1\n", "nested or repeated"},
		{"lines", api.JobConfigurationLoad{WriteDisposition: truncate, SourceFormat: "NEWLINE_DELIMITED_JSON", Autodetect: true},
			`{"a": 1, "b": "x", "c": [{"d": 1.5}], "e": null}` + "\n\n" + `{"a": 2, "b": null, "c": []}`, "a INTEGER,b STRING,c RECORD,e STRING | 1,x,[map[v:map[f:[map[v:1.5]]]]],<nil>;2,<nil>,[],<nil>"},
		{"lines of a schema", api.JobConfigurationLoad{WriteDisposition: truncate, SourceFormat: "NEWLINE_DELIMITED_JSON", Schema: fields("n BIGNUMERIC,y BYTES,t TIMESTAMP,j JSON")},
			`{"n": 1e-9, "y": "3q2+7w==", "t": 1577836800, "j": {"a": [1, "x"]}}` + "\n",
			`n BIGNUMERIC,y BYTES,t TIMESTAMP,j JSON | 0.000000001,3q2+7w==,1577836800000000,{"a":[1,"x"]}`},
		{"unknown field", api.JobConfigurationLoad{WriteDisposition: truncate, SourceFormat: "NEWLINE_DELIMITED_JSON", Schema: fields("a INT64")}, `{"b": 1}`, "no such field: b."},
		{"unknown field ignored", api.JobConfigurationLoad{WriteDisposition: truncate, SourceFormat: "NEWLINE_DELIMITED_JSON", Schema: fields("a INT64"), IgnoreUnknownValues: true}, `{"b": 1}`, "a INTEGER | <nil>"},
		{"no JSON", api.JobConfigurationLoad{WriteDisposition: truncate, SourceFormat: "NEWLINE_DELIMITED_JSON", Schema: fields("a INT64")}, `{"a": 1`, "Parser terminated"},
		{"the last rows stay", api.JobConfigurationLoad{WriteDisposition: "WRITE_APPEND", Schema: fields("a INT64")}, "x\n", "Could not parse"},
		{"a precise schema", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: &api.TableSchema{Fields: []*api.TableFieldSchema{{Name: "n", Type: "NUMERIC", Precision: 5, Scale: 2}}}}, "1.25\n", "n NUMERIC | 1.25"},
		{"more digits than the schema has", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: &api.TableSchema{Fields: []*api.TableFieldSchema{{Name: "n", Type: "NUMERIC", Precision: 3, Scale: 2}}}}, "1234.5\n", "Error while reading data"},
		{"the rows that were to be replaced stay", api.JobConfigurationLoad{}, "2.5\n", "n NUMERIC | 1.25;2.5"},
		{"required at first", api.JobConfigurationLoad{WriteDisposition: truncate, Schema: fields("i INT64 REQUIRED,s STRING REQUIRED")}, "1,x\n", "i INTEGER,s STRING | 1,x"},
		{"relaxed", api.JobConfigurationLoad{Schema: fields("i INT64 REQUIRED,s STRING"), SchemaUpdateOptions: []string{"ALLOW_FIELD_RELAXATION"}}, "2,\n3,z\n", "i INTEGER,s STRING | 1,x;2,<nil>;3,z"},
		{"what is required still", api.JobConfigurationLoad{Schema: fields("i INT64,s STRING")}, ",x\n", "NOT NULL constraint failed"},
		{"lines for a table", api.JobConfigurationLoad{WriteDisposition: truncate, SourceFormat: "NEWLINE_DELIMITED_JSON", Schema: fields("a INT64")}, `{"a": 1}`, "a INTEGER | 1"},
		{"lines with a column more", api.JobConfigurationLoad{SourceFormat: "NEWLINE_DELIMITED_JSON", Autodetect: true}, `{"a": 2, "b": true}`, "Cannot add fields (field: b)"},
		{"that is added", api.JobConfigurationLoad{SourceFormat: "NEWLINE_DELIMITED_JSON", Autodetect: true, SchemaUpdateOptions: []string{"ALLOW_FIELD_ADDITION"}},
			`{"a": 2, "b": true}`, "a INTEGER,b BOOLEAN | 1,<nil>;2,true"},
		{"ORC", api.JobConfigurationLoad{SourceFormat: "ORC"}, "x", "sourceFormat ORC is not read"}, {"bogus", api.JobConfigurationLoad{SourceFormat: "BOGUS"}, "x", "BOGUS is not a valid value"},
		{"GEOGRAPHY", api.JobConfigurationLoad{Schema: fields("g GEOGRAPHY")}, "x", "GEOGRAPHY is not supported"},
		{"no parquet", api.JobConfigurationLoad{SourceFormat: "PARQUET"}, "x", "Error while reading data"},
		{"no dataset", api.JobConfigurationLoad{DestinationTable: &api.TableReference{DatasetId: "nope", TableId: "t"}, Schema: fields("a INT64")}, "1\n", "notFound: Not found: Dataset test-project:nope"},
	} {
		if got := s.load(&tt.l, tt.file); got != tt.want && (strings.Contains(tt.want, " | ") || !strings.Contains(got, tt.want)) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
	if got := texts(s.must("SELECT COUNT(*) FROM `_mallard_results.INFORMATION_SCHEMA.TABLES` WHERE table_name LIKE 'load%'").Rows); got != "0" {
		t.Logf("kept tables: %s", got)
	}
}

// TestBuckets: what is extracted into a bucket is loaded from it as it was.
func TestBuckets(t *testing.T) {
	s, folder := withBucket(t)
	s.must("CREATE TABLE demo.t AS SELECT 1 AS i, 'a \"b\",c' AS s, 1.5 AS f, TIMESTAMP '2020-01-01 00:00:00+00' AS t, b'\\xff' AS y, DATE '2020-01-01' AS d, NUMERIC '1.5' AS n, TRUE AS b " +
		"UNION ALL SELECT NULL, '', NULL, NULL, NULL, NULL, NULL, NULL")
	source := &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "t"}
	want := s.rows("demo", "t")
	schema, err := s.Tables.Get(project, "demo", "t").Do()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ format, compression string }{{"CSV", ""}, {"CSV", "GZIP"}, {"NEWLINE_DELIMITED_JSON", ""}, {"NEWLINE_DELIMITED_JSON", "GZIP"}, {"PARQUET", "SNAPPY"}, {"PARQUET", ""}} {
		uri := "gs://bucket/" + tt.format + tt.compression + "/*.out"
		j := s.insert(&api.Job{Configuration: &api.JobConfiguration{Extract: &api.JobConfigurationExtract{
			SourceTable: source, DestinationUris: []string{uri}, DestinationFormat: tt.format, Compression: tt.compression}}})
		if j.Status.ErrorResult != nil || len(j.Statistics.Extract.DestinationUriFileCounts) != 1 {
			t.Fatalf("%v: %+v", tt, j.Status.ErrorResult)
		}
		skip := int64(0)
		if tt.format == "CSV" {
			skip = 1
		}
		l := &api.JobConfigurationLoad{SourceUris: []string{uri}, SourceFormat: tt.format, SkipLeadingRows: skip, WriteDisposition: "WRITE_TRUNCATE", Schema: schema.Schema,
			DestinationTable: &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "t"}}
		if got := s.load(l, ""); got != want {
			t.Errorf("%v:\n got %s\nwant %s", tt, got, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "CSV", "000000000000.out"))
	if want := "i,s,f,t,y,d,n,b\n1,\"a \"\"b\"\",c\",1.5,2020-01-01 00:00:00 UTC,/w==,2020-01-01,1.5,true\n,\"\",,,,,,\n"; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	text, err = os.ReadFile(filepath.Join(folder, "NEWLINE_DELIMITED_JSON", "000000000000.out"))
	if want := `{"i":"1","s":"a \"b\",c","f":1.5,"t":"2020-01-01 00:00:00 UTC","y":"/w==","d":"2020-01-01","n":"1.5","b":true}` + "\n" + `{"s":""}` + "\n"; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	for _, format := range []string{"CSV", "JSON", "PARQUET"} {
		j := s.insertQuery(&api.JobConfigurationQuery{Query: "EXPORT DATA OPTIONS(uri='gs://bucket/export/" + format + "/*.x', format='" + format + "', overwrite=true) AS " +
			"SELECT 1 AS id, 'alpha' AS name UNION ALL SELECT 2, 'beta'"})
		if j.Status.ErrorResult != nil || j.Statistics.Query.StatementType != "EXPORT_DATA" || j.Statistics.Query.ExportDataStatistics.RowCount != 2 {
			t.Errorf("%s: %+v %+v", format, j.Status.ErrorResult, j.Statistics.Query)
		}
		if info, err := os.Stat(filepath.Join(folder, "export", format, "000000000000.x")); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", format, err)
		}
	}
	s.must("LOAD DATA INTO demo.loaded (id INT64, name STRING) FROM FILES (format = 'CSV', uris = ['gs://bucket/export/CSV/0*.x'])")
	if got := texts(s.must("SELECT name FROM demo.loaded ORDER BY id").Rows); got != "alpha;beta" {
		t.Errorf("LOAD DATA: %s", got)
	}
	for _, uri := range []string{"gs://other/x", "gs://bucket/../x", "/etc/passwd", "gs://bucket/none*"} {
		if got := s.load(&api.JobConfigurationLoad{SourceUris: []string{uri}, Autodetect: true}, ""); strings.Contains(got, "|") {
			t.Errorf("%s: %s", uri, got)
		}
	}
	copied := s.insert(&api.Job{Configuration: &api.JobConfiguration{Copy: &api.JobConfigurationTableCopy{SourceTables: []*api.TableReference{source, source},
		DestinationTable: &api.TableReference{ProjectId: project, DatasetId: "demo", TableId: "u"}}}})
	if copied.Status.ErrorResult != nil || copied.Statistics.Copy.CopiedRows != 4 {
		t.Errorf("%+v", copied)
	}
	if got := texts(s.must("SELECT COUNT(*) FROM demo.u").Rows); got != "4" {
		t.Error(got)
	}
}

// TestResumable: a file comes in parts, in the forms of the clients; how much has come is told, and what is wrong is refused.
func TestResumable(t *testing.T) {
	s, _ := withBucket(t)
	begin := func() string {
		t.Helper()
		r, err := http.Post(s.url+"/upload/bigquery/v2/projects/"+project+"/jobs?uploadType=resumable", "application/json", strings.NewReader(
			`{"configuration":{"load":{"destinationTable":{"datasetId":"demo","tableId":"t"},"sourceFormat":"CSV","writeDisposition":"WRITE_TRUNCATE","schema":{"fields":[{"name":"a","type":"INT64"}]}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if r.StatusCode != 200 || r.Header.Get("X-GUploader-UploadID") == "" {
			t.Fatal(r.Status)
		}
		return r.Header.Get("Location")
	}
	put := func(to, ranges, body string, header ...string) (int, http.Header, string) {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), "PUT", to, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if ranges != "" {
			q.Header.Set("Content-Range", ranges)
		}
		for i := 0; i < len(header); i += 2 {
			q.Header.Set(header[i], header[i+1])
		}
		r, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, r.Header, string(text)
	}
	to := begin()
	for _, tt := range []struct {
		ranges, body string
		status       int
		come         string
	}{
		{"bytes */8", "", 308, ""}, {"bytes 0-3/8", "1\n2\n", 308, "bytes=0-3"}, {"bytes */8", "", 308, "bytes=0-3"}, {"bytes 6-7/8", "4\n", 400, ""}, {"bytes 3-1/8", "", 400, ""},
		{"bytes 2-5/*", "2\n3\n", 308, "bytes=0-5"}, {"nonsense", "", 400, ""}, {"bytes 6-7/8", "4\n", 200, ""}, {"bytes */8", "", 404, ""},
	} {
		if status, h, text := put(to, tt.ranges, tt.body); status != tt.status || h.Get("Range") != tt.come {
			t.Errorf("%s: %d %s %s", tt.ranges, status, h.Get("Range"), text)
		}
	}
	if got := s.rows("demo", "t"); got != "a INTEGER | 1;2;3;4" {
		t.Error(got)
	}
	if status, _, text := put(begin(), "", "7\n"); status != 200 {
		t.Error(status, text)
	}
	if got := s.rows("demo", "t"); got != "a INTEGER | 7" {
		t.Error(got)
	}
	if status, h, _ := put(begin(), "bytes 0-0/2", "7", "X-GUploader-No-308", "yes"); status != 200 || h.Get("X-Http-Status-Code-Override") != "308" {
		t.Error(status, h)
	}
	if status, _, _ := put(s.url+"/upload/bigquery/v2/projects/"+project+"/jobs?upload_id=nope", "bytes 0-0/2", "7"); status != 404 {
		t.Error(status)
	}
	// The Go client sends large files so.
	big := &bytes.Buffer{}
	for i := range 100_000 {
		fmt.Fprintf(big, "%d\n", i)
	}
	j, err := s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Load: &api.JobConfigurationLoad{DestinationTable: &api.TableReference{DatasetId: "demo", TableId: "big"},
		Schema: fields("a INT64")}}}).Media(big, googleapi.ChunkSize(256<<10)).Do()
	if err != nil {
		t.Fatal(err)
	}
	if j = s.await(j); j.Status.ErrorResult != nil || j.Statistics.Load.OutputRows != 100_000 || j.Statistics.Load.InputFiles != 1 {
		t.Errorf("%+v", j)
	}
}

// TestMultipart: requests that are no upload of a job and a file are refused.
func TestMultipart(t *testing.T) {
	s, _ := withBucket(t)
	job := `{"configuration":{"load":{"destinationTable":{"datasetId":"demo","tableId":"t"},"schema":{"fields":[{"name":"a","type":"INT64"}]}}}}`
	part := func(kind, body string) string { return "--x\r\nContent-Type: " + kind + "\r\n\r\n" + body + "\r\n" }
	file := part("text/csv", "1\n")
	for _, tt := range []struct {
		kind, query, body string
		status            int
	}{
		{`multipart/related; boundary="x"`, "multipart", part("application/json", job) + file + "--x--", 200},
		{`multipart/related; boundary="x"`, "multipart", part("application/json", job) + file + file + "--x--", 400},
		{`multipart/related; boundary="x"`, "multipart", part("application/json", "{") + file + "--x--", 400},
		{`multipart/related; boundary="x"`, "multipart", part("application/json", `{"configuration":{"query":{"query":"SELECT 1"}}}`) + file + "--x--", 400},
		{`multipart/related; boundary="x"`, "multipart", part("application/json", job) + "--x--", 400}, {`multipart/related; boundary="x"`, "multipart", "", 400},
		{"application/json", "multipart", job, 400}, {"application/json", "bogus", job, 400}, {"application/json", "resumable", "{", 400},
	} {
		r, err := http.Post(s.url+"/upload/bigquery/v2/projects/"+project+"/jobs?uploadType="+tt.query, tt.kind, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != tt.status {
			t.Errorf("%s %.200s: %d %s", tt.query, tt.body, r.StatusCode, text)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, `{"a": 5}`)
	z.Close()
	if got := s.load(&api.JobConfigurationLoad{SourceFormat: "NEWLINE_DELIMITED_JSON", WriteDisposition: "WRITE_TRUNCATE", Schema: fields("a INT64")}, packed.String()); got != "a INTEGER | 5" {
		t.Error(got)
	}
}
