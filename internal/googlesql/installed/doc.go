// Package installed finds the analyzer of GoogleSQL on this machine, and starts it.
//
// There are two. The native one is Google's own library for Java, of the Maven artifact
// com.google.zetasql:zetasql-jni-channel-linux, which is taken where the configuration names it or Maven's local repository
// holds it; it is faster, and runs in the process. The other is a build of the same sources to WebAssembly, which package install
// fetches with pip. Start with [Find].
package installed
