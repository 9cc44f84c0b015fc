package objecttable

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/gcs"
	"github.com/mallardml/mallard/connectors/gcs/gcstest"
)

// The fields, errors and NULLs are those of
// https://cloud.google.com/bigquery/docs/reference/standard-sql/objectref_functions.
func TestRefs(t *testing.T) {
	db := openDB(t, Options{})
	s := db.bucket(gcstest.Object{Bucket: "bucket", Name: "a.png", Content: []byte("hello"), ContentType: "image/png", Generation: 7, Updated: time.UnixMicro(1741374857000000)})
	const made = "obj_make_ref('gs://bucket/a.png', 'us.conn')"
	db.want(`STRUCT(uri VARCHAR, "version" VARCHAR, authorizer VARCHAR, details JSON)`, "SELECT typeof("+made+")")
	db.want("gs://bucket/a.png|<nil>|us.conn|<nil>", "SELECT unnest("+made+")")
	db.want("gs://bucket/a.png|<nil>|<nil>|<nil>", "SELECT unnest(obj_make_ref('gs://bucket/a.png'))")
	db.want(`u|5|c|{"gcs_metadata":{"size":3}}`, `SELECT r.uri, r."version", r.authorizer, r.details::VARCHAR FROM (SELECT obj_make_ref('u', 'c', '5', '{"size":3}') AS r)`)
	db.want(`u|5|c|{"gcs_metadata":{"size":3}}`, `SELECT r.uri, r."version", r.authorizer, r.details::VARCHAR FROM (SELECT obj_make_ref('{"uri":"u","authorizer":"c","version":"5","details":{"gcs_metadata":{"size":3}}}'::JSON) AS r)`)
	db.want("u|other", `SELECT r.uri, r.authorizer FROM (SELECT obj_make_ref(obj_make_ref('u', 'c'), 'other') AS r)`)
	db.want("true|0|0", "SELECT r IS NULL, count(r.uri), count(r.details) FROM (SELECT obj_make_ref(NULL, 'c') AS r) GROUP BY ALL")
	db.wantError("it has no uri", `SELECT obj_make_ref('{"a": 1}')`)
	db.wantError("is no ObjectRef", `SELECT obj_make_ref('{"uri":')`)

	fetched := "SELECT f.uri, f.version, f.authorizer, f.details::VARCHAR FROM (SELECT obj_fetch_metadata(%s) AS f)"
	db.want(`gs://bucket/a.png|7|us.conn|{"gcs_metadata":{"content_type":"image/png","md5_hash":"XUFAKrxLKna5cZ2REBfFkg==","size":5,"updated":1741374857000000}}`, fmt.Sprintf(fetched, made))
	db.host.strict = true
	db.want(`gs://bucket/b|<nil>|<nil>|{"errors":[{"code":404,"message":"gs://bucket/b: not found","source":"OBJ.FETCH_METADATA"}]}`, fmt.Sprintf(fetched, "obj_make_ref('gs://bucket/b')"))
	s.Fail(403, 1, nil)
	db.want("403", "SELECT f.details->'errors'->0->>'code' FROM (SELECT obj_fetch_metadata("+made+") AS f)")
	db.want("404", "SELECT f.details->'errors'->0->>'code' FROM (SELECT obj_fetch_metadata(obj_make_ref('gs://bucket/a.png', NULL, '6', NULL)) AS f)")
	db.want("400", "SELECT f.details->'errors'->0->>'code' FROM (SELECT obj_fetch_metadata(obj_make_ref('gs://bucket/a.png', NULL, 'six', NULL)) AS f)")
	db.host.strict = false
	db.want("hello|hello|<nil>|<nil>", `SELECT object_bytes(obj_make_ref('gs://bucket/a.png')), object_bytes(obj_make_ref('gs://bucket/a.png', NULL, '7', NULL)),
		object_bytes(obj_make_ref('gs://bucket/a.png', NULL, '6', NULL)), object_bytes(obj_make_ref(NULL))`)
	db.want("hello", "SELECT object_bytes(ref) FROM "+Spec{Table: Table{URIs: []string{"gs://bucket/*"}}}.SQL())

	// Without a key nothing can be signed: the row says so, a signed_url column fails.
	db.want("true|400|OBJ.GET_ACCESS_URL|gs://bucket/a.png", `SELECT (j->'access_urls') IS NULL, j->'errors'->0->>'code', j->'errors'->0->>'source', j->'objectref'->>'uri'
		FROM (SELECT obj_get_access_url(`+made+`, 'r') AS j)`)
	db.want("true|true", "SELECT u.url IS NULL, u.status LIKE '%needs a service account''s key%' FROM (SELECT obj_get_read_url("+made+") AS u)")
	db.wantError("needs a service account's key", "SELECT object_signed_url('gs://bucket/a.png', NULL)")

	db.host.stores["gs"] = signingClient(t, s.URL)
	now := time.Now().Truncate(time.Second)
	db.r.cache.now = func() time.Time { return now }
	for q, want := range map[string]string{
		"'r', INTERVAL 45 MINUTE": now.Add(45 * time.Minute).UTC().Format("2006-01-02T15:04:05Z"),
		"'rw'":                    now.Add(6 * time.Hour).UTC().Format("2006-01-02T15:04:05Z"),
	} {
		rows, err := db.query("SELECT obj_get_access_url(" + made + ", " + q + ")::VARCHAR")
		var rt struct {
			Ref    map[string]any    `json:"objectref"`
			Access map[string]string `json:"access_urls"`
		}
		if err == nil {
			err = json.Unmarshal([]byte(rows[0]), &rt)
		}
		if err != nil || rt.Access["expiry_time"] != want || rt.Ref["authorizer"] != "us.conn" || (rt.Access["write_url"] != "") != (q == "'rw'") {
			t.Errorf("%v %v", rows, err)
		}
		if !strings.HasPrefix(rt.Access["read_url"], s.URL+"/bucket/a.png?X-Goog-") {
			t.Error(rt.Access["read_url"])
		}
	}
	db.want("true|<nil>|true", "SELECT regexp_extract(u.url, 'X-Goog-Expires=([0-9]+)&', 1)::INT BETWEEN 2000 AND 2700, u.status, object_signed_url('gs://bucket/a.png', 'c') LIKE '%/bucket/a.png?X-Goog-%' FROM (SELECT obj_get_read_url("+made+") AS u)")
	db.want("<nil>|<nil>|<nil>", "SELECT obj_get_access_url(NULL::STRUCT(uri VARCHAR, version VARCHAR, authorizer VARCHAR, details JSON), 'r'), obj_get_access_url("+made+", NULL), object_signed_url(NULL, 'c')")
	db.wantError("must be 'r' or 'rw'", "SELECT obj_get_access_url("+made+", 'w')")
	db.wantError("between 30 minutes and 6 hours", "SELECT obj_get_access_url("+made+", 'r', INTERVAL 7 HOUR)")
	db.wantError("between 30 minutes and 6 hours", "SELECT obj_get_access_url("+made+", 'r', INTERVAL 100000 YEAR)")

	dir := t.TempDir()
	name := filepath.Join(dir, "a b#.txt")
	if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	db.want("1|file://"+dir+"/a%20b%23.txt", "SELECT size, object_signed_url(uri, ref.authorizer) FROM "+Spec{Table: Table{URIs: []string{dir + "/*"}}}.SQL())
}

// signingClient has a service account's key, made up on the spot, and a token that the fake does not look at.
func signingClient(tb testing.TB, endpoint string) *gcs.Client {
	tb.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "token_uri": "http://127.0.0.1:1/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})),
	})
	if err != nil {
		tb.Fatal(err)
	}
	file := filepath.Join(tb.TempDir(), "key.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	c, err := gcs.New(context.Background(), gcs.Options{Auth: gcs.ServiceAccount, CredentialsFile: file, Endpoint: endpoint})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func FuzzRef(f *testing.F) {
	f.Add(`{"uri":"gs://b/o","details":{"size":1}}`)
	f.Add(`{"uri":null}`)
	f.Add("{\"uri\":\"\xff\"}")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseRef(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := parseRef(string(again)); err != nil || *p.URI != *o.URI {
			t.Fatalf("%q %q: %v", text, again, err)
		}
	})
}
