package vertexai

import (
	"net/http"

	"github.com/mallardml/mallard/connectors/internal/transport"
)

// Error is a call that gave no answer. Code is BLOCKED_HOST for a host that is not allowed.
type Error = transport.Error

// advise says what helps against a refusal of Vertex AI's.
func advise(e *Error) *Error {
	switch {
	case e.Status == http.StatusUnauthorized:
		e.Advice = "Check the connection's credentials (auth)."
	case e.Status == http.StatusForbidden && e.Code == "PERMISSION_DENIED":
		e.Advice = "The caller needs the role Vertex AI User (roles/aiplatform.user) in that project."
	case e.Status == http.StatusNotFound:
		e.Advice = "Check project, location and model of the ENDPOINT."
	}
	return e
}
