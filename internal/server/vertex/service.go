// Package vertex is the slice of Vertex AI that the tutorials use: models are uploaded from a bucket, deployed to endpoints and asked, and
// Google's models answer as [vertextest] says. A deployed model is the uploaded SavedModel, run by TensorFlow: its predictions are real.
// REST and gRPC are answered alike. Start with [New]. The rooms, from the top: rest.go, rpc.go, registry.go.
package vertex

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strings"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension/emulate"
)

// Options say what is served.
type Options struct {
	// Config says where TensorFlow, the store of models and the buckets are; nil is the default.
	Config *mallard.Config
	// Answers are those of Google's models. Its Addr is where statements of this process ask; a free port by default.
	Answers vertextest.Options
}

// Service answers requests. It is safe for concurrent use.
type Service struct {
	fake     *vertextest.Server
	models   *emulate.Models
	registry *registry
	asked    *grpc.ClientConn // of fake
}

// New starts the service: statements of this process reach it at once.
func New(o Options) (*Service, error) {
	if o.Config == nil {
		o.Config = mallard.DefaultConfig()
	}
	own := *o.Config
	own.BigQuery.Confined = false // the statements are emulate's; served looks at the folders that clients name
	models, err := emulate.NewModels(&own)
	if err != nil {
		return nil, err
	}
	if o.Answers.LogSize == 0 {
		o.Answers.LogSize = -1 // nobody could read it
	}
	fake, err := vertextest.New(o.Answers)
	if err != nil {
		return nil, errors.Join(err, models.Close())
	}
	fake.Start()
	asked, err := grpc.NewClient(fake.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
	if err != nil {
		return nil, errors.Join(err, fake.Close(), models.Close())
	}
	return &Service{fake: fake, models: models, asked: asked, registry: newRegistry(served(o.Config, models.Endpoint), fake.Endpoint)}, nil
}

// served opens what lies in a bucket that is served, where clients are confined to those.
func served(cfg *mallard.Config, open opener) opener {
	if !cfg.BigQuery.Confined {
		return open
	}
	return func(ctx context.Context, id, uri string) (vertextest.Predictor, error) {
		rest, ok := strings.CutPrefix(uri, "gs://")
		bucket, _, _ := strings.Cut(rest, "/")
		if _, known := cfg.Buckets[bucket]; !ok || !known {
			return nil, fmt.Errorf("%.200q lies in no bucket that is served; serve a folder as a bucket, and name gs://BUCKET/…", uri)
		}
		return open(ctx, id, uri)
	}
}

// Config leads the connections of a configuration to the service; one called default is there afterwards.
func (s *Service) Config(cfg *mallard.Config) *mallard.Config {
	own := *cfg
	own.Connections = maps.Clone(cfg.Connections)
	if own.Connections == nil {
		own.Connections = map[string]mallard.ConnectionConfig{}
	}
	if _, ok := own.Connections["default"]; !ok {
		own.Connections["default"] = mallard.ConnectionConfig{Project: cfg.BigQuery.Project}
	}
	for name, c := range own.Connections {
		if c.Kind == "" || c.Kind == "vertexai" {
			c.BaseURL, c.Auth = s.fake.URL(), "none"
			own.Connections[name] = c
		}
	}
	return &own
}

// URL is where statements of this process ask.
func (s *Service) URL() string { return s.fake.URL() }

// Patterns are those of [http.ServeMux] that the service answers, for a server of several services.
func (s *Service) Patterns() []string {
	var patterns []string
	for _, version := range []string{"/v1", "/v1beta1"} {
		for _, what := range []string{"models", "models/", "models:upload", "endpoints", "endpoints/", "operations/", "publishers/"} {
			patterns = append(patterns, version+"/projects/{project}/locations/{location}/"+what)
		}
	}
	return patterns
}

// ServeHTTP answers a request of REST.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.rest(w, r) {
		s.fake.ServeHTTP(w, r)
	}
}

// Register answers calls by gRPC.
func (s *Service) Register(calls grpc.ServiceRegistrar) {
	aiplatformpb.RegisterModelServiceServer(calls, modelService{r: s.registry})
	aiplatformpb.RegisterEndpointServiceServer(calls, endpointService{r: s.registry})
	aiplatformpb.RegisterPredictionServiceServer(calls, predictionService{c: aiplatformpb.NewPredictionServiceClient(s.asked)})
	longrunningpb.RegisterOperationsServer(calls, operations{r: s.registry})
}

// Locations are those whose hosts are served, LOCATION-aiplatform.googleapis.com.
func Locations() []string {
	return []string{"us-central1", "us-east1", "us-east4", "us-west1", "us-west4", "europe-west1", "europe-west4", "asia-northeast1", "us",
		"eu", "global"}
}

// Close ends the service.
func (s *Service) Close() error {
	return errors.Join(s.asked.Close(), s.fake.Close(), s.models.Close())
}
