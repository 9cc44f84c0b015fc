package tensorflow

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/install"
)

// place puts an empty library into a folder.
func place(t *testing.T, dir string, name string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func coreName() string { c, _ := names(runtime.GOOS); return c[0] }

// TestFind goes down the search order, one place at a time.
func TestFind(t *testing.T) {
	root := t.TempDir()
	cache := filepath.Join(root, "cache")
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", root)
	t.Setenv("PATH", filepath.Join(root, "bin"))
	t.Setenv("LD_LIBRARY_PATH", filepath.Join(root, "system"))
	t.Setenv(envLibrary, "")
	if runtime.GOOS != "linux" {
		t.Skip("the folders of this test are Linux's")
	}
	want := func(o FindOptions, source, dir, version string) {
		t.Helper()
		l, err := Find(o)
		if err != nil || l.Source != source || l.Dir != dir || l.Version != version || filepath.Dir(l.Core) != dir {
			t.Errorf("Find = %+v, %v; want %s in %s", l, err, source, dir)
		}
	}
	if l, err := Find(FindOptions{}); err == nil {
		t.Skipf("this machine has a system-wide library: %s", l.Core)
	} else if !errors.Is(err, errNoLibrary) || !strings.Contains(err.Error(), "Python (not installed)") || !strings.Contains(err.Error(), "mallard doctor -install") ||
		!strings.Contains(err.Error(), filepath.Join(cache, "mallard", "tensorflow")) {
		t.Errorf("nothing there: %v", err)
	}
	system := place(t, filepath.Join(root, "system"), "libtensorflow.so.2")
	want(FindOptions{}, "system", system, "")

	python := place(t, filepath.Join(root, "py", "tensorflow"), coreName())
	place(t, filepath.Join(root, "bin"), "python3")
	exe := filepath.Join(root, "bin", "python3")
	if err := os.WriteFile(exe, []byte("#!/bin/sh\necho "+python+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(exe, 0o755); err != nil {
		t.Fatal(err)
	}
	want(FindOptions{}, "python", python, "")
	want(FindOptions{NoPython: true}, "system", system, "")

	place(t, filepath.Join(cache, "mallard", "tensorflow", "2.9.1"), coreName())
	place(t, filepath.Join(cache, "mallard", "tensorflow", ".fetch-1"), coreName())
	newest := place(t, filepath.Join(cache, "mallard", "tensorflow", "2.21.0"), coreName())
	want(FindOptions{}, "cache", newest, "2.21.0")

	env := place(t, filepath.Join(root, "env"), coreName())
	t.Setenv(envLibrary, env)
	want(FindOptions{}, envLibrary, env, "")
	t.Setenv(envLibrary, filepath.Join(env, coreName()))
	want(FindOptions{}, envLibrary, env, "")

	named := place(t, filepath.Join(root, "named"), coreName())
	want(FindOptions{Path: named}, "configuration", named, "")
	if _, err := Find(FindOptions{Path: root}); !errors.Is(err, errNoLibrary) || !strings.Contains(err.Error(), "configuration says "+root) {
		t.Errorf("a named folder without a library: %v", err)
	}
}

// TestInstallPlace: what the installer fetches is found.
func TestInstallPlace(t *testing.T) {
	root := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", root)
	t.Setenv("HOME", root)
	t.Setenv(envLibrary, "")
	p, err := install.Lookup("tensorflow")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := p[0].Dir()
	if err != nil {
		t.Fatal(err)
	}
	place(t, dir, coreName())
	if l, err := Find(FindOptions{}); err != nil || l.Dir != dir || l.Source != "cache" || l.Version != install.Version {
		t.Errorf("Find = %+v, %v; want %s", l, err, dir)
	}
}

func TestNames(t *testing.T) {
	if cores, framework := names("darwin"); cores[0] != "libtensorflow_cc.2.dylib" || framework != "libtensorflow_framework.2.dylib" {
		t.Error(cores, framework)
	}
}

// TestOpenFails: libraries that are none, lack functions or are too old, each in a process of its own.
func TestOpenFails(t *testing.T) {
	if path := os.Getenv("MALLARD_TEST_OPEN"); path != "" {
		_, err := Open(Library{Dir: filepath.Dir(path), Core: path})
		if !errors.Is(err, errLibrary) {
			t.Fatalf("err = %v", err)
		}
		t.Logf("%v", err)
		return
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Fatal("gcc is needed, as for building this package")
	}
	source, err := os.ReadFile("tf.c")
	if err != nil {
		t.Fatal(err)
	}
	old := "const char *TF_Version(void) { return \"1.15.0\"; }\n"
	for _, line := range strings.Split(string(source), "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), `{"TF_`); ok && !strings.HasPrefix(name, "Version") {
			name, _, _ = strings.Cut(name, `"`)
			old += "void TF_" + name + "(void) {}\n"
		}
	}
	tests := []struct{ name, source, want string }{
		{"no library", "", "file too short"},
		{"another library", "int quack(void) { return 1; }\n", "it lacks the C API function TF_Version"},
		{"too old", old, "it is version 1.15.0, which is too old: Mallard needs 2.12 or newer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			so := filepath.Join(t.TempDir(), "libtensorflow.so.2")
			if tt.source == "" {
				place(t, filepath.Dir(so), filepath.Base(so))
			} else {
				c := filepath.Join(t.TempDir(), "fake.c")
				if err := os.WriteFile(c, []byte(tt.source), 0o644); err != nil {
					t.Fatal(err)
				}
				if out, err := exec.Command(gcc, "-shared", "-fPIC", "-o", so, c).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestOpenFails$", "-test.v")
			cmd.Env = append(os.Environ(), "MALLARD_TEST_OPEN="+so)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), tt.want) || !strings.Contains(string(out), "mallard doctor -install") {
				t.Errorf("%v: %s\nwant %q and advice", err, out, tt.want)
			}
		})
	}
}
