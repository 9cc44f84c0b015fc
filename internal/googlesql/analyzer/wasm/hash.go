package wasm

import (
	"fmt"
	"slices"

	"github.com/mallardml/mallard/internal/private"
)

// moduleHash is the sha256 sum of zetasql/wasi/zetasql.wasm of zetasql 0.1.5.
const moduleHash = "00135b44fe391fa8d56f6804dca013bc681e45d607561a638b81c98a08744bcb"

const runtimeVersion = "50.0.1"

// runtimeHashes are those of the libraries of wasmtime of that version.
var runtimeHashes = []string{
	"3127ca42fe7cdd3f0a43a358e79177dcfedd46c1746329826403b9d854de6178", // Linux, x86-64
	"4777b787fcc6651c98130ccc7c8ce9160faba5f3b34918886785a43094026fc9", // Linux, arm64
	"a69fa55d4600958e3c95a25dd552cfc83105a6288fea764f37a87c578806cd85", // macOS, arm64
	"aaa18016fcb37d9794b6df8c263f03c7ae42870d2fc4ede73e6ad7f855b215e3", // macOS, x86-64
}

// check says what is wrong with a file whose sum is none of those that are wanted.
func check(file string, want ...string) error {
	sum, err := private.Hash(file)
	if err != nil {
		return err
	}
	if !slices.Contains(want, sum) {
		return fmt.Errorf("%s is damaged or of another version: its hash is %s. Remove it, then run `mallard doctor -install googlesql`", file,
			sum)
	}
	return nil
}
