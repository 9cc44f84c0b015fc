package objecttable

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/localfs"
)

func files(tb testing.TB, m map[string]string) string {
	tb.Helper()
	dir := filepath.ToSlash(tb.TempDir())
	when := time.Date(2024, 2, 3, 4, 5, 6, 789000, time.UTC)
	for name, text := range m {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
		if err := os.Chtimes(p, when, when); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func TestScanLocal(t *testing.T) {
	dir := files(t, map[string]string{"a.jpg": "aaa", "b/c d's ü.txt": "hello", "b/e.txt": "x"})
	db := openDB(t, Options{})
	var want []string
	types := []string{
		"VARCHAR", "BIGINT", "VARCHAR", "BIGINT", "VARCHAR", "TIMESTAMP WITH TIME ZONE", `STRUCT("name" VARCHAR, "value" VARCHAR)[]`,
		`STRUCT(uri VARCHAR, "version" VARCHAR, authorizer VARCHAR, details JSON)`,
	}
	for i, c := range columnNames {
		want = append(want, c+"|"+types[i])
	}
	db.want(strings.Join(want, "\n"), "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM mallard_objects('"+dir+"/*'))")
	db.want(strings.ReplaceAll(`file://DIR/a.jpg|1706933106000789003|image/jpeg|3|R7zlx09Yn0hn29V+nKn4CA==|[]
file://DIR/b/c d's ü.txt|1706933106000789005|text/plain|5|XUFAKrxLKna5cZ2REBfFkg==|[]
file://DIR/b/e.txt|1706933106000789001|text/plain|1|ndTkYSaMgDT1yFZOFVxnpg==|[]`, "DIR", dir),
		"SELECT uri, generation, content_type, size, md5_hash, metadata::VARCHAR FROM (SELECT * REPLACE ("+LateMD5+") FROM mallard_objects('"+dir+"/*'))")
	db.want("1706933106000789|"+strings.ReplaceAll(`file://DIR/a.jpg|1706933106000789003|<nil>|{"gcs_metadata":{"content_type":"image/jpeg","size":3,"updated":1706933106000789}}`, "DIR", dir),
		"SELECT epoch_us(updated), ref.uri, ref.version, ref.authorizer, ref.details::VARCHAR FROM mallard_objects('"+dir+"/*.jpg')")
	db.want("3", "SELECT ref.details.gcs_metadata.size::VARCHAR FROM mallard_objects('"+dir+"/a.jpg')")
	db.want("3", "SELECT count(*) FROM mallard_objects('"+dir+"/*')")
	db.want("2", "SELECT count(*) FROM mallard_objects(?)", `["`+dir+`/b/*","`+dir+`/b/e*"]`)
	db.want("", "SELECT uri FROM mallard_objects('"+dir+"/none*')")
	db.want("file://"+dir+"/a.jpg|x", "SELECT uri, 'x' FROM mallard_objects('"+dir+"/*') LIMIT 1")
	db.wantError("not found", "SELECT uri FROM mallard_objects('"+dir+"/none')")
	db.wantError("more than one *", "SELECT uri FROM mallard_objects('"+dir+"/*/*')")
	db.wantError("its description is NULL", "SELECT uri FROM mallard_objects(NULL)")
	db.wantError("no store for gs://", "SELECT uri FROM mallard_objects('gs://bucket/*')")
	spec := Spec{Table: Table{URIs: []string{dir + "/*"}, Authorizer: "it's"}}
	db.want("it's|aaa\nit's|hello\nit's|x", "SELECT ref.authorizer, object_bytes(uri, generation, ref.authorizer) FROM "+spec.SQL())
}

// opened counts the files that are read.
type opened struct {
	localfs.FS
	n atomic.Int64
}

func (o *opened) Open(ctx context.Context, bucket, name string, generation, offset int64) (io.ReadCloser, int64, error) {
	o.n.Add(1)
	return o.FS.Open(ctx, bucket, name, generation, offset)
}

// Files are hashed for the rows that are left, and only where md5_hash is asked for.
func TestLateMD5(t *testing.T) {
	many := map[string]string{}
	for i := range 3000 {
		many[fmt.Sprintf("f%04d.jpg", i)] = strings.Repeat("x", i%10)
	}
	dir := files(t, many)
	db := openDB(t, Options{})
	store := &opened{}
	db.host.stores["file"] = store
	for _, spec := range []Spec{{Table: Table{URIs: []string{dir + "/*"}}}, {Name: "kept", Table: Table{URIs: []string{dir + "/*"}, MaxStaleness: 3600, CacheMode: "AUTOMATIC"}}} {
		table := "(SELECT * REPLACE (" + LateMD5 + ") FROM " + spec.SQL() + ")"
		for _, tt := range []struct {
			want, query string
			reads       int64
		}{
			// printf '' | openssl md5 -binary | base64, and so for x and xxx
			{"1B2M2Y8AsgTpgAmY7PhCfg==", "SELECT md5_hash FROM %s WHERE uri LIKE '%%f0010.jpg'", 1},
			{"ndTkYSaMgDT1yFZOFVxnpg==|ndTkYSaMgDT1yFZOFVxnpg==", "SELECT md5_hash, md5_hash FROM %s WHERE uri LIKE '%%f0011.jpg'", 1},
			{"5", "SELECT count(md5_hash) FROM (SELECT * FROM %s LIMIT 5)", 5},
			{"300", "SELECT count(*) FROM %s WHERE size = 3 AND md5_hash = '9WGq9u8L8U1CCLtGpMyzrQ=='", 300},
			{"3000", "SELECT count(*) FROM %s", 0},
			{"3000", "SELECT count(ref) FROM %s", 0},
			{"13500", "SELECT sum(size) FROM %s", 0},
		} {
			store.n.Store(0)
			db.want(tt.want, fmt.Sprintf(tt.query, table))
			if n := store.n.Load(); n != tt.reads {
				t.Errorf("%s read %d files, want %d", tt.query, n, tt.reads)
			}
		}
	}
	// It was replaced since it was listed, as one of a listing that is kept may be.
	db.want("<nil>", "SELECT object_md5('"+dir+"/f0001.jpg', 5, NULL)")
	if got := db.host.noted(); !strings.Contains(got, "changed: ") {
		t.Error(got)
	}
	db.want("given|<nil>|<nil>", "SELECT object_md5('"+dir+"/f0001.jpg', 5, 'given'), object_md5('gs://bucket/composed', 5, NULL), object_md5(NULL, 5, NULL)")
}

func TestBytes(t *testing.T) {
	dir := files(t, map[string]string{"a": "aaa", "b": "", "c": strings.Repeat("c", 50)})
	db := openDB(t, Options{MaxObject: 40})
	db.want("aaa", "SELECT object_bytes('"+dir+"/a')")
	db.want("0", "SELECT octet_length(object_bytes('"+dir+"/b', NULL))")
	db.want("<nil>", "SELECT object_bytes(NULL)")
	db.want("<nil>", "SELECT object_bytes('"+dir+"/a', 5)")
	if got := db.host.noted(); !strings.Contains(got, "changed: ") {
		t.Error(got)
	}
	db.want("aaa\n\n<nil>\n<nil>\n<nil>", "SELECT object_bytes(u) FROM (VALUES ('"+dir+"/a'), ('"+dir+"/b'), ('"+dir+"/c'), ('"+dir+"/none'), ('s3://x/y')) t(u)")
	got := db.host.noted()
	for _, want := range []string{"too large: file://" + dir + "/c: too large: 50 bytes, the limit is 40", "not found: ", "failed: s3://x/y: objects of s3:// cannot be read"} {
		want = strings.ReplaceAll(want, "file://", "")
		if !strings.Contains(got, want) {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	db.host.strict = true
	db.wantError("not found", "SELECT object_bytes('"+dir+"/none')")
	if db.host.failed == nil || !strings.Contains(db.host.failed.Error(), "object_bytes: ") {
		t.Error(db.host.failed)
	}
}

// Decoding makes much of little files, so that images come in smaller chunks than their bytes alone allow.
func TestChunksOfImages(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int64
		want int
	}{
		{"a.txt", 40_000, 838}, {"a.jpg", 40_000, 52}, {"a.PNG", 40_000, 52}, {"a.jpeg", 1_000_000, 16}, {"a.bmp", 5_000_000, 6}, {"a.bin", 5_000_000, 6},
		{"a.jpg", 100, 2048}, {"a.jpg", 90_000_000, 1}, {"a.jpg", 0, 2048},
	} {
		pages := make(chan []Object)
		close(pages)
		s := &scan{boundScan: &boundScan{r: New(nil, Options{})}, rest: slices.Repeat([]Object{{URI: "gs://b/" + tt.name, Size: tt.size}}, 3000), pages: pages}
		if got := len(s.take(true)); got != tt.want {
			t.Errorf("%d objects like %s of %d bytes in a chunk, want %d", got, tt.name, tt.size, tt.want)
		}
	}
}
