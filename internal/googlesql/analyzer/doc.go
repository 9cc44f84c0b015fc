// Package analyzer reads GoogleSQL with Google's own analyzer.
//
// A [Service] answers the methods of Google's LocalService (github.com/google/googlesql, local_service.proto), bytes in and
// bytes out: package native runs it from Google's library, package wasm from a build of the same sources in a sandbox. An
// [Analyzer] keeps what it asked: catalogs by what they hold, so that a statement costs one call.
//
// Messages are those of package resolved. An error of the service is an [*Error] with the place in the text.
package analyzer
