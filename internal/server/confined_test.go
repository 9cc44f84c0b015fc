package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/server"
)

// TestConfined: statements that a client sends reach no file: not with what DuckDB alone knows, nor with EXPORT DATA but in a bucket.
func TestConfined(t *testing.T) {
	root := t.TempDir()
	bucket, outside := filepath.Join(root, "bucket"), filepath.Join(root, "outside")
	for _, dir := range []string{bucket, outside} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "secret.csv"), []byte("secret\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(bucket, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "new.csv"), filepath.Join(bucket, "new.csv")); err != nil {
		t.Fatal(err)
	}
	cfg := mallard.DefaultConfig()
	cfg.Buckets = map[string]string{"exports": bucket}
	cfg.Connections = map[string]mallard.ConnectionConfig{"c": {}}
	s := start(t, server.Options{Config: cfg})
	before := files(t, root)
	run := func(q string) (int, string) {
		t.Helper()
		text, err := json.Marshal(map[string]any{"query": q, "useLegacySql": false})
		if err != nil {
			t.Fatal(err)
		}
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		r, err := (&http.Client{Transport: tr}).Post(s.URL()+"/bigquery/v2/projects/test-project/queries", "application/json", strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		answer, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(answer)
	}
	at := filepath.Join(outside, "x")
	for _, q := range []string{
		"COPY (SELECT 1) TO '%s'", "ATTACH '%s' AS x", "EXPORT DATABASE '%s'", "IMPORT DATABASE '%s'", "LOAD '%s'", "INSTALL '%s'", "SET temp_directory = '%s'",
		"PRAGMA temp_directory = '%s'", "DETACH memory -- %s", "CHECKPOINT -- %s", "EXECUTE IMMEDIATE \"COPY (SELECT 1) TO '%s'\"", "SELECT 1; COPY (SELECT 1) TO '%s'",
		"SUMMARIZE FROM '%s/../secret.csv'", "DESCRIBE FROM '%s/../secret.csv'", "SHOW FROM '%s/../secret.csv'", "/* c */ cOpY (SELECT 1) TO '%s'",
		"EXPORT DATA OPTIONS(uri='%s*.csv', format='CSV') AS SELECT 1 AS x", "EXPORT DATA OPTIONS(uri='file://%s*.csv', format='CSV') AS SELECT 1 AS x",
		"EXPORT DATA OPTIONS(uri='gs://other%s*.csv', format='CSV') AS SELECT 1 AS x", "EXPORT DATA OPTIONS(uri='s3://b%s*.csv', format='CSV') AS SELECT 1 AS x",
		"EXPORT DATA OPTIONS(uri='gs://exports/../outside/x*.csv', format='CSV') AS SELECT 1 AS x -- %s", "EXPORT DATA OPTIONS(uri='gs://exports/link/x*.csv', format='CSV') AS SELECT 1 AS x -- %s",
		"EXPORT DATA OPTIONS(uri='gs://exports/new.csv', format='CSV') AS SELECT 1 AS x -- %s", "EXPORT DATA OPTIONS(uri='gs://exports/%s*.csv', format='CSV') AS SELECT 1 AS x",
		"SELECT * FROM ML_PREDICT('d.m', \"SELECT * FROM read_text('%s/../secret.csv')\")", "SELECT * FROM `%s/../secret.csv`", "SELECT * FROM read_csv('%s/../secret.csv')",
		"LOAD DATA INTO TEMP TABLE x (s STRING) FROM FILES (format='CSV', uris=['%s/../secret.csv'])",
		"LOAD DATA INTO TEMP TABLE x (s STRING) FROM FILES (format='CSV', uris=['gs://exports/../outside/secret.csv']) -- %s",
		"LOAD DATA INTO TEMP TABLE x (s STRING) FROM FILES (format='CSV', uris=['gs://exports/link/secret.csv']) -- %s",
		"LOAD DATA INTO TEMP TABLE x (s STRING) FROM FILES (format='CSV', uris=['gs://exports/*secret.csv']) -- %s",
	} {
		q = fmt.Sprintf(q, at)
		if code, answer := run(q); code < 400 || code >= 500 || strings.Contains(answer, `"v":`) {
			t.Errorf("%s: %d %s", q, code, answer)
		}
	}
	// Nor do they read files of the machine, libraries, or buckets with the machine's own credentials.
	run("CREATE SCHEMA d; CREATE TABLE d.l (a INT64)")
	for _, q := range []string{
		"CREATE MODEL d.m OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='%s/../*')", "CREATE MODEL d.m OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='file://%s')",
		"CREATE MODEL d.m OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='gs://exports/m/*', CUSTOM_OPS=['%s'])",
		"CREATE EXTERNAL TABLE d.o WITH CONNECTION `us.c` OPTIONS (object_metadata='SIMPLE', uris=['%s/../*']); SELECT * FROM d.o",
		"CREATE EXTERNAL TABLE d.o2 WITH CONNECTION `us.c` OPTIONS (object_metadata='SIMPLE', uris=['file://%s/../*']); SELECT COUNT(*) FROM d.o2",
		"SELECT OBJ.FETCH_METADATA(OBJ.MAKE_REF('gs://not-served/x', 'default')).details -- %s",
		"SELECT OBJ.FETCH_METADATA(OBJ.MAKE_REF('file://%s/../secret.csv', 'default')).details", "LOAD DATA INTO d.l FROM FILES (format='CSV', uris=['%s/../secret.csv'])",
		"LOAD DATA INTO d.l FROM FILES (format='CSV', uris=['gs://exports/link/secret.csv']) -- %s",
	} {
		q = fmt.Sprintf(q, at)
		if code, answer := run(q); (code < 400 || code >= 500) && !strings.Contains(answer, "not read here") {
			t.Errorf("%s: %d %s", q, code, answer)
		}
	}
	for name := range files(t, root) {
		if !before[name] {
			t.Errorf("a file was made: %s", name)
		}
	}
	if code, answer := run("DECLARE x INT64; SET x = 3; SELECT x"); code != http.StatusOK || !strings.Contains(answer, `"v":"3"`) {
		t.Errorf("a script: %d %s", code, answer)
	}
	if code, answer := run("EXPORT DATA OPTIONS(uri='gs://exports/good-*.csv', format='CSV', header=TRUE) AS SELECT 7 AS x"); code != http.StatusOK {
		t.Errorf("into the bucket: %d %s", code, answer)
	}
	if text, err := os.ReadFile(filepath.Join(bucket, "good-000000000000.csv")); err != nil || string(text) != "x\n7\n" {
		t.Errorf("into the bucket: %q, %v", text, err)
	}
}
