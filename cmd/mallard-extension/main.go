// Command mallard-extension is Mallard as a loadable extension of DuckDB: a shared library, which `make extension` builds.
package main

import (
	"fmt"
	"os"
)

// main runs in a program only; a host has its own.
func main() {
	fmt.Fprintln(os.Stderr, "mallard-extension is a library for DuckDB's LOAD: make extension builds it")
	os.Exit(2)
}
