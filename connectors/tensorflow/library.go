package tensorflow

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"
)

// envLibrary names the environment variable that points to the library.
const envLibrary = "MALLARD_TENSORFLOW"

const howToGet = "Run `mallard doctor -install`, which fetches it, or `pip install tensorflow-cpu`, or point " + envLibrary +
	" (configuration: tensorflow.library) to the folder that holds the library; `mallard doctor` shows what is found"

// FindOptions says where to look first.
type FindOptions struct {
	Path     string // from the configuration: a library file or the folder that holds it
	NoPython bool   // do not ask an installed Python
}

// Library is a TensorFlow library on disk.
type Library struct {
	Dir       string
	Core      string // file to open: libtensorflow_cc.so.2 or libtensorflow.so.2
	Framework string // libtensorflow_framework.so.2 beside it, "" where there is none
	Source    string // where it was found: "configuration", "MALLARD_TENSORFLOW", "cache", "python", "system", "process" (loaded already)
	Version   string // "" until opened, when the folder does not tell
}

// names gives the file names of the two libraries. TensorFlow's wheels hold
// tensorflow_cc, Google's C archives (and Homebrew) tensorflow; both export the C API.
// Linux on x86-64 is what we test; the macOS names are those of the wheels and
// of Homebrew, not tried by us; arm64 has the same names as x86-64.
func names(goos string) (cores []string, framework string) {
	if goos == "darwin" {
		return []string{"libtensorflow_cc.2.dylib", "libtensorflow.2.dylib"}, "libtensorflow_framework.2.dylib"
	}
	return []string{"libtensorflow_cc.so.2", "libtensorflow.so.2"}, "libtensorflow_framework.so.2"
}

// Find looks for the library: configuration, MALLARD_TENSORFLOW, our cache
// folder, an installed Python tensorflow, the system's library folders. A place
// that the user named is not passed over when it holds no library.
func Find(o FindOptions) (Library, error) {
	for _, named := range []struct{ path, source string }{{o.Path, "configuration"}, {os.Getenv(envLibrary), envLibrary}} {
		if named.path == "" {
			continue
		}
		if l, ok := at(named.path); ok {
			l.Source = named.source
			return l, nil
		}
		cores, _ := names(runtime.GOOS)
		return Library{}, &Error{Op: "find TensorFlow", Kind: errNoLibrary, Hint: howToGet,
			Msg: fmt.Sprintf("%s says %s, where there is no %s", named.source, named.path, strings.Join(cores, " or "))}
	}
	var looked []string
	if cache, err := os.UserCacheDir(); err == nil {
		root := filepath.Join(cache, "mallard", "tensorflow")
		looked = append(looked, root)
		for _, v := range versions(root) {
			if l, ok := at(filepath.Join(root, v)); ok {
				l.Source, l.Version = "cache", v
				return l, nil
			}
		}
	}
	if !o.NoPython {
		dir, note := pythonDir()
		if dir != "" {
			if l, ok := at(dir); ok {
				l.Source = "python"
				return l, nil
			}
			note = dir
		}
		looked = append(looked, note)
	}
	for _, dir := range systemDirs() {
		if l, ok := at(dir); ok {
			l.Source = "system"
			return l, nil
		}
	}
	looked = append(looked, "the system's library folders")
	return Library{}, &Error{Op: "find TensorFlow", Kind: errNoLibrary, Hint: howToGet,
		Msg: "the library is not installed; looked in " + strings.Join(looked, ", ")}
}

// at finds the library in a folder, or takes a library file.
func at(path string) (Library, bool) {
	cores, framework := names(runtime.GOOS)
	dir := path
	if st, err := os.Stat(path); err != nil {
		return Library{}, false
	} else if !st.IsDir() {
		dir = filepath.Dir(path)
		cores = []string{filepath.Base(path)}
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs // dlopen looks for a name without a slash elsewhere
	}
	for _, name := range cores {
		core := filepath.Join(dir, name)
		if !isFile(core) {
			continue
		}
		l := Library{Dir: dir, Core: core}
		if f := filepath.Join(dir, framework); isFile(f) {
			l.Framework = f
		}
		return l, true
	}
	return Library{}, false
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// versions lists the folders of root that are named like a version, newest first.
func versions(root string) []string {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	var vs []string
	for _, e := range entries {
		if _, _, ok := majorMinor(e.Name()); ok {
			vs = append(vs, e.Name())
		}
	}
	sort.Slice(vs, func(i, j int) bool { return newer(vs[i], vs[j]) })
	return vs
}

func newer(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; i < len(as) && i < len(bs); i++ {
		x, _ := strconv.Atoi(as[i])
		y, _ := strconv.Atoi(bs[i])
		if x != y {
			return x > y
		}
	}
	return len(as) > len(bs)
}

func majorMinor(v string) (major, minor int, ok bool) {
	parts := strings.Split(v, ".")
	if len(parts) < 2 {
		return 0, 0, false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return major, minor, err1 == nil && err2 == nil
}

// pythonTimeout bounds the question to Python: a slow network home must not hang a query.
const pythonTimeout = 10 * time.Second

// pythonDir asks Python where its tensorflow lies, without importing it (which takes seconds).
func pythonDir() (dir, note string) {
	const ask = "import importlib.util as u\ns = u.find_spec('tensorflow')\nprint(list(s.submodule_search_locations)[0] if s and " +
		"s.submodule_search_locations else '')"
	ctx, cancel := context.WithTimeout(context.Background(), pythonTimeout)
	defer cancel()
	for _, py := range []string{"python3", "python"} {
		exe, err := exec.LookPath(py)
		if err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, exe, "-c", ask)
		cmd.WaitDelay = time.Second
		out, err := cmd.Output()
		if err != nil {
			return "", exe + " (which failed)"
		}
		return strings.TrimSpace(string(out)), exe + " (which has no tensorflow)"
	}
	return "", "Python (not installed)"
}

func systemDirs() []string {
	dirs := filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))
	if runtime.GOOS == "darwin" {
		dirs = append(filepath.SplitList(os.Getenv("DYLD_LIBRARY_PATH")), "/opt/homebrew/lib")
	}
	dirs = append(dirs, "/usr/local/lib", "/usr/lib64", "/usr/lib")
	switch runtime.GOARCH {
	case "amd64":
		dirs = append(dirs, "/usr/lib/x86_64-linux-gnu")
	case "arm64":
		dirs = append(dirs, "/usr/lib/aarch64-linux-gnu")
	}
	var named []string
	for _, d := range dirs {
		if d != "" { // an empty entry would mean the working directory
			named = append(named, d)
		}
	}
	return named
}
