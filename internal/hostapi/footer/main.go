// Command footer makes DuckDB extensions of a shared library: a copy for each version of DuckDB, with the footer that DuckDB reads.
//
//	go run ./internal/hostapi/footer -in build/mallard.so -out build/extension -version v0.1.0
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// The files that are made: DuckDB's from 1.5.6 on takes what keeps to its C API of that version; older ones take only what was made for
// just them.
var targets = []struct{ folder, duckdb, abi string }{
	{"v1.5.2", "v1.5.2", unstable},
	{"v1.5.3", "v1.5.3", unstable},
	{"v1.5.4", "v1.5.4", unstable},
	{"v1.5.5", "v1.5.5", unstable},
	{"v1.5.6+", "v1.5.6", stable},
}

const (
	stable   = "C_STRUCT"
	unstable = "C_STRUCT_UNSTABLE"
)

func main() {
	in := flag.String("in", "", "the shared library")
	out := flag.String("out", "", "the folder that gets a folder for each version")
	version := flag.String("version", "dev", "of Mallard")
	flag.Parse()
	if err := run(*in, *out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "footer:", err)
		os.Exit(1)
	}
}

func run(in, out, version string) error {
	library, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	for _, t := range targets {
		dir := filepath.Join(out, t.folder)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		name := filepath.Join(dir, "mallard.duckdb_extension")
		// A process that has the old file loaded keeps it.
		if err := os.WriteFile(name+".new", append(library[:len(library):len(library)], footer(t.duckdb, t.abi, version)...), 0o644); err != nil {
			return err
		}
		if err := os.Rename(name+".new", name); err != nil {
			return err
		}
		fmt.Println(name)
	}
	return nil
}

const field = 32 // bytes of each field of the footer

// footer is a section as WebAssembly has them, with eight fields, the first one last, and room for a signature.
func footer(duckdb, abi, version string) []byte {
	text := []byte("\x00\x93\x04\x10duckdb_signature\x80\x04")
	for _, s := range []string{"", "", "", abi, version, duckdb, runtime.GOOS + "_" + runtime.GOARCH, "4"} {
		text = append(text, append([]byte(s), make([]byte, field)...)[:field]...)
	}
	return append(text, make([]byte, 256)...)
}
