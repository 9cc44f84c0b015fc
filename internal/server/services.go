package server

import (
	"errors"
	"maps"
	"net/http"

	"google.golang.org/grpc"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/server/bucket"
	"github.com/mallardml/mallard/internal/server/vertex"
)

// services are Google's others beside BigQuery's.
type services struct {
	buckets *bucket.Service
	vertex  *vertex.Service // nil: not served
}

// beside starts the services, and gives the configuration under which statements find them.
func beside(o Options, cfg *mallard.Config) (s services, _ *mallard.Config, err error) {
	own := *cfg
	own.Buckets = config.BucketDirs(cfg)
	maps.Copy(own.Buckets, o.Buckets)
	if s.buckets, err = bucket.New(bucket.Options{Folders: own.Buckets}); err != nil || o.Emulate == nil {
		return s, &own, err
	}
	if s.vertex, err = vertex.New(vertex.Options{Config: &own, Answers: *o.Emulate}); err != nil {
		return s, nil, errors.Join(err, s.Close())
	}
	return s, s.vertex.Config(&own), nil
}

// handle answers requests of REST.
func (s services) handle(mux *http.ServeMux) {
	for _, pattern := range s.buckets.Patterns() {
		mux.Handle(pattern, s.buckets)
	}
	if s.vertex != nil {
		for _, pattern := range s.vertex.Patterns() {
			mux.Handle(pattern, s.vertex)
		}
	}
}

// register answers calls by gRPC.
func (s services) register(calls grpc.ServiceRegistrar) {
	if s.vertex != nil {
		s.vertex.Register(calls)
	}
}

// hosts are the names of those that are served.
func (s services) hosts() []string {
	hosts := []string{"storage.googleapis.com"}
	if s.vertex != nil {
		hosts = append(hosts, "aiplatform.googleapis.com")
		for _, location := range vertex.Locations() {
			hosts = append(hosts, location+"-aiplatform.googleapis.com")
		}
	}
	return hosts
}

// Close ends them.
func (s services) Close() error {
	err := s.buckets.Close()
	if s.vertex != nil {
		err = errors.Join(err, s.vertex.Close())
	}
	return err
}
