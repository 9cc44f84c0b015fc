package main

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"strings"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/internal/server"
	"github.com/mallardml/mallard/internal/tutorial"
)

// serviceFlags are those of `mallard serve` for Google's services beside BigQuery; it gives whether the tutorials' content is wanted.
func serviceFlags(fs *flag.FlagSet, s *server.Options) (tutorials *bool) {
	s.Buckets = map[string]string{}
	fs.Func("bucket", "", func(v string) (err error) {
		name, folder, ok := strings.Cut(v, "=")
		if !ok || name == "" || folder == "" {
			return errors.New("write NAME=FOLDER")
		}
		s.Buckets[name], err = filepath.Abs(folder)
		return err
	})
	fs.BoolFunc("emulate", "", func(string) error {
		s.Emulate = &vertextest.Options{}
		return nil
	})
	return fs.Bool("tutorials", false, "")
}

// addTutorials serves what the tutorials name besides, from a folder that remove removes.
func addTutorials(ctx context.Context, s *server.Options) (remove func() error, err error) {
	w, remove, err := writeTutorials(ctx)
	if err != nil {
		return nil, err
	}
	for name, dir := range w.Buckets {
		if _, own := s.Buckets[name]; !own {
			s.Buckets[name] = dir
		}
	}
	s.Attach = append(s.Attach, server.Attachment{Name: tutorial.Project, File: w.Tables})
	if s.Emulate != nil {
		s.Emulate.Script = append(s.Emulate.Script, tutorial.Answers()...)
	}
	return remove, nil
}
