package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

const (
	maxMemory = 1 << 30   // of a sandbox
	fatMemory = 256 << 20 // a sandbox that has grown so large is given back
	maxIdle   = 2         // sandboxes kept

	// maxTime is the processor time of a call, for a request of ordinary size; a byte beyond that has its own.
	maxTime      = 2 * time.Second
	ordinarySize = 256 << 10
	timePerByte  = 10 * time.Microsecond
)

// Service is the service in sandboxes. It may be used by several goroutines: each call has a sandbox for itself.
type Service struct {
	module   module
	zoneinfo string
	free     chan struct{} // one for each sandbox that may be at work

	mu       sync.Mutex
	idle     []*instance // the last one was used last
	catalogs map[int64][]byte
	last     int64 // catalog
}

func newService(m module, zoneinfo string) *Service {
	return &Service{module: m, zoneinfo: zoneinfo, free: make(chan struct{}, max(2, min(runtime.GOMAXPROCS(0), 4))),
		catalogs: map[int64][]byte{}}
}

// Call answers a method. An error that is not the context's has the service's words alone.
//
// Catalogs belong to no sandbox: one is told of a catalog when it first needs it.
func (s *Service) Call(ctx context.Context, method string, request []byte) ([]byte, error) {
	switch method {
	case "RegisterCatalog":
		return s.register(request)
	case "UnregisterCatalog":
		return nil, s.unregister(request)
	}
	select {
	case s.free <- struct{}{}:
		defer func() { <-s.free }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	catalog, named := catalogOf(method, request)
	in, err := s.take(catalog)
	if err != nil {
		return nil, err
	}
	limit := maxTime + time.Duration(max(0, len(request)-ordinarySize))*timePerByte
	if named {
		id, err := s.give(ctx, in, catalog, limit)
		if err != nil {
			return nil, s.put(ctx, in, err, limit)
		}
		// The last of a field's values is the one that counts.
		request = appendVarint(slices.Clip(request), registeredCatalogID[method], id)
	}
	answer, err := in.call(ctx, method, request, limit)
	return answer, s.put(ctx, in, err, limit)
}

// take gives a sandbox: one that knows the catalog, the one used last, or a new one.
func (s *Service) take(catalog int64) (*instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return s.start()
	}
	i := n - 1
	for j := range s.idle {
		if _, ok := s.idle[j].catalogs[catalog]; ok {
			i = j
		}
	}
	in := s.idle[i]
	s.idle = slices.Delete(s.idle, i, i+1)
	return in, nil
}

// put takes a sandbox back, and gives the error that a caller is told.
func (s *Service) put(ctx context.Context, in *instance, err error, limit time.Duration) error {
	var gone *lost
	if !errors.As(err, &gone) {
		s.mu.Lock()
		keep := in.memory < fatMemory && len(s.idle) < maxIdle
		if keep {
			s.idle = append(s.idle, in)
		}
		s.mu.Unlock()
		if !keep {
			in.close()
		}
		return err
	}
	in.close()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case gone.message == "":
		return fmt.Errorf("the statement takes GoogleSQL's analyzer more than %v; make it shorter, or nest it less",
			limit.Round(100*time.Millisecond))
	case strings.Contains(gone.message, "call stack exhausted"), strings.Contains(gone.message, "out of bounds memory access"):
		return errors.New("Out of stack space due to deeply nested query expression") //nolint:staticcheck // Google's words
	}
	return fmt.Errorf("GoogleSQL's analyzer failed on this statement, perhaps for want of memory (%s)", firstLine(gone.message))
}

func firstLine(s string) string {
	if i := strings.LastIndex(s, "wasm trap: "); i >= 0 {
		s = s[i:]
	}
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// give tells a sandbox of a catalog, and of those that are no more, and gives the catalog's number there.
func (s *Service) give(ctx context.Context, in *instance, catalog int64, limit time.Duration) (int64, error) {
	s.mu.Lock()
	message, known := s.catalogs[catalog]
	var old []int64
	for c := range in.catalogs {
		if _, ok := s.catalogs[c]; !ok {
			old = append(old, c)
		}
	}
	s.mu.Unlock()
	for _, c := range old {
		_, err := in.call(ctx, "UnregisterCatalog", appendVarint(nil, 1, in.catalogs[c]), limit)
		if gone := (*lost)(nil); errors.As(err, &gone) {
			return 0, err
		}
		delete(in.catalogs, c)
	}
	if id, ok := in.catalogs[catalog]; ok {
		return id, nil
	}
	if !known {
		return 0, fmt.Errorf("no catalog %d is registered", catalog)
	}
	b, err := in.call(ctx, "RegisterCatalog", message, limit)
	if err != nil {
		return 0, err
	}
	var answer resolved.RegisterResponse
	if err := proto.Unmarshal(b, &answer); err != nil {
		return 0, err
	}
	in.catalogs[catalog] = answer.GetRegisteredId()
	return answer.GetRegisteredId(), nil
}

// register keeps a catalog's message under a number.
func (s *Service) register(request []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.catalogs[s.last] = slices.Clone(request)
	return proto.Marshal(&resolved.RegisterResponse{RegisteredId: &s.last})
}

func (s *Service) unregister(request []byte) error {
	var r resolved.UnregisterRequest
	if err := proto.Unmarshal(request, &r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.catalogs[r.GetRegisteredId()]; !ok {
		return fmt.Errorf("no catalog %d is registered", r.GetRegisteredId())
	}
	delete(s.catalogs, r.GetRegisteredId())
	return nil
}

// registeredCatalogID is the field of a request that names a registered catalog.
var registeredCatalogID = map[string]protowire.Number{"Analyze": 4, "EvaluateQuery": 5}

// catalogOf reads the catalog that a request names.
func catalogOf(method string, request []byte) (id int64, named bool) {
	field, ok := registeredCatalogID[method]
	for ok && len(request) > 0 {
		number, kind, n := protowire.ConsumeTag(request)
		if n < 0 {
			return 0, false
		}
		request = request[n:]
		if number == field && kind == protowire.VarintType {
			v, n := protowire.ConsumeVarint(request)
			return int64(v), n > 0
		}
		if n = protowire.ConsumeFieldValue(number, kind, request); n < 0 {
			return 0, false
		}
		request = request[n:]
	}
	return 0, false
}

func appendVarint(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}
