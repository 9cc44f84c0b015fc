//go:build mallard_loadable

package main

/*
#include <stdint.h>

extern char **environ;

static char *mallard_environ(int i) { return environ ? environ[i] : 0; }
*/
import "C"

import (
	"debug/buildinfo"
	"errors"
	"os"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/hostapi"
	"github.com/mallardml/mallard/internal/udf"
)

// mallardInit puts Mallard into a database of the host's.
//
//export mallardInit
func mallardInit(number C.uint64_t) *C.char {
	if err := load(uint64(number)); err != nil {
		return C.CString(err.Error())
	}
	return nil
}

func load(number uint64) (err error) {
	defer udf.Rescue(&err)
	if exe, err := os.Executable(); err == nil {
		if _, err := buildinfo.ReadFile(exe); err == nil {
			return errors.New("mallard does not load into a program written in Go: two runtimes of Go in one process are not supported. " +
				"Import github.com/mallardml/mallard there, whose databases have the same functions")
		}
	}
	if err := readEnvironment(); err != nil {
		return err
	}
	var cfg *mallard.Config
	if file := mallard.FindConfig(os.Getenv); file != "" {
		if cfg, err = mallard.LoadConfig(file); err != nil {
			return err
		}
	}
	_, err = extension.Host(hostapi.Name(number), cfg, func() { hostapi.Forget(number) })
	return err
}

// readEnvironment makes the environment what it is for the host now. Go reads that with which the process began, and Python's os.environ,
// say, has been changed since.
func readEnvironment() error {
	now := map[string]string{}
	for i := C.int(0); ; i++ {
		entry := C.mallard_environ(i)
		if entry == nil {
			break
		}
		if name, value, ok := strings.Cut(C.GoString(entry), "="); ok && name != "" {
			now[name] = value
		}
	}
	var errs []error
	for name, value := range now {
		if old, ok := os.LookupEnv(name); !ok || old != value {
			errs = append(errs, os.Setenv(name, value))
		}
	}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if _, ok := now[name]; !ok && name != "" {
			errs = append(errs, os.Unsetenv(name))
		}
	}
	return errors.Join(errs...)
}
