// Package rest serves methods of gRPC services over HTTP, as Google's JSON APIs do: messages in protocol buffers' JSON, errors by their
// status.
package rest

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// bodyBytes bounds the body of a request.
const bodyBytes = 1 << 20

// Method is a method of a service: what it is asked is read from the request.
func Method[In, Out proto.Message](read func(*http.Request) (In, error), call func(context.Context, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := read(r)
		if err != nil {
			Fail(w, err)
			return
		}
		out, err := call(r.Context(), in)
		if err != nil {
			Fail(w, err)
			return
		}
		text, err := protojson.Marshal(out)
		if err != nil {
			Fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(append(text, '\n'))
	})
}

// Body reads the body of a request into a message. An empty one leaves it as it is; fields that the message lacks are ignored.
func Body(r *http.Request, into proto.Message) error {
	var from io.Reader = r.Body
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return status.Errorf(codes.InvalidArgument, "the request's body is no gzip: %v", err)
		}
		from = z
	}
	text, err := io.ReadAll(io.LimitReader(from, bodyBytes+1))
	switch {
	case err != nil:
		return status.Errorf(codes.InvalidArgument, "the request's body ends early: %v", err)
	case len(text) > bodyBytes:
		return status.Errorf(codes.InvalidArgument, "the request's body has more than %d bytes", bodyBytes)
	case strings.TrimSpace(string(text)) == "":
		return nil
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, into); err != nil {
		return status.Errorf(codes.InvalidArgument, "Invalid JSON payload received. %v", err)
	}
	return nil
}

// httpStatus are those of the codes (https://cloud.google.com/apis/design/errors#handling_errors). What is not among them is the asker's
// fault.
var httpStatus = map[codes.Code]int{
	codes.NotFound: http.StatusNotFound, codes.AlreadyExists: http.StatusConflict, codes.Aborted: http.StatusConflict,
	codes.PermissionDenied: http.StatusForbidden, codes.Unauthenticated: http.StatusUnauthorized,
	codes.ResourceExhausted: http.StatusTooManyRequests,
}

// Fail answers with an error.
func Fail(w http.ResponseWriter, err error) {
	st, ok := status.FromError(err)
	if !ok {
		st = status.New(codes.InvalidArgument, err.Error())
	}
	code := httpStatus[st.Code()]
	if code == 0 {
		code = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": code, "message": st.Message(), "status": name(st.Code()),
		"errors": []map[string]string{{"message": st.Message(), "domain": "global", "reason": reasons[code]}},
	}})
}

var reasons = map[int]string{
	http.StatusNotFound: "notFound", http.StatusConflict: "duplicate", http.StatusForbidden: "accessDenied",
	http.StatusUnauthorized: "authError",
	http.StatusBadRequest:   "invalid", http.StatusTooManyRequests: "quotaExceeded",
}

// name writes a code as JSON APIs do: NOT_FOUND.
func name(c codes.Code) string {
	var b strings.Builder
	for i, r := range c.String() {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// Verb cuts the verb off the last part of a path: name:getIamPolicy.
func Verb(last string) (name, verb string) {
	name, verb, _ = strings.Cut(last, ":")
	return name, verb
}

// NoMethod is the answer where nothing is served.
func NoMethod(w http.ResponseWriter, r *http.Request) {
	Fail(w, status.Error(codes.NotFound, fmt.Sprintf("%s %s is no method that is served", r.Method, r.URL.Path)))
}
