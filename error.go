package mallard

import (
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/failure"
)

// Error is the failure of a statement, with its place in the text that the caller gave. Render draws it for a person.
type Error = extension.Error

// Code is a kind of failure.
type Code = failure.Code

// The codes.
const (
	CodeNotFound      = failure.NotFound      // a model, table, dataset or function that is named is not there
	CodeAlreadyExists = failure.AlreadyExists // what is to be made is there
	CodeInvalidQuery  = failure.InvalidQuery  // the statement is wrong, or a value that it meets
	CodeUnsupported   = failure.Unsupported   // right elsewhere, and not supported here
	CodePermission    = failure.Permission    // credentials, a read-only database, access that is switched off
	CodeResource      = failure.Resource      // memory, disk, a file or a library that is missing or damaged
	CodeRemote        = failure.Remote        // a provider did not answer, or refused
	CodeCancelled     = failure.Cancelled     // the context ended
	CodeInternal      = failure.Internal      // a fault of Mallard's or DuckDB's
)

// CodeOf tells what kind of failure an error of a statement is; "" for nil.
func CodeOf(err error) Code { return extension.CodeOf(err) }

// Failures that errors.Is finds.
var (
	ErrModelNotFound       error = failure.ErrModelNotFound
	ErrModelExists         error = failure.ErrModelExists
	ErrModelFiles          error = failure.ErrModelFiles // missing from the store, or changed
	ErrDatasetNotFound     error = failure.ErrDatasetNotFound
	ErrObjectTableNotFound error = failure.ErrObjectTableNotFound
	ErrConnectionNotFound  error = failure.ErrConnectionNotFound // it is not in the configuration
	ErrNameTaken           error = failure.ErrNameTaken          // by a table, a view or a model
	ErrReadOnly            error = failure.ErrReadOnly
	ErrNoExternalAccess    error = failure.ErrNoExternalAccess // enable_external_access is false
	ErrTensorFlow          error = failure.ErrTensorFlow       // not found, or not usable
	ErrGoogleSQL           error = failure.ErrGoogleSQL        // its analyzer is not installed, or not usable
	ErrNotSupported        error = failure.ErrNotSupported
)
