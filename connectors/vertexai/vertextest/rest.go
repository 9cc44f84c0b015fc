package vertextest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers REST and gRPC.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		s.grpc.ServeHTTP(w, r)
		return
	}
	if r.Method == http.MethodGet {
		s.get(w, r)
		return
	}
	req := &Request{Header: r.Header.Clone()}
	if r.Method != http.MethodPost || !req.parsePath(r.URL.Path) {
		send(w, failf(404, "The requested URL %s was not found on this server.", r.URL.Path))
		return
	}
	// The limit proper is checked later, so that faults and the log see the request too.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4*s.options().Limits.RequestBytes))
	if err != nil {
		send(w, failf(413, "Request payload size exceeds the limit: %d bytes.", s.options().Limits.RequestBytes))
		return
	}
	c := &call{Request: req, raw: body}
	var rep *reply
	switch {
	case s.options().Forward == nil:
		rep = s.handle(r.Context(), c)
	case r.Header.Get("Origin") != "": // browsers send it with every POST; clients of Vertex AI never do
		rep = failf(403, "A web page sent this request. Pages must not spend the quota of the service behind this one.")
	default:
		rep = s.forward(r, c)
	}
	switch {
	case rep.fault != nil:
		spoilt(w, rep)
	case rep.parts != nil && rep.err == nil:
		stream(w, r, rep)
	default:
		send(w, rep)
	}
}

func send(w http.ResponseWriter, r *reply) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	if e := r.err; e != nil && e.wait > 0 && !e.detail {
		wait := (e.wait + time.Second - 1).Truncate(time.Second)
		if e.asDate {
			h.Set("Retry-After", time.Now().Add(wait).UTC().Format(http.TimeFormat))
		} else {
			h.Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
		}
	}
	b := r.bytes()
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(r.status())
	_, _ = w.Write(b)
}

// spoilt sends the answer the way its fault wants.
func spoilt(w http.ResponseWriter, r *reply) {
	switch r.fault.Kind {
	case Truncate:
		b := r.bytes()
		send(w, &reply{raw: b[:len(b)/2]})
		return
	case Garbage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><body>Welcome to the network. Please log in.</body></html>")
		return
	case Midway:
		b := r.bytes()
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		_, _ = w.Write(b[:len(b)/2])
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
	panic(http.ErrAbortHandler) // closes the connection (HTTP/2: resets the stream) without a word
}

// stream sends the parts as server-sent events, or as one JSON array without alt=sse, as the service does.
func stream(w http.ResponseWriter, r *http.Request, rep *reply) {
	sse := r.URL.Query().Get("alt") == "sse"
	flush := func() {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
	if sse {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, p := range rep.parts {
			_, _ = fmt.Fprintf(w, "data: %s\r\n\r\n", appendJSON(nil, p))
			flush()
		}
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	for i, p := range rep.parts {
		open := ",\r\n"
		if i == 0 {
			open = "["
		}
		_, _ = io.WriteString(w, open)
		_, _ = w.Write(appendJSON(nil, p))
		flush()
	}
	_, _ = io.WriteString(w, "]")
}

// get answers what clients read before they predict.
func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "A local Vertex AI: REST and gRPC on this port. Set base_url of a connection to this address.\n")
		return
	}
	req := &Request{}
	var ok bool
	if req.Version, req.Resource, ok = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); ok && req.parseResource() &&
		req.EndpointID != "" {
		send(w, &reply{body: endpointResource(req)})
		return
	}
	send(w, failf(404, "The requested URL %s was not found on this server.", r.URL.Path))
}

func endpointResource(r *Request) map[string]any {
	return map[string]any{
		"name": r.Resource, "displayName": r.EndpointID, "trafficSplit": map[string]any{"1": 100},
		"deployedModels": []any{map[string]any{"id": "1", "displayName": r.EndpointID,
			"model": "projects/" + r.Project + "/locations/" + r.Location + "/models/" + r.EndpointID}},
	}
}

// forward asks the real service and records its answer. What never came, a network fault, is logged as 502 and not recorded.
func (s *Server) forward(r *http.Request, c *call) *reply {
	c.server = s
	c.Seq = s.seq.Add(1)
	c.Time = s.options().Now()
	_ = c.decode() // for the log; the real service judges
	s.note(c)
	rep, err := s.ask(r, c)
	if err != nil {
		rep = failf(502, "the real service could not be asked: %v", cause(err))
	}
	s.mu.Lock()
	c.Request.Status = rep.status()
	s.mu.Unlock()
	s.report(c, rep.status())
	if err == nil {
		s.tape.record(c, rep)
	}
	return rep
}

// ask sends the request on; the error says that there is no answer.
func (s *Server) ask(r *http.Request, c *call) (*reply, error) {
	out, err := http.NewRequestWithContext(r.Context(), http.MethodPost, realURL(c.Location, r.URL.RequestURI()), bytes.NewReader(c.raw))
	if err != nil {
		return nil, err
	}
	out.Header.Set("Content-Type", "application/json; charset=utf-8")
	if t := r.Header.Get("X-Vertex-AI-LLM-Request-Type"); t != "" {
		out.Header.Set("X-Vertex-AI-LLM-Request-Type", t)
	}
	res, err := s.options().Forward(out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<30))
	if err != nil {
		return nil, fmt.Errorf("its answer broke off: %w", err)
	}
	if res.StatusCode/100 == 2 {
		return &reply{raw: b}, nil
	}
	rep := failf(res.StatusCode, "%s", http.StatusText(res.StatusCode))
	rep.err.raw = b
	if sec, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		rep.err.wait = time.Duration(sec) * time.Second
	}
	return rep, nil
}

// cause is an error without the URLs that net/http puts before it: their query may hold a key.
func cause(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

func realURL(location, uri string) string {
	switch location {
	case "", "global":
		return "https://aiplatform.googleapis.com" + uri
	case "us", "eu":
		return "https://aiplatform." + location + ".rep.googleapis.com" + uri
	}
	return "https://" + location + "-aiplatform.googleapis.com" + uri
}
