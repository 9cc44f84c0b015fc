package bucket

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/mallardml/mallard/connectors/localfs"
)

// fault is an answer that is no success, with Cloud Storage's reason.
type fault struct {
	status  int
	reason  string
	message string
}

func (f *fault) Error() string { return f.message }

func invalid(format string, args ...any) error {
	return &fault{http.StatusBadRequest, "invalid", fmt.Sprintf(format, args...)}
}

var errNoObject = &fault{http.StatusNotFound, "notFound", "No such object."}

// writeFault answers with an error: of ours, of the folder's, or of a body that is too large.
func writeFault(w http.ResponseWriter, _ *http.Request, err error) {
	var f *fault
	var of *localfs.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &f):
	case errors.As(err, &large):
		f = &fault{http.StatusRequestEntityTooLarge, "uploadTooLarge", fmt.Sprintf("The object has more than %d bytes.", large.Limit)}
	case !errors.As(err, &of):
		f = &fault{http.StatusBadRequest, "invalid", "The request was cut short or cannot be carried out."}
	case of.Reason() == localfs.NotFound:
		f = &fault{http.StatusNotFound, "notFound", "No such object: " + strings.TrimPrefix(of.URI, "gs://")}
	case of.Reason() == localfs.Changed:
		f = errPrecondition
	case of.Reason() == localfs.Forbidden:
		f = &fault{http.StatusBadRequest, "invalid", of.Error()}
	default: // the file system's words may name paths of the machine
		f = &fault{http.StatusBadRequest, "invalid", strings.TrimPrefix(of.URI, "gs://") + ": the folder of the bucket does not allow this."}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": f.status, "message": f.message, "errors": []googleapi.ErrorItem{{Reason: f.reason, Message: f.message}},
	}})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(v) // who left does not hear
}
