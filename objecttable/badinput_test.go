package objecttable

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/connectors/gcs/gcstest"
)

// names are legal names of objects, and all but the first two of files.
var names = []string{"../b.txt", "a/../c.txt", "a b.txt", "it's \"quoted\".txt", "Straße/Größe 東京 🦆.txt", "e\u0301.txt", "100%25.txt", "[x]?{y}.txt", "a\\b.txt", "#?&=+.txt", "star*.txt", "-- x; DROP TABLE t.txt", ".hidden.txt", strings.Repeat("n", 200) + ".txt"}

func TestNames(t *testing.T) {
	db := openDB(t, Options{})
	var objects []gcstest.Object
	dir := t.TempDir()
	for i, n := range names {
		objects = append(objects, gcstest.Object{Bucket: "bucket", Name: "n/" + n, Content: []byte(n)})
		if i < 2 {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(n), 0o600); err != nil {
			t.Skip("a file system of other names:", err)
		}
	}
	db.bucket(objects...)
	for root, want := range map[string]int{"gs://bucket/n": len(names), "file://" + dir: len(names) - 2} {
		spec := Spec{Table: Table{URIs: []string{root + "/*"}}}
		var n, same, again, stat int
		row := db.QueryRow("SELECT count(*), count(*) FILTER (CAST(? || '/' || decode(object_bytes(uri, generation)) AS VARCHAR) = uri), count(*) FILTER (octet_length(object_bytes(uri)) = size), count(*) FILTER (obj_fetch_metadata(obj_make_ref(uri)).version = generation::VARCHAR) FROM "+spec.SQL(), root)
		if err := row.Scan(&n, &same, &again, &stat); err != nil || n != want || same != want || again != want || stat != want {
			t.Errorf("%s: %d objects, of %d the bytes, of %d without generation, of %d the metadata: %v", root, n, same, again, stat, err)
		}
		for _, name := range names[2:] {
			if strings.Contains(name, "*") {
				continue
			}
			if got := db.one("SELECT count(*) FROM " + Spec{Table: Table{URIs: []string{root + "/" + name}}}.SQL()); got != "1" {
				t.Errorf("%s/%s: %s", root, name, got)
			}
		}
	}
	if got := db.host.noted(); got != "" {
		t.Error(got)
	}
	db.wantError("more than one *", "SELECT * FROM mallard_objects('gs://bucket/*/a*')")
	db.wantError("may not stand in the bucket's name", "SELECT * FROM mallard_objects('gs://buck*/a')")
	db.wantError("not found", "SELECT * FROM mallard_objects('gs://bucket/n/nothing.txt')")
	db.want("0", "SELECT count(*) FROM mallard_objects('gs://bucket/nothing/*')")
	db.wantError("not found", "SELECT * FROM mallard_objects('"+dir+"/nothing/*')")
	db.want("0", "SELECT count(*) FROM mallard_objects('"+dir+"/nothing*')")
}

// A name in Latin-1 is left out, and hides no other file.
func TestNamesThatAreNoText(t *testing.T) {
	db := openDB(t, Options{})
	dir := t.TempDir()
	for _, n := range []string{"a.txt", "caf\xe9.txt", "caf\xe9/inside.txt", "z.txt"} {
		file := filepath.Join(dir, n)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Skip("a file system of other names:", err)
		}
		if err := os.WriteFile(file, []byte(n), 0o600); err != nil {
			t.Skip("a file system of other names:", err)
		}
	}
	db.want("a.txt\nz.txt", "SELECT decode(object_bytes(uri)) FROM mallard_objects('"+dir+"/*')")
	want := "skipped \"file://" + dir + `/caf\xe9.txt"` + "\nskipped \"file://" + dir + `/caf\xe9/inside.txt"`
	if got := db.host.noted(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	db.host.strict = true
	db.wantError(`/caf\xe9.txt" is not UTF-8, as a STRING must be`, "SELECT uri FROM mallard_objects('"+dir+"/*')")
}

// Images that are none, or hostile, are NULL with a note; unusual ones are decoded. The sizes are those in
// ../internal/image/testdata/make.py.
func TestUnusualImages(t *testing.T) {
	db := openDB(t, Options{})
	read := func(name string) []byte {
		b, err := os.ReadFile("../internal/image/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	jpeg := read("photo420.jpg")
	var objects []gcstest.Object
	for name, b := range map[string][]byte{
		"empty.jpg": nil, "text.jpg": []byte("no image"), "cut.jpg": jpeg[:len(jpeg)/2], "head.jpg": jpeg[:20], "cut.png": read("photo.png")[:1000],
		"bomb.png": read("bomb.png"), "alpha.png": read("alpha.png"), "deep.png": read("deep.png"), "cmyk.jpg": read("cmyk.jpg"), "rotated.jpg": read("rotated.jpg"),
	} {
		objects = append(objects, gcstest.Object{Bucket: "bucket", Name: "i/" + name, Content: b})
	}
	db.bucket(objects...)
	db.want("alpha.png|true\nbomb.png|false\ncmyk.jpg|true\ncut.jpg|false\ncut.png|false\ndeep.png|true\nempty.jpg|false\nhead.jpg|false\nrotated.jpg|true\ntext.jpg|false",
		"SELECT uri[length('gs://bucket/i/') + 1:], ml_image_struct(ml_decode_image(object_bytes(uri, generation)))._field_1[3] = 3 IS TRUE FROM mallard_objects('gs://bucket/i/*')")
	if got := db.host.noted(); strings.Count(got, "\n") != 5 || !strings.Contains(got, "too large") {
		t.Errorf("%s", got)
	}
	db.host.strict = true
	db.wantError("the image is too large", "SELECT ml_decode_image(object_bytes('gs://bucket/i/bomb.png'))")
}
