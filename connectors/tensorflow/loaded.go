package tensorflow

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// loaded finds the folder of a TensorFlow that something else in the process has loaded, such as Python's package. Linux tells; elsewhere
// nothing is found. A second copy from another file ends the process: both register the same operations.
func loaded() string {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return ""
	}
	defer maps.Close()
	_, framework := names(runtime.GOOS)
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		if at := strings.IndexByte(lines.Text(), '/'); at >= 0 && filepath.Base(lines.Text()[at:]) == framework {
			return filepath.Dir(lines.Text()[at:])
		}
	}
	return ""
}

// inProcess gives the library to open: l, or the one that is loaded already.
func inProcess(l Library, dir string) (Library, error) {
	if dir == "" || dir == l.Dir {
		return l, nil
	}
	other, ok := at(dir)
	if !ok {
		return l, &Error{Op: "open TensorFlow " + l.Core, Kind: errLibrary, Hint: "CREATE MODEL in a process of its own",
			Msg: "this process has loaded another TensorFlow, from " + dir + ", which holds no library with TensorFlow's C API beside it"}
	}
	other.Source = "process"
	return other, nil
}
