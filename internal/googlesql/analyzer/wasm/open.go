// Package wasm runs Google's GoogleSQL service in a sandbox: a build of its sources to WebAssembly, of the PyPI package
// zetasql, by wasmtime, of the PyPI package wasmtime, whose library is opened when it is first needed.
//
// Nothing in a statement can crash the process: what would be a crash ends the sandbox, which is made anew. Time and memory
// of a call are bounded. [Open] compiles the module once on a machine, which takes half a minute.
package wasm

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/mallardml/mallard/internal/private"
)

// Files is where the engine's files are.
type Files struct {
	Module   string // zetasql.wasm
	Runtime  string // wasmtime's library
	Zoneinfo string // folder of time zones
	Cache    string // folder for the compiled module, made if need be; other users must not be able to write there
}

var (
	mu     sync.Mutex
	opened = map[Files]*Service{}
)

// Open gives the service; one and the same for the same files. progress is told when a compilation begins, which takes half
// a minute; it may be nil.
func Open(f Files, progress func(string)) (*Service, error) {
	mu.Lock()
	defer mu.Unlock()
	if s := opened[f]; s != nil {
		return s, nil
	}
	s, err := open(f, progress)
	if err != nil {
		return nil, err
	}
	opened[f] = s
	return s, nil
}

func open(f Files, progress func(string)) (*Service, error) {
	if st, err := os.Stat(filepath.Join(f.Zoneinfo, "UTC")); err != nil || !st.Mode().IsRegular() {
		return nil, fmt.Errorf("GoogleSQL's time zones: there is no file UTC in %s", f.Zoneinfo)
	}
	if err := private.Folder(f.Cache); err != nil {
		return nil, fmt.Errorf("GoogleSQL's analyzer: %w", err)
	}
	err := private.Once(f.Cache, f.Runtime, func() error { return check(f.Runtime, runtimeHashes...) })
	if err == nil {
		err = openRuntime(f.Runtime)
	}
	if err != nil {
		return nil, fmt.Errorf("GoogleSQL's runtime: %w", err)
	}
	m, err := compiled(f.Cache, f.Module, progress)
	if err != nil {
		return nil, fmt.Errorf("GoogleSQL's module: %w", err)
	}
	s := newService(m, f.Zoneinfo)
	in, err := s.start() // what is wrong with it shows here
	if err != nil {
		return nil, err
	}
	s.idle = append(s.idle, in)
	return s, nil
}

// unshare gives the module a memory of its own in place of a shared one, which wasmtime neither limits nor lets us reach.
func unshare(wasm []byte) error {
	shared := []byte{5, 7, 1, 3, 0xc1, 1, 0x80, 0x80, 4} // the section: one memory, shared, of 193 to 65,536 pages
	i := bytes.Index(wasm, shared)
	if i < 0 {
		return errors.New("its memory is not declared as expected")
	}
	wasm[i+3] = 1 // not shared
	return nil
}
