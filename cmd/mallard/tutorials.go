package main

import (
	"context"
	"errors"
	"maps"
	"os"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/vertex"
	"github.com/mallardml/mallard/internal/tutorial"
)

// tutorialConnection is where the tutorials have a name of the reader's own.
const tutorialConnection = "my-connection"

// writeTutorials writes what the tutorials name into a folder that remove removes.
func writeTutorials(ctx context.Context) (w tutorial.Written, remove func() error, err error) {
	folder, err := os.MkdirTemp("", "mallard-tutorials-")
	if err != nil {
		return w, nil, err
	}
	remove = func() error { return os.RemoveAll(folder) }
	if w, err = tutorial.Write(ctx, folder); err != nil {
		return w, nil, errors.Join(err, remove())
	}
	return w, remove, nil
}

// tutorialShell gives the configuration under which the shell's statements find the tutorials' buckets and a Vertex AI in this process, and
// notes the public tables, which each session attaches. Closing ends it.
func (o *options) tutorialShell(ctx context.Context, cfg *mallard.Config) (own *mallard.Config, closing func() error, err error) {
	w, remove, err := writeTutorials(ctx)
	if err != nil {
		return nil, nil, err
	}
	with := *cfg
	with.Buckets = config.BucketDirs(cfg)
	for name, folder := range w.Buckets {
		if _, theirs := with.Buckets[name]; !theirs {
			with.Buckets[name] = folder
		}
	}
	if with.BigQuery.Project == "" {
		with.BigQuery.Project = "my-project"
	}
	service, err := vertex.New(vertex.Options{Config: &with, Answers: vertextest.Options{Script: tutorial.Answers()}})
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	if _, theirs := with.Connections[tutorialConnection]; !theirs {
		with.Connections = maps.Clone(with.Connections)
		if with.Connections == nil {
			with.Connections = map[string]mallard.ConnectionConfig{}
		}
		with.Connections[tutorialConnection] = mallard.ConnectionConfig{Project: with.BigQuery.Project}
	}
	o.attach = "ATTACH " + quote.Text(w.Tables) + " AS " + quote.Name(tutorial.Project) + " (READ_ONLY)"
	return service.Config(&with), func() error { return errors.Join(service.Close(), remove()) }, nil
}
