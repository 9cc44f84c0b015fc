package bigquery

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
)

// etag tells versions of a resource apart: it changes with anything that a reply shows of it.
func etag(resource any) string {
	text, err := json.Marshal(resource)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return base64.StdEncoding.EncodeToString(sum[:16])
}

// checkMatch refuses to change a resource that is no longer the version that If-Match names.
func checkMatch(r *http.Request, tag string) error {
	want := r.Header.Get("If-Match")
	if want == "" || want == "*" || want == tag || want == `"`+tag+`"` {
		return nil
	}
	return &Fault{Status: http.StatusPreconditionFailed, Reason: "conditionNotMet", Message: "Precondition check failed.",
		Location: "If-Match"}
}
