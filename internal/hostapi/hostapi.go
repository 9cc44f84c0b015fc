//go:build mallard_loadable

package hostapi

/*
#cgo CXXFLAGS: -std=c++17 -O2 -fvisibility=hidden -Wno-deprecated-declarations
#include "shim.h"
*/
import "C"

import "fmt"

// Name is the data source name of the host's database with a number that LOAD gave.
func Name(number uint64) string { return fmt.Sprintf("host:%d", number) }

// Forget drops the number of a database that is gone. Opening it fails from then on, and connecting to it does anyway.
func Forget(number uint64) { C.mallard_forget(C.uint64_t(number)) }
