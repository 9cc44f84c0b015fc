//go:build mallard_loadable

package main

/*
#include <stdint.h>
*/
import "C"

import (
	"debug/buildinfo"
	"errors"
	"os"

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
	var cfg *mallard.Config
	if file := mallard.FindConfig(os.Getenv); file != "" {
		if cfg, err = mallard.LoadConfig(file); err != nil {
			return err
		}
	}
	_, err = extension.Host(hostapi.Name(number), cfg, func() { hostapi.Forget(number) })
	return err
}
