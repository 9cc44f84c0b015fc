package vertextest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// reply is an answer before it takes the form of REST or gRPC.
type reply struct {
	body  map[string]any   // of a good answer
	raw   []byte           // instead of body
	parts []map[string]any // of a stream
	err   *apiError
	fault *fault // shapes the way it is sent
}

type apiError struct {
	status  int
	reason  string
	message string
	wait    time.Duration
	asDate  bool
	detail  bool   // also as google.rpc.RetryInfo
	raw     []byte // a recorded body
}

var names = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED", 409: "ABORTED",
	413: "INVALID_ARGUMENT",
	429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 502: "UNAVAILABLE", 503: "UNAVAILABLE",
	504: "DEADLINE_EXCEEDED",
}

func failf(status int, format string, args ...any) *reply {
	reason := names[status]
	if reason == "" {
		reason = "UNKNOWN"
	}
	return &reply{err: &apiError{status: status, reason: reason, message: fmt.Sprintf(format, args...)}}
}

func ok(body map[string]any) *reply { return &reply{body: body} }

func (r *reply) status() int {
	if r.err != nil {
		return r.err.status
	}
	return http.StatusOK
}

// bytes is the body as REST sends it.
func (r *reply) bytes() []byte {
	switch {
	case r.err != nil && r.err.raw != nil:
		return r.err.raw
	case r.err != nil:
		e := map[string]any{"code": r.err.status, "message": r.err.message, "status": r.err.reason}
		if r.err.detail {
			e["details"] = []any{map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo",
				"retryDelay": strconv.FormatFloat(r.err.wait.Seconds(), 'f', -1, 64) + "s"}}
		}
		return appendJSON(nil, map[string]any{"error": e})
	case r.raw != nil:
		return r.raw
	}
	return appendJSON(nil, r.body)
}

// appendJSON writes what encoding/json would, but for NaN and the infinities, which stand bare as Python writes them.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		q, err := json.Marshal(v)
		if err != nil {
			return append(b, `""`...)
		}
		return append(b, q...)
	case json.Number:
		return append(b, v...)
	case json.RawMessage:
		return append(b, v...)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float32:
		return appendFloat(b, float64(v), 32)
	case float64:
		return appendFloat(b, v, 64)
	case []float64:
		b = append(b, '[')
		for i, f := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendFloat(b, f, 64)
		}
		return append(b, ']')
	case []float32:
		b = append(b, '[')
		for i, f := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendFloat(b, float64(f), 32)
		}
		return append(b, ']')
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, e)
		}
		return append(b, ']')
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		b = append(b, '{')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSON(b, k), ':')
			b = appendJSON(b, v[k])
		}
		return append(b, '}')
	}
	q, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, q...)
}

func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}
