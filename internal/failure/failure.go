// Package failure says what kind of failure an error is, for those who have to act on it: a server that answers with a
// reason of its own, a program that makes the model that is missing. The texts of errors stay as they are.
package failure

import "errors"

// Code is a kind of failure.
type Code string

// The kinds.
const (
	NotFound      Code = "notFound"      // a model, table, dataset or function that is named is not there
	AlreadyExists Code = "alreadyExists" // what is to be made is there
	InvalidQuery  Code = "invalidQuery"  // the statement is wrong, or a value that it meets
	Unsupported   Code = "unsupported"   // the statement is right elsewhere, and not for Mallard
	Permission    Code = "permission"    // credentials, a read-only database, access that is switched off
	Resource      Code = "resource"      // memory, disk, a file or a library that is missing or damaged
	Remote        Code = "remote"        // a provider did not answer, or refused
	Cancelled     Code = "cancelled"     // the context ended
	Internal      Code = "internal"      // a fault of Mallard's or DuckDB's
)

// Kind is a failure that callers look for with errors.Is.
type Kind struct {
	code Code
	text string
}

// Error is what the kind is called.
func (k *Kind) Error() string { return k.text }

// Code is the code of the errors of the kind.
func (k *Kind) Code() Code { return k.code }

// The kinds that callers look for.
var (
	ErrModelNotFound       = &Kind{NotFound, "model not found"}
	ErrDatasetNotFound     = &Kind{NotFound, "dataset not found"}
	ErrObjectTableNotFound = &Kind{NotFound, "object table not found"}
	ErrConnectionNotFound  = &Kind{NotFound, "connection not found"}
	ErrModelExists         = &Kind{AlreadyExists, "model already exists"}
	ErrNameTaken           = &Kind{AlreadyExists, "the name is taken"}
	ErrReadOnly            = &Kind{Permission, "the database is read-only"}
	ErrNoExternalAccess    = &Kind{Permission, "external access is switched off"}
	ErrModelFiles          = &Kind{Resource, "the files of the model are missing or damaged"}
	ErrTensorFlow          = &Kind{Resource, "TensorFlow cannot be used"}
	ErrGoogleSQL           = &Kind{Resource, "GoogleSQL's analyzer cannot be used"}
	ErrNotSupported        = &Kind{Unsupported, "not supported"}
)

// marked is an error of a kind.
type marked struct {
	error
	kind *Kind
}

func (m *marked) Unwrap() []error { return []error{m.error, m.kind} }

// As gives an error the kind; its text stays. A nil error stays nil.
func As(kind *Kind, err error) error {
	if err == nil {
		return nil
	}
	return &marked{err, kind}
}

// Of gives the code of the kind that an error was given, if any.
func Of(err error) (Code, bool) {
	var k *Kind
	if errors.As(err, &k) {
		return k.code, true
	}
	return "", false
}
