// Package resolved has the messages of Google's GoogleSQL service that Mallard reads and writes, generated from the .proto
// files beside it: a part of Google's own (github.com/google/googlesql, Apache-2.0), with the same field numbers. What is
// left out arrives as an unknown field, and the writer refuses a node that it does not know. What is a part, generate.py says.
package resolved

//go:generate python3 generate.py
