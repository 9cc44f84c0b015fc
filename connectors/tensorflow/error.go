package tensorflow

import (
	"errors"
	"strconv"
	"strings"
)

// Kinds of failure, for errors.Is. An *Error that TensorFlow itself reported has none.
var (
	errNoLibrary   = errors.New("TensorFlow library not found")
	errLibrary     = errors.New("TensorFlow library not usable")
	errNoModel     = errors.New("no SavedModel")
	errCorrupt     = errors.New("SavedModel not readable")
	errNoVariables = errors.New("SavedModel without its variables")
	errNoTags      = errors.New("unknown tags")
	ErrNoSignature = errors.New("unknown signature")
	ErrNoOutput    = errors.New("unknown output")
	errUnsupported = errors.New("not supported")
	errInput       = errors.New("input does not fit the model")
	errClosed      = errors.New("session is closed")
)

// Code is TensorFlow's status code (the canonical codes of gRPC).
type Code int

// The codes that are told apart.
const (
	codeOK                Code = 0
	codeInvalidArgument   Code = 3
	codeResourceExhausted Code = 8
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
	Code Code   // TensorFlow's status, 0 where TensorFlow was not asked
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

// Unwrap gives the kind, so that errors.Is(err, errNoModel) works.
func (e *Error) Unwrap() error { return e.Kind }
