package wasm

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"

	"github.com/mallardml/mallard/internal/private"
)

// compiled gives the compiled form of the module in the file, and compiles it where the folder has none that will do.
func compiled(dir, file string, progress func(string)) (module, error) {
	name := filepath.Join(dir, moduleHash[:16]+"-"+runtimeVersion+"-"+runtime.GOARCH)
	unlock, err := private.Lock(name + ".lock") // two processes need not both compile
	if err != nil {
		return module{}, err
	}
	defer unlock()
	if private.Once(dir, name, func() error { return private.Whole(name) }) == nil {
		if m, err := load(name); err == nil {
			return m, nil // an error: it was compiled for another processor
		}
	}
	if progress != nil {
		progress("compiling GoogleSQL's analyzer, once on this machine: about half a minute")
	}
	if err := check(file, moduleHash); err != nil {
		return module{}, err
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		return module{}, err
	}
	if err := unshare(wasm); err != nil {
		return module{}, err
	}
	if err := compile(wasm, func(b []byte) error { return private.Write(name, bytes.NewReader(b)) }); err != nil {
		return module{}, err
	}
	return load(name)
}
