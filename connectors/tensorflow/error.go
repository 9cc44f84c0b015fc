package tensorflow

import (
	"errors"
	"strconv"
	"strings"
)

// Kinds of failure, for errors.Is. An *Error that TensorFlow itself reported has none.
var (
	ErrNoLibrary   = errors.New("TensorFlow library not found")
	ErrLibrary     = errors.New("TensorFlow library not usable")
	ErrNoModel     = errors.New("no SavedModel")
	ErrCorrupt     = errors.New("SavedModel not readable")
	ErrNoVariables = errors.New("SavedModel without its variables")
	ErrNoTags      = errors.New("unknown tags")
	ErrNoSignature = errors.New("unknown signature")
	ErrNoOutput    = errors.New("unknown output")
	ErrUnsupported = errors.New("not supported")
	ErrInput       = errors.New("input does not fit the model")
	ErrClosed      = errors.New("session is closed")
)

// Code is TensorFlow's status code (the canonical codes of gRPC).
type Code int

// The codes that callers tell apart.
const (
	OK                Code = 0
	Cancelled         Code = 1
	Unknown           Code = 2
	InvalidArgument   Code = 3
	DeadlineExceeded  Code = 4
	NotFound          Code = 5
	ResourceExhausted Code = 8
	FailedPrecond     Code = 9
	OutOfRange        Code = 11
	Unimplemented     Code = 12
	Internal          Code = 13
)

var codeNames = [...]string{"ok", "cancelled", "unknown", "invalid argument", "deadline exceeded", "not found", "already exists",
	"permission denied", "resource exhausted", "failed precondition", "aborted", "out of range", "unimplemented", "internal",
	"unavailable", "data loss", "unauthenticated"}

// String names the code in plain words.
func (c Code) String() string {
	if c >= 0 && int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "code " + strconv.Itoa(int(c))
}

// Error is every failure of this package: Op names the subject, Msg the cause, Hint what to do.
type Error struct {
	Op   string // what was being done, with its subject: "load model /m/lang"
	Code Code   // TensorFlow's status, OK where TensorFlow was not asked
	Msg  string // cause, shortened to its informative part
	Node string // graph node that failed, where TensorFlow names it
	Hint string // what to do
	Kind error  // one of the Err… above, or nil
	Full string // TensorFlow's message as it came
}

// Error is what was done, the node, the cause, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	if e.Node != "" {
		b.WriteString("node ")
		b.WriteString(e.Node)
		b.WriteString(": ")
	}
	b.WriteString(strings.TrimSuffix(e.Msg, "."))
	if e.Hint != "" {
		b.WriteString(". ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap gives the kind, so that errors.Is(err, ErrNoModel) works.
func (e *Error) Unwrap() error { return e.Kind }
