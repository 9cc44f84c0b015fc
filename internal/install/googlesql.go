package install

import "fmt"

// The parts of GoogleSQL's analyzer, by the names of their packages.
const (
	ZetaSQL  = "zetasql"  // Google's sources as a WebAssembly module, zetasql.wasm
	Wasmtime = "wasmtime" // what runs it, _libwasmtime.so or .dylib
	TZData   = "tzdata"   // time zones, which literals name
)

// googleSQL gives the wheels that read GoogleSQL.
func googleSQL(goos, goarch string) ([]Package, error) {
	w := Package{Name: Wasmtime, project: "wasmtime", version: "50.0.1", megabytes: 10, cache: "googlesql/wasmtime-50.0.1"}
	library := "_libwasmtime.so"
	switch goos + "/" + goarch {
	case "linux/amd64":
		w.tags, w.folder = []string{"manylinux1_x86_64"}, "wasmtime/linux-x86_64/"
		w.hashes = []string{"cc14c3a17654e0394e0225b11813532ef0cd7bd1e222a0c5494cdedaabeddac4"}
	case "linux/arm64":
		w.tags, w.folder = []string{"manylinux2014_aarch64"}, "wasmtime/linux-aarch64/"
		w.hashes = []string{"675484e525c028dc02762b777f1db4477ea70caa3fec6775426daff4d64edfb1"}
	case "darwin/arm64":
		w.tags, w.folder, library = []string{"macosx_11_0_arm64"}, "wasmtime/darwin-aarch64/", "_libwasmtime.dylib"
		w.hashes = []string{"ff4fc58ed3cbdb919d056accd4d280be13962a542754aaefd8a9b4654efa9bd9"}
	case "darwin/amd64":
		w.tags, w.folder, library = []string{"macosx_10_13_x86_64"}, "wasmtime/darwin-x86_64/", "_libwasmtime.dylib"
		w.hashes = []string{"13fe813b922712a9e10fe0f48b2c56da06432eea4b24269bb7cd3a6b2720560b"}
	default:
		return nil, fmt.Errorf("fetch googlesql: there is no wheel of wasmtime %s for %s/%s", w.version, goos, goarch)
	}
	w.only, w.have = []string{library}, []string{library}
	return []Package{
		{Name: ZetaSQL, project: "zetasql", version: "0.1.5", megabytes: 8, folder: "zetasql/wasi/", cache: "googlesql/zetasql-0.1.5",
			only: []string{"zetasql.wasm"}, have: []string{"zetasql.wasm"},
			hashes: []string{"17fa5e5aa927fbb647c1812b08ee8ef8c5d36c8e2e83eaa4651d9bc4a8a462f8"}},
		w,
		{Name: TZData, project: "tzdata", version: "2026.6", megabytes: 1, folder: "tzdata/zoneinfo/", cache: "googlesql/tzdata-2026.6",
			have:   []string{"UTC", "America/Los_Angeles", "tzdata.zi"},
			hashes: []string{"0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec"}},
	}, nil
}
