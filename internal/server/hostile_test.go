package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/mallardml/mallard/internal/server"
)

var (
	hostile     = flag.Int("hostile", 2000, "how many requests TestHostile sends")
	hostileSeed = flag.Uint64("hostile-seed", 1, "what they are made from")
)

// TestHostile: requests of every kind that are wrong in every way end with an error of the asker's. The process lives on and answers, nothing
// panics behind an answer, and no file is made where none belongs.
func TestHostile(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"work", "temp"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(root, "work"))
	t.Setenv("TMPDIR", filepath.Join(root, "temp"))
	temp := filepath.Join(root, "temp") // may be used while the server runs
	t.Cleanup(func() {
		if left := files(t, temp); len(left) > 1 {
			t.Errorf("the server leaves %v", slices.Sorted(maps.Keys(left)))
		}
	})
	faults := &faultLog{}
	bucket := filepath.Join(root, "bucket")
	if err := errors.Join(os.Mkdir(bucket, 0o700), os.WriteFile(filepath.Join(bucket, "a.csv"), []byte("a,b\n1,x\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s := start(t, server.Options{Logger: slog.New(faults), Buckets: map[string]string{"files": bucket}})
	post(t, s, "/bigquery/v2/projects/test-project/datasets", `{"datasetReference": {"datasetId": "d"}}`, nil)
	post(t, s, "/bigquery/v2/projects/test-project/queries", `{"query": "CREATE TABLE d.t AS SELECT 1 AS x, 'a' AS s", "useLegacySql": false}`, nil)
	before := files(t, root)
	h := &attack{t: t, addr: strings.TrimPrefix(s.URL(), "http://"), counts: map[string]map[string]int{}}
	var done sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(*hostile))
	for worker := range 4 {
		done.Go(func() {
			a := newAttacker(h, rand.New(rand.NewPCG(*hostileSeed, uint64(worker))))
			defer a.close()
			for left.Add(-1) >= 0 {
				a.one()
			}
		})
	}
	done.Wait()
	for _, kind := range slices.Sorted(maps.Keys(h.counts)) {
		t.Logf("%-10s %v", kind, h.counts[kind])
	}
	if all := faults.list(); len(all) > 0 {
		t.Errorf("%d faults behind answers, such as %s", len(all), all[0])
	}
	for name := range files(t, root) {
		if !before[name] && !strings.HasPrefix(name, temp+"/") {
			t.Errorf("a file was made: %s", name)
		}
	}
	post(t, s, "/bigquery/v2/projects/test-project/queries", `{"query": "SELECT 1", "useLegacySql": false}`, nil)
}

// faultLog keeps what is logged as an error.
type faultLog struct {
	mu  sync.Mutex
	all []string
}

func (*faultLog) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (l *faultLog) WithAttrs([]slog.Attr) slog.Handler         { return l }
func (l *faultLog) WithGroup(string) slog.Handler              { return l }
func (l *faultLog) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, text)
	return nil
}

func (l *faultLog) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// files lists what lies in a folder, at any depth.
func files(t *testing.T, root string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	if err := filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
		all[name] = true
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// attack is what the attackers share.
type attack struct {
	t      *testing.T
	addr   string
	mu     sync.Mutex
	counts map[string]map[string]int // answers by kinds
	shown  int
}

// note counts an answer. One that blames the server fails the test.
func (h *attack) note(kind, answer string, bad bool, what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counts[kind] == nil {
		h.counts[kind] = map[string]int{}
	}
	h.counts[kind][answer]++
	if bad {
		if h.shown++; h.shown <= 20 {
			h.t.Errorf("%s: %s to %.600s", kind, answer, what)
		}
	}
}

// attacker sends requests one after the other.
type attacker struct {
	*attack
	r     *rand.Rand
	http  *http.Transport
	calls *grpc.ClientConn
	kinds []func()
}

func newAttacker(h *attack, r *rand.Rand) *attacker {
	a := &attacker{attack: h, r: r, http: &http.Transport{DisableCompression: true}}
	var err error
	a.calls, err = grpc.NewClient(h.addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})))
	if err != nil {
		h.t.Error(err)
	}
	a.kinds = []func(){a.path, a.body, a.body, a.body, a.upload, a.resumable, a.call, a.call, a.raw, a.connections, a.token}
	return a
}

func (a *attacker) close() {
	a.http.CloseIdleConnections()
	_ = a.calls.Close()
}

func (a *attacker) one() { a.kinds[a.r.IntN(len(a.kinds))]() }

func pick[T any](a *attacker, all ...T) T { return all[a.r.IntN(len(all))] }

// word is a part of a path, or a value.
func (a *attacker) word() string {
	return pick(a, "d", "t", "test-project", "..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "a%00b", "'", `"`, "`", "d;DROP SCHEMA d", "ü", "%ff%fe",
		"_mallard_results", "main", "information_schema", "pg_catalog", "system", "temp", "mallard", "*", "d$20200101", "d@1", "-1", "0", "9223372036854775808",
		"null", "true", "{}", "[]", "", "%", "%zz", ".", "~", " ", "%20", "%0d%0aX-Y: z", strings.Repeat("a", 1+a.r.IntN(3000)), strings.Repeat("%2e%2e/", 20))
}

var verbs = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"}

// paths are those of the services; X is any word.
var paths = []string{
	"/projects", "/projects/P/datasets", "/projects/P/datasets/X", "/projects/P/datasets/d/tables", "/projects/P/datasets/d/tables/X", "/projects/P/datasets/X/tables/X",
	"/projects/P/datasets/d/tables/t/data", "/projects/P/datasets/d/tables/t/insertAll", "/projects/P/datasets/d/models", "/projects/P/datasets/d/models/X",
	"/projects/P/datasets/d/routines/X", "/projects/P/jobs", "/projects/P/jobs/X", "/projects/P/jobs/X/cancel", "/projects/P/queries", "/projects/P/queries/X",
	"/projects/X/datasets", "/projects/X/X", "/projects/P/serviceAccount", "/$discovery/rest", "/X", "/X/X/X", "/storage/v1/b/X/o/X", "/upload/X", "/healthz", "/metrics",
	"/mallard/environment", "/token", "/v1/projects/X:getIamPolicy", "/v1/projects/P/locations/X/connections/X",
}

func (a *attacker) place() string {
	p := strings.ReplaceAll(paths[a.r.IntN(len(paths))], "P", "test-project")
	for strings.Contains(p, "X") {
		p = strings.Replace(p, "X", strings.ReplaceAll(a.word(), "X", "x"), 1)
	}
	return pick(a, "", "/bigquery/v2", "/bigquery/v2", "/upload/bigquery/v2") + p
}

func (a *attacker) query() string {
	q := url.Values{}
	for range a.r.IntN(4) {
		name := pick(a, "maxResults", "pageToken", "startIndex", "fields", "alt", "all", "filter", "deleteContents", "selectedFields", "timeoutMs", "location",
			"projection", "parentJobId", "stateFilter", "uploadType", "version", "prettyPrint", "formatOptions.useInt64Timestamp", "minCreationTime", "view")
		q.Add(name, pick(a, a.word(), "1", "-1", "a(b,c(", "a/b/c", "*", "((((((((((((((((((", "json", "media", "99999999999999999999", "labels.a:b"))
	}
	return q.Encode()
}

// send sends a request and notes the answer.
func (a *attacker) send(kind, verb, target string, header http.Header, body []byte) *http.Response {
	ctx, stop := context.WithTimeout(context.Background(), 60*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+a.addr+"/", bytes.NewReader(body))
	if err != nil {
		a.note(kind, "not sent", false, "")
		return nil
	}
	r.Method, r.Header = verb, header
	if header == nil {
		r.Header = http.Header{}
	}
	path, query, _ := strings.Cut(target, "?")
	r.URL.Opaque, r.URL.RawQuery = "//"+a.addr+path, query
	what := fmt.Sprintf("%s %s %v %q", verb, target, header, body)
	answer, err := a.http.RoundTrip(r)
	if err != nil {
		// The transport refuses some itself; a server that hangs is a fault.
		a.note(kind, "no answer", errors.Is(err, context.DeadlineExceeded), what)
		return nil
	}
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<20))
	_ = answer.Body.Close()
	a.note(kind, fmt.Sprint(answer.StatusCode), answer.StatusCode >= 500 || answer.StatusCode < 300 && err != nil, what)
	return answer
}

func (a *attacker) path() {
	verb := verbs[a.r.IntN(len(verbs))]
	a.send("path", verb, a.place()+"?"+a.query(), http.Header{"If-Match": {a.word()}, "Accept-Encoding": {pick(a, "gzip", "br", "x")}}, nil)
}

// bodies are right requests; what is sent is made from them.
var bodies = []struct{ verb, path, text string }{
	{"POST", "/projects/test-project/queries", `{"query": "CREATE OR REPLACE EXTERNAL TABLE d.ext (a INT64, b STRING) OPTIONS (format = 'CSV', uris = ['gs://files/a.csv'], skip_leading_rows = 1)", "useLegacySql": false}`},
	{"POST", "/projects/test-project/queries", `{"query": "SELECT * FROM d.ext", "useLegacySql": false}`},
	{"POST", "/projects/test-project/jobs", `{"configuration": {"query": {"query": "SELECT * FROM ext", "useLegacySql": false, "tableDefinitions": {"ext": {"sourceFormat": "CSV",
		"sourceUris": ["gs://files/*.csv"], "autodetect": true, "csvOptions": {"skipLeadingRows": "1", "fieldDelimiter": ",", "encoding": "UTF-8", "quote": "\""}}}}}}`},
	{"POST", "/projects/test-project/datasets/d/tables", `{"tableReference": {"projectId": "test-project", "datasetId": "d", "tableId": "ext"}, "externalDataConfiguration":
		{"sourceFormat": "NEWLINE_DELIMITED_JSON", "sourceUris": ["gs://files/../a.csv"], "schema": {"fields": [{"name": "a", "type": "INT64"}]}, "maxBadRecords": 3,
		"hivePartitioningOptions": {"mode": "AUTO", "sourceUriPrefix": "gs://files/"}}}`},
	{"POST", "/projects/test-project/datasets/d/tables/t:setIamPolicy", `{"policy": {"etag": "AAAA", "version": 3, "bindings": [{"role": "r", "members": ["user:a@b"]}]}, "updateMask": "bindings"}`},
	{"POST", "/projects/test-project/datasets/d/tables/t:getIamPolicy", `{"options": {"requestedPolicyVersion": 3}}`},
	{"POST", "/projects/test-project/datasets/d/tables/t:testIamPermissions", `{"permissions": ["bigquery.tables.get"]}`},
	{"POST", "/projects/test-project/queries", `{"query": "SELECT @a AS x, 'z' AS y", "useLegacySql": false, "parameterMode": "NAMED", "maxResults": 10, "timeoutMs": 1000, "queryParameters":
		[{"name": "a", "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRUCT", "structTypes": [{"name": "f", "type": {"type": "NUMERIC"}}]}},
		"parameterValue": {"arrayValues": [{"structValues": {"f": {"value": "1.5"}}}]}}], "formatOptions": {"useInt64Timestamp": true}}`},
	{"POST", "/projects/test-project/queries", `{"query": "SELECT * FROM d.t", "useLegacySql": false, "dryRun": true, "defaultDataset": {"datasetId": "d"}, "labels": {"a": "b"}}`},
	{"POST", "/projects/test-project/jobs", `{"jobReference": {"jobId": "j", "projectId": "test-project", "location": "US"}, "configuration": {"labels": {"a": "b"}, "dryRun": false,
		"query": {"query": "SELECT 1 AS x; SELECT 2", "useLegacySql": false, "destinationTable": {"projectId": "test-project", "datasetId": "d", "tableId": "dest"},
		"writeDisposition": "WRITE_TRUNCATE", "createDisposition": "CREATE_IF_NEEDED", "maximumBytesBilled": "1000", "createSession": true,
		"connectionProperties": [{"key": "session_id", "value": "x"}]}}}`},
	{"POST", "/projects/test-project/jobs", `{"configuration": {"load": {"sourceUris": ["gs://b/../../etc/passwd"], "destinationTable": {"projectId": "test-project", "datasetId": "d",
		"tableId": "l"}, "sourceFormat": "CSV", "autodetect": true, "schema": {"fields": [{"name": "a", "type": "INTEGER"}]}, "skipLeadingRows": 1}}}`},
	{"POST", "/projects/test-project/jobs", `{"configuration": {"extract": {"sourceTable": {"projectId": "test-project", "datasetId": "d", "tableId": "t"},
		"destinationUris": ["gs://../../x/*.csv"], "destinationFormat": "CSV", "compression": "GZIP"}}}`},
	{"POST", "/projects/test-project/jobs", `{"configuration": {"copy": {"sourceTables": [{"projectId": "test-project", "datasetId": "d", "tableId": "t"}],
		"destinationTable": {"projectId": "test-project", "datasetId": "d", "tableId": "c"}, "operationType": "COPY"}}}`},
	{"POST", "/projects/test-project/datasets", `{"datasetReference": {"datasetId": "e", "projectId": "test-project"}, "location": "US", "labels": {"a": "b"},
		"defaultTableExpirationMs": "3600000", "access": [{"role": "READER", "specialGroup": "projectReaders"}]}`},
	{"POST", "/projects/test-project/datasets/d/tables", `{"tableReference": {"projectId": "test-project", "datasetId": "d", "tableId": "n"}, "schema": {"fields": [
		{"name": "a", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "b", "type": "NUMERIC", "precision": "10", "scale": "2"}]}]}, "expirationTime": "99999999999999",
		"timePartitioning": {"type": "DAY", "field": "a"}, "clustering": {"fields": ["a"]}, "view": {"query": "SELECT 1 AS x", "useLegacySql": false}}`},
	{"POST", "/projects/test-project/datasets/d/tables/t/insertAll", `{"rows": [{"insertId": "1", "json": {"x": 1, "s": "a"}}, {"json": {"x": "2"}}], "skipInvalidRows": true,
		"ignoreUnknownValues": true, "templateSuffix": "_x"}`},
	{"PATCH", "/projects/test-project/datasets/d", `{"description": "x", "labels": {"a": null}, "defaultTableExpirationMs": null}`},
	{"PATCH", "/projects/test-project/datasets/d/tables/t", `{"schema": {"fields": [{"name": "x", "type": "INTEGER"}, {"name": "s", "type": "STRING"}]}, "description": "x"}`},
	{"PATCH", "/projects/test-project/datasets/d/models/m", `{"expirationTime": "1796386257144", "labels": {}}`},
	{"POST", "/projects/test-project/datasets/d/routines", `{"routineReference": {"projectId": "test-project", "datasetId": "d", "routineId": "r"}, "routineType": "SCALAR_FUNCTION",
		"language": "SQL", "definitionBody": "x + 1", "arguments": [{"name": "x", "dataType": {"typeKind": "INT64"}}]}`},
}

func (a *attacker) body() {
	b := bodies[a.r.IntN(len(bodies))]
	path := pick(a, "", "/bigquery/v2") + b.path
	if a.r.IntN(4) == 0 {
		path += "?" + a.query()
	}
	header := http.Header{"Content-Type": {pick(a, "application/json", "application/json", "application/json; charset=utf-8", "text/plain", "", "x/y/z", "multipart/related")}}
	if a.r.IntN(8) == 0 {
		header.Set("Content-Encoding", pick(a, "gzip", "deflate", "identity"))
	}
	a.send("body", b.verb, path, header, a.mutated([]byte(b.text)))
}

// mutated changes values of a JSON text, or its bytes.
func (a *attacker) mutated(text []byte) []byte {
	var v any
	if a.r.IntN(3) > 0 && json.Unmarshal(text, &v) == nil {
		for range 1 + a.r.IntN(3) {
			v = a.mutate(v)
		}
		text, _ = json.Marshal(v)
		return text
	}
	return a.flipped(text)
}

func (a *attacker) flipped(text []byte) []byte {
	text = bytes.Clone(text)
	for range 1 + a.r.IntN(4) {
		if len(text) == 0 {
			return text
		}
		switch i := a.r.IntN(len(text)); a.r.IntN(4) {
		case 0:
			text[i] ^= byte(1 << a.r.IntN(8))
		case 1:
			text = text[:i]
		case 2:
			text = slices.Insert(text, i, text[i:min(len(text), i+a.r.IntN(100))]...)
		default:
			text = slices.Insert(text, i, []byte(pick(a, "\x00", "\xff\xfe", "{", "[[[[[[", `"`, "\\u0000", "\\ud800", "1e999", "null", "\r\n--x\r\n", strings.Repeat("[", 20000)))...)
		}
	}
	return text
}

// mutate replaces a value somewhere.
func (a *attacker) mutate(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if len(x) > 0 && a.r.IntN(6) > 0 {
			k := slices.Sorted(maps.Keys(x))[a.r.IntN(len(x))]
			x[k] = a.mutate(x[k])
			return x
		}
		x[a.word()] = v
		return map[string]any{a.word(): x["query"], "query": a.word()}
	case []any:
		if len(x) > 0 && a.r.IntN(6) > 0 {
			i := a.r.IntN(len(x))
			x[i] = a.mutate(x[i])
			return append(x, x[a.r.IntN(len(x))])
		}
	}
	return pick[any](a, nil, true, -1, 1.5, 1e300, "", a.word(), []any{}, map[string]any{}, []any{nil}, strings.Repeat("x", a.r.IntN(5000)), "\x00", "9223372036854775808",
		"SELECT", "SELECT 1; SELECT", "SELECT * FROM d.t WHERE", "SELECT ERROR('x')", "SELECT CAST('x' AS INT64)", "SELECT 1/0", "SELECT "+strings.Repeat("(", 500), "BEGIN SELECT 1;",
		"SELECT * FROM `../../etc/passwd`", "SELECT * FROM read_text('/etc/passwd')", "ATTACH '/tmp/x.db'", "COPY d.t TO '../x.csv'", "EXPORT DATA OPTIONS(uri='../x*.csv', format='CSV') AS SELECT 1",
		"INSTALL httpfs", "SET memory_limit='1KB'", "PRAGMA database_list", "CALL BQ.ABORT_SESSION()", "SELECT @@x", "DROP SCHEMA d CASCADE; CREATE SCHEMA d",
		"gs://b/o", "gs://", "file:///etc/passwd", "/etc/passwd", "../../../etc/passwd", "s3://x/y")
}
