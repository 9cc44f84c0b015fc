package extension_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension"
)

// An object that cannot be read is NULL with a notice, or fails the statement where the configuration is strict.
func TestUnreadObjects(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("no image"), 0o600); err != nil {
		t.Fatal(err)
	}
	const q = "SELECT count(*), count(ml_decode_image(object_bytes(?::VARCHAR || n))) FROM (VALUES ('a.txt'), ('b.txt'), ('c.txt')) t(n)"
	var notices []string
	ctx := extension.WithNotices(context.Background(), func(s string) { notices = append(notices, s) })
	var all, images int
	cfg := mallard.DefaultConfig()
	if err := open(t, "", cfg).QueryRowContext(ctx, q, dir+"/").Scan(&all, &images); err != nil || all != 3 || images != 0 {
		t.Fatal(all, images, err)
	}
	want := "3 values are NULL, since objects could not be read or decoded: no image 1, not found 2. The first: file://" + dir
	if got := strings.Join(notices, "\n"); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	// The bytes of an object table have a name.
	notices = nil
	db := open(t, "", mallard.DefaultConfig())
	if _, err := db.ExecContext(ctx, "CREATE EXTERNAL TABLE o OPTIONS (object_metadata = 'SIMPLE', uris = ['"+dir+"/*'])"); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"ML.DECODE_IMAGE(data)", "ML.RESIZE_IMAGE(ML.DECODE_IMAGE(o.data), 2, 3, TRUE)"} {
		notices = nil
		if err := db.QueryRowContext(ctx, "SELECT count("+call+") FROM o").Scan(&images); err != nil || images != 0 {
			t.Fatal(images, err)
		}
		want := "1 value is NULL, since objects could not be read or decoded: no image 1. The first: file://" + dir + "/a.txt: not a JPEG, PNG or BMP image"
		if got := strings.Join(notices, "\n"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s\nwant %s", call, got, want)
		}
	}
	notices = nil
	cfg = mallard.DefaultConfig()
	cfg.Objects.Strict = true
	err := open(t, "", cfg).QueryRowContext(ctx, q, dir+"/").Scan(&all, &images)
	if err == nil || !strings.Contains(err.Error(), "not found; check the path") || len(notices) > 0 {
		t.Error(err, notices)
	}
}

// A file whose name is no text has no row, and the statement says so.
func TestSkippedObjects(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"a.txt", "caf\xe9.txt", "na\xefve.txt"} {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o600); err != nil {
			t.Skip("a file system of other names:", err)
		}
	}
	var notices []string
	ctx := extension.WithNotices(context.Background(), func(s string) { notices = append(notices, s) })
	var n int
	if err := open(t, "", mallard.DefaultConfig()).QueryRowContext(ctx, "SELECT count(*) FROM object_table([?::VARCHAR])", dir+"/*").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	want := `2 objects are left out, since a STRING must be UTF-8 and the name is not: rename the file. The first: "file://` + dir + `/caf\xe9.txt"`
	if got := strings.Join(notices, "\n"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// What every row would fail with fails the statement.
func TestNoStore(t *testing.T) {
	db := open(t, "", mallard.DefaultConfig())
	for q, want := range map[string]string{
		"SELECT object_bytes(obj_make_ref('gs://bucket/a', 'us.nowhere'))": "there is no connection `us.nowhere`",
		"SELECT object_signed_url('gs://bucket/a', 'nowhere')":             "there is no connection `nowhere`",
	} {
		if _, err := db.Exec(q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", q, err)
		}
	}
	if _, err := db.Exec("SET enable_external_access = false"); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"SELECT object_bytes('/etc/passwd')",
		"SELECT * FROM object_table(['/etc/*'])",
		"SELECT object_signed_url('/etc/passwd', NULL)",
	} {
		if _, err := db.Exec(q); err == nil || !strings.Contains(err.Error(), "enable_external_access is false") {
			t.Errorf("%s: %v", q, err)
		}
	}
	var details string
	if err := db.QueryRow("SELECT obj_fetch_metadata(obj_make_ref('/etc/passwd')).details::VARCHAR").Scan(&details); err != nil || !strings.Contains(details, `"errors":[{"code":400`) {
		t.Error(details, err)
	}
}

// TestGoneObjects: what an object table names may go after it was made; the query says which table it is.
func TestGoneObjects(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pictures")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db := open(t, "", mallard.DefaultConfig())
	exec(t, db, "CREATE SCHEMA demo", "CREATE EXTERNAL TABLE demo.later OPTIONS (object_metadata = 'SIMPLE', uris = ['"+dir+"/*.jpg'])")
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	_, err := db.ExecContext(t.Context(), "SELECT count(*) FROM demo.later")
	if want := "object table memory.demo.later: file://" + dir + "/: not found; check the path"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("err = %v\nwant %s", err, want)
	}
}
