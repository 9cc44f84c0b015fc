package extension

import (
	"context"
	"errors"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/failure"
	googlesql "github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/writer"
)

// CodeOf tells what kind of failure an error of this package is: for a nil error "", for one of somebody else's
// [failure.Internal].
func CodeOf(err error) failure.Code {
	if err == nil {
		return ""
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return failure.Cancelled
	}
	if code, ok := failure.Of(err); ok {
		return code
	}
	var e *Error
	if errors.As(err, &e) && e.Code != "" {
		return e.Code
	}
	var wrong *dialect.Error
	if errors.As(err, &wrong) {
		if wrong.Unsupported {
			return failure.Unsupported
		}
		return failure.InvalidQuery
	}
	var lacking *writer.Error
	if errors.As(err, &lacking) {
		return failure.Unsupported
	}
	var read *googlesql.Error
	if errors.As(err, &read) && strings.HasPrefix(read.Message, "Table not found") {
		return failure.NotFound
	}
	var provider interface{ HTTPStatus() int }
	if errors.As(err, &provider) {
		switch provider.HTTPStatus() {
		case 401, 403:
			return failure.Permission
		}
		return failure.Remote
	}
	if errors.Is(err, dispatch.ErrReadOnly) {
		return failure.Permission
	}
	var place *dialect.Located
	var ddb *duckdb.Error
	switch {
	case duckapi.AlreadyExists(err):
		return failure.AlreadyExists
	case errors.As(err, &ddb):
		return duckdbCode(ddb)
	case errors.As(err, &place):
		return failure.InvalidQuery
	}
	return failure.Internal
}

// duckdbCode sorts DuckDB's errors (https://duckdb.org/docs/stable/dev/internal_errors).
func duckdbCode(err *duckdb.Error) failure.Code {
	switch err.Type {
	case duckdb.ErrorTypeCatalog:
		if !strings.Contains(err.Msg, "not exist") && !strings.Contains(err.Msg, "not found") { // it is there, and is something else
			return failure.InvalidQuery
		}
		return failure.NotFound
	case duckdb.ErrorTypeInterrupt:
		return failure.Cancelled
	case duckdb.ErrorTypePermission:
		return failure.Permission
	case duckdb.ErrorTypeOutOfMemory, duckdb.ErrorTypeIO, duckdb.ErrorTypeHTTP, duckdb.ErrorTypeNetwork, duckdb.ErrorTypeMissingExtension,
		duckdb.ErrorTypeObjectSize, duckdb.ErrorTypeConnection, duckdb.ErrorTypeSerialization:
		return failure.Resource
	case duckdb.ErrorTypeNotImplemented:
		return failure.Unsupported
	case duckdb.ErrorTypeInternal, duckdb.ErrorTypeFatal, duckdb.ErrorTypeNullPointer, duckdb.ErrorTypeUnknownType:
		return failure.Internal
	}
	return failure.InvalidQuery
}
