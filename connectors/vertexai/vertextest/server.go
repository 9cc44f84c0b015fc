package vertextest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
)

// Server is a running fake. Its methods are safe for concurrent use.
type Server struct {
	opts atomic.Pointer[Options]
	ln   net.Listener
	http *http.Server
	grpc *grpc.Server
	stop chan struct{} // closed by Close: ends waiting requests
	done chan struct{} // closed when the listener's goroutine has ended

	seq      atomic.Int64
	inFlight atomic.Int64
	peak     atomic.Int64

	mu          sync.RWMutex
	script      []*rule
	endpoints   map[string]Predictor
	predictions []Prediction
	faults      []*fault
	log         requestLog

	logMu  sync.Mutex // of Options.Log
	logErr error

	quota quota
	tape  *tape
}

// New makes a server that listens already: URL is known, and requests wait until Start.
func New(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.LogSize == 0 {
		o.LogSize = 100_000
	}
	if o.LogBytes <= 0 {
		o.LogBytes = 32 << 20
	}
	if o.QuotaWindow <= 0 {
		o.QuotaWindow = time.Minute
	}
	o.Limits = o.Limits.withDefaults()
	s := &Server{stop: make(chan struct{}), done: make(chan struct{}), endpoints: map[string]Predictor{}}
	s.opts.Store(&o)
	for id, p := range o.Endpoints {
		s.endpoints[id] = p
	}
	s.predictions = o.Predictions
	if err := s.SetScript(o.Script...); err != nil {
		return nil, err
	}
	if err := s.SetFaults(o.Faults...); err != nil {
		return nil, err
	}
	if o.Forward != nil && o.Record == "" {
		return nil, errors.New("vertextest: Forward needs Record, the file to write")
	}
	var err error
	if s.tape, err = openTape(o.Record, o.Replay); err != nil {
		return nil, err
	}
	if s.ln, err = net.Listen("tcp", o.Addr); err != nil {
		return nil, errors.Join(fmt.Errorf("vertextest: cannot listen: %w", err), s.tape.Close())
	}
	s.grpc = newGRPC(s)
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 30 * time.Second, Protocols: new(http.Protocols), MaxHeaderBytes: 1 << 20}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetUnencryptedHTTP2(true) // gRPC without TLS
	// One connection of a gRPC client carries all its calls.
	s.http.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 4096}
	return s, nil
}

// options are those of New with the settings of scripts.
func (s *Server) options() *Options { return s.opts.Load() }

// Start serves until Close.
func (s *Server) Start() {
	go func() {
		defer close(s.done)
		_ = s.http.Serve(s.ln) // ends with ErrServerClosed
	}()
}

// Close stops the server, breaking open connections, and closes the record. Its error also tells of a log or a record that could not be
// written.
func (s *Server) Close() error {
	select {
	case <-s.stop:
		return nil
	default:
		close(s.stop)
	}
	err := s.http.Close()
	_ = s.ln.Close() // for a server that was never started
	s.grpc.Stop()
	for i := 0; s.inFlight.Load() > 0 && i < 500; i++ { // handlers leave at once, but Close does not wait for them
		time.Sleep(time.Millisecond)
	}
	s.logMu.Lock()
	defer s.logMu.Unlock()
	return errors.Join(err, s.logErr, s.tape.Close())
}

// URL is the base URL for REST and for Google's gRPC option: http://127.0.0.1:PORT.
func (s *Server) URL() string { return "http://" + s.ln.Addr().String() }

// GRPCAddr is host:port for gRPC without TLS; it is the port of URL.
func (s *Server) GRPCAddr() string { return s.ln.Addr().String() }

// EndpointURL is a custom endpoint's ENDPOINT on the real host, for use with base_url.
func (s *Server) EndpointURL(id string) string {
	return "https://us-central1-aiplatform.googleapis.com/v1/projects/test/locations/us-central1/endpoints/" + id
}

// ModelURL is a Google model's ENDPOINT on the real host, for use with base_url.
func (s *Server) ModelURL(model string) string {
	return "https://us-central1-aiplatform.googleapis.com/v1/projects/test/locations/us-central1/publishers/google/models/" + model
}

// Endpoint sets the answers of a custom endpoint; nil takes it away.
func (s *Server) Endpoint(id string, p Predictor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p == nil {
		delete(s.endpoints, id)
		return
	}
	s.endpoints[id] = p
}

// ErrNoEndpoint is what Options.Endpoint returns for an ID it does not serve; the caller gets 404.
var ErrNoEndpoint = errors.New("no such endpoint")

// StatusError lets a hook choose the answer's status and text.
type StatusError struct {
	Status  int
	Message string
}

// Error is the text.
func (e *StatusError) Error() string { return e.Message }

// call is one request, however it came.
type call struct {
	*Request
	server *Server
	raw    []byte // the body as JSON
	rpc    bool
}

// handle answers one call. The reply's error is one that the client shall see.
func (s *Server) handle(ctx context.Context, c *call) (r *reply) {
	n := s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	for p := s.peak.Load(); n > p && !s.peak.CompareAndSwap(p, n); p = s.peak.Load() {
	}
	c.server = s
	c.Seq = s.seq.Add(1)
	c.Time = s.options().Now()
	decodeErr := c.decode()
	s.note(c)
	defer func() {
		if p := recover(); p != nil {
			r = failf(http.StatusInternalServerError, "vertextest: a hook panicked: %v", p)
		}
		status := r.status()
		if r.fault != nil && r.fault.silent() {
			status = 0
		}
		s.mu.Lock()
		c.Request.Status = status
		s.mu.Unlock()
		if r.fault == nil || r.fault.Kind != Hang {
			s.report(c, status)
		}
		s.tape.record(c, r)
	}()
	if s.options().Token != "" && c.Header.Get("Authorization") != "Bearer "+s.options().Token {
		return failf(http.StatusUnauthorized, "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "+
			"other valid authentication credential.")
	}
	f, err := s.befall(ctx, c)
	if err != nil {
		return failf(499, "%v", err)
	}
	if r := f.before(ctx, c); r != nil {
		return r
	}
	if decodeErr != nil {
		return decodeErr
	}
	if r := s.tape.replay(c); r != nil {
		return r
	}
	r = s.admit(c)
	if r == nil {
		r = c.answer(ctx)
	}
	f.after(c, r)
	return r
}

// admit checks place, size and quota.
func (s *Server) admit(c *call) *reply {
	if len(s.options().Projects) > 0 && !contains(s.options().Projects, c.Project) {
		return failf(403, "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/%s' (or it may not exist).",
			c.Resource)
	}
	if len(s.options().Locations) > 0 && !contains(s.options().Locations, c.Location) {
		return failf(404, "Location '%s' is not supported or does not exist.", c.Location)
	}
	limit := s.options().Limits.RequestBytes
	if c.Method == "predict" && !strings.HasPrefix(c.Model, "multimodal") {
		limit = s.options().Limits.EndpointBytes
	}
	if int64(len(c.raw)) > limit {
		return failf(413, "Request payload size exceeds the limit: %d bytes.", limit)
	}
	return s.quota.take(s, c)
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
