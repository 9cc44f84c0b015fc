package remote

import (
	"encoding/json"
	"strings"
)

// Reading what objects a row refers to is put off until it is asked: LIMIT 5 over a folder of images reads five. Such a
// row's payload is a mark and the description of it, which finish turns into the request.
const deferredMark = "\x00"

func isDeferred(payload string) bool { return strings.HasPrefix(payload, deferredMark) }

// deferredRow describes a row whose objects are still to be looked at.
type deferredRow struct {
	Parts []part `json:"parts"`
	Title string `json:"title,omitempty"`
}

func (r deferredRow) payload() (string, error) {
	b, err := json.Marshal(r)
	return deferredMark + string(b), err
}

// local reports whether all objects lie on this machine.
func (r deferredRow) local() bool {
	for _, p := range r.Parts {
		if strings.Contains(p.URI, "://") && !strings.HasPrefix(p.URI, "file://") {
			return false
		}
	}
	return true
}

func readDeferred(payload string) (r deferredRow, err error) {
	return r, json.Unmarshal([]byte(strings.TrimPrefix(payload, deferredMark)), &r)
}
