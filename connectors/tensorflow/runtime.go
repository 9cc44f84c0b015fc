package tensorflow

// #cgo linux LDFLAGS: -ldl
// #include <stdlib.h>
// #include "tf.h"
import "C"

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"unsafe"
)

// oldest is the first release that we accept: string tensors have had their
// present layout since 2.4, and 2.12 is the first whose wheels hold libtensorflow_cc.
const oldestMajor, oldestMinor = 2, 12

// Runtime is the opened library; one per process.
type Runtime struct {
	lib Library

	ops struct {
		mu       sync.Mutex
		promoted bool
		loaded   map[string]string // digests by path
	}
}

var opened struct {
	mu sync.Mutex
	rt *Runtime
}

// Open opens the library, once per process: a later call gives the runtime that
// is open, whatever library it names, for TensorFlow cannot be unloaded.
func Open(l Library) (*Runtime, error) {
	opened.mu.Lock()
	defer opened.mu.Unlock()
	if opened.rt != nil {
		return opened.rt, nil
	}
	l, err := inProcess(l, loaded())
	if err != nil {
		return nil, err
	}
	framework, core := cstring(l.Framework), cstring(l.Core)
	defer C.free(unsafe.Pointer(framework))
	defer C.free(unsafe.Pointer(core))
	op := "open TensorFlow " + l.Core
	if msg := C.mtf_open(framework, core); msg != nil {
		return nil, &Error{Op: op, Msg: takeString(msg), Kind: errLibrary, Hint: howToGet}
	}
	l.Version = C.GoString(C.mtf_version())
	if err := checkVersion(l); err != nil {
		return nil, err
	}
	opened.rt = &Runtime{lib: l}
	return opened.rt, nil
}

func checkVersion(l Library) error {
	major, minor, ok := majorMinor(l.Version)
	if ok && (major > oldestMajor || major == oldestMajor && minor >= oldestMinor) {
		return nil
	}
	return &Error{Op: "open TensorFlow " + l.Core, Kind: errLibrary, Hint: howToGet,
		Msg: fmt.Sprintf("it is version %s, which is too old: Mallard needs %d.%d or newer", l.Version, oldestMajor, oldestMinor)}
}

// cstring gives NULL for "".
func cstring(s string) *C.char {
	if s == "" {
		return nil
	}
	return C.CString(s)
}

// takeString copies a malloc'd string and frees it.
func takeString(s *C.char) string {
	defer C.free(unsafe.Pointer(s))
	return C.GoString(s)
}

// take turns a helper's result into an error; it frees the message.
func (r *Runtime) take(op string, e C.mtf_err) error {
	if e.code == 0 {
		return nil
	}
	msg := ""
	if e.msg != nil {
		msg = takeString(e.msg)
	}
	return statusError(op, Code(e.code), msg)
}

// Version is TensorFlow's own version ("2.21.0").
func (r *Runtime) Version() string { return r.lib.Version }

// Library says what was opened.
func (r *Runtime) Library() Library { return r.lib }

// loadOps loads custom-op libraries, each once per process.
func (r *Runtime) loadOps(files []string) error {
	r.ops.mu.Lock()
	defer r.ops.mu.Unlock()
	for _, f := range files {
		path, err := filepath.Abs(f)
		if err == nil {
			path, err = filepath.EvalSymlinks(path)
		}
		if err != nil {
			return &Error{Op: "load custom ops " + f, Msg: "no such file", Kind: errLibrary, Hint: "Name the .so file of the op library"}
		}
		digest, err := OpsDigest(path)
		if err != nil {
			return err
		}
		if r.loadedOps(digest) {
			continue
		}
		if _, ok := r.ops.loaded[path]; ok {
			return &Error{Op: "load custom ops " + f, Msg: "the file was changed since this process loaded it, and TensorFlow cannot unload it",
				Kind: errLibrary,
				Hint: "Start Mallard again, or give the new library a name of its own"}
		}
		if err := r.promote(); err != nil {
			return err
		}
		cpath := C.CString(path)
		err = r.take("load custom ops "+f, C.mtf_load_library(cpath))
		C.free(unsafe.Pointer(cpath))
		if err != nil {
			return withHint(err, "The op library must be built for TensorFlow "+r.Version())
		}
		if r.ops.loaded == nil {
			r.ops.loaded = map[string]string{}
		}
		r.ops.loaded[path] = digest
	}
	return nil
}

// loadedOps reports whether a library of that content was loaded, from wherever; ops.mu is held.
func (r *Runtime) loadedOps(digest string) bool {
	for _, d := range r.ops.loaded {
		if d == digest {
			return true
		}
	}
	return false
}

// OpsDigest names a custom-op library by its content.
func OpsDigest(file string) (string, error) {
	op := "load custom ops " + file
	f, err := os.Open(file)
	if err != nil {
		return "", &Error{Op: op, Msg: "no such file", Kind: errLibrary, Hint: "Name the .so file of the op library"}
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", &Error{Op: op, Msg: err.Error(), Kind: errLibrary}
	}
	return "sha256-" + hex.EncodeToString(h.Sum(nil)), nil
}

// promote makes TensorFlow's symbols global, just before the first custom-op
// library: op libraries link against them, and with local symbols a second copy
// of protobuf would meet the first and abort the process.
func (r *Runtime) promote() error {
	if r.ops.promoted {
		return nil
	}
	framework, core := cstring(r.lib.Framework), cstring(r.lib.Core)
	defer C.free(unsafe.Pointer(framework))
	defer C.free(unsafe.Pointer(core))
	if msg := C.mtf_promote(framework, core); msg != nil {
		return &Error{Op: "load custom ops", Msg: takeString(msg), Kind: errLibrary}
	}
	r.ops.promoted = true
	return nil
}

// Live counts the handles of the C API that are open, by kind; all zero when every Session and Result is closed.
func Live() map[string]int64 {
	m := map[string]int64{}
	for kind, name := range map[C.int]string{C.MTF_TENSORS: "tensors", C.MTF_STATUSES: "statuses", C.MTF_BUFFERS: "string buffers",
		C.MTF_GRAPHS: "graphs", C.MTF_SESSIONS: "sessions", C.MTF_OPTIONS: "session options", C.MTF_CALLS: "call blocks"} {
		m[name] = int64(C.mtf_live(kind))
	}
	return m
}
