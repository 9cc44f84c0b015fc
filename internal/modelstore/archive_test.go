package modelstore

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/modelspec"
)

// entry is one of a hand-made archive.
type entry struct {
	name, link string
	kind       byte
	content    string
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Typeflag: e.kind, Name: e.name, Linkname: e.link, Size: int64(len(e.content)), Mode: 0o644}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func head(t testing.TB, a Archived) entry {
	t.Helper()
	if a.Format == "" {
		a.Format = archiveFormat
	}
	if a.Digest == "" {
		a.Digest = "sha256-" + strings.Repeat("0", 64)
	}
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return entry{name: archiveHead, content: string(b)}
}

// TestArchive: what is written is read, with its options; and a store that had nothing has the model's entry.
func TestArchive(t *testing.T) {
	from, to := Store{t.TempDir()}, Store{t.TempDir()}
	dir := t.TempDir()
	for name, content := range map[string]string{"saved_model.pb": "graph", "variables/variables.index": "", "assets/a b.txt": "words"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	digest, err := Digest(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.Put(ctx, dir, digest); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "m.mallard")
	spec := &modelspec.Spec{Type: "TENSORFLOW", Digest: digest, Signature: "serve", Outputs: []modelspec.Port{{Name: "o", Binary: true}}}
	if err := from.Archive(ctx, spec, file); err != nil {
		t.Fatal(err)
	}
	got, a, done, err := to.Unpack(ctx, file)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Digest(ctx, got); err != nil || again != digest || a.Signature != "serve" || strings.Join(a.Outputs, ",") != "o BYTES" {
		t.Errorf("digest %s (%v) and %+v; the digest was %s", again, err, a, digest)
	}
	done()
	if left, err := filepath.Glob(filepath.Join(to.Dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 100, 600, len(whole) - 2000} {
		if err := os.WriteFile(file, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := to.Unpack(ctx, file); err == nil {
			t.Errorf("an archive of %d of %d bytes was taken", n, len(whole))
		}
	}
}

// TestHostileArchives: nothing of them is written outside of the store, nothing stays in it, and each is refused for what it is.
func TestHostileArchives(t *testing.T) {
	f := func(name string, size int64) []ArchivedFile { return []ArchivedFile{{name, size}} }
	for _, tt := range []struct {
		name, err string
		entries   []entry
	}{
		{"nothing", "no archive", nil},
		{"another tar", "no archive", []entry{{name: "README", content: "x"}}},
		{"no JSON", "record cannot be read", []entry{{name: archiveHead, content: "{"}}},
		{"another format", "format", []entry{head(t, Archived{Format: "mallard-model/2"})}},
		{"digest is a path", "digest", []entry{head(t, Archived{Digest: "../../etc"})}},
		{"above", "belongs into no", []entry{head(t, Archived{Files: f("../x", 1)}), {name: "files/../x", content: "x"}}},
		{"absolute", "belongs into no", []entry{head(t, Archived{Files: f("/etc/x", 1)}), {name: "files//etc/x", content: "x"}}},
		{"inside and above", "belongs into no", []entry{head(t, Archived{Files: f("a/../../x", 1)}), {name: "files/a/../../x", content: "x"}}},
		{"drive", "belongs into no", []entry{head(t, Archived{Files: f("C:x", 1)}), {name: "files/C:x", content: "x"}}},
		{"backslash", "belongs into no", []entry{head(t, Archived{Files: f(`..\x`, 1)}), {name: `files/..\x`, content: "x"}}},
		{"the folder", "belongs into no", []entry{head(t, Archived{Files: f(".", 1)}), {name: "files/.", content: "x"}}},
		{"negative size", "belongs into no", []entry{head(t, Archived{Files: f("x", -1)})}},
		{"link", "is not the file", []entry{head(t, Archived{Files: f("x", 0)}), {name: "files/x", kind: tar.TypeSymlink, link: "/etc/passwd"}}},
		{"hard link", "is not the file", []entry{head(t, Archived{Files: f("x", 0)}), {name: "files/x", kind: tar.TypeLink, link: "files/y"}}},
		{"device", "is not the file", []entry{head(t, Archived{Files: f("x", 0)}), {name: "files/x", kind: tar.TypeChar}}},
		{"another size", "is not the file", []entry{head(t, Archived{Files: f("x", 2)}), {name: "files/x", content: "x"}}},
		{"another name", "is not the file", []entry{head(t, Archived{Files: f("x", 1)}), {name: "files/y", content: "x"}}},
		{"missing", "missing", []entry{head(t, Archived{Files: f("x", 1)})}},
		{"more", "not in its record", []entry{head(t, Archived{Files: f("x", 1)}), {name: "files/x", content: "x"}, {name: "files/y", content: "y"}}},
		{"twice", "exist", []entry{head(t, Archived{Files: append(f("x", 1), f("x", 1)...)}), {name: "files/x", content: "x"},
			{name: "files/x", content: "y"}}},
		{"a file and a folder", "", []entry{head(t, Archived{Files: append(f("x", 1), f("x/y", 1)...)}), {name: "files/x", content: "x"},
			{name: "files/x/y", content: "y"}}},
		{"other content", "digest", []entry{head(t, Archived{Files: f("x", 1)}), {name: "files/x", content: "x"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Store{filepath.Join(t.TempDir(), "store")}
			file := filepath.Join(t.TempDir(), "m.mallard")
			if err := os.WriteFile(file, archive(t, tt.entries...), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := s.Unpack(context.Background(), file); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v; want an error with %q", err, tt.err)
			}
			if left, err := filepath.Glob(filepath.Join(filepath.Dir(s.Dir), "*", "*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, head(f, Archived{Files: []ArchivedFile{{"x", 1}}}), entry{name: "files/x", content: "x"}))
	f.Add(archive(f, entry{name: archiveHead, content: "{}"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "m.mallard")
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Skip(err)
		}
		_, _, done, _ := Store{filepath.Join(dir, "store")}.Unpack(context.Background(), file)
		done()
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 2 {
			t.Errorf("written outside of the store: %v %v", left, err)
		}
	})
}
