package planner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/modelstore"
)

// exportModel writes a model into an archive, from which CREATE MODEL makes it anywhere.
func (pl *Planner) exportModel(ctx context.Context, s *dialect.ExportModel) (*Plan, error) {
	uri := ""
	at := s.Span
	for i := range s.Options {
		opt := &s.Options[i]
		if !strings.EqualFold(opt.Name, "uri") {
			return nil, dialect.At(opt.Span, fmt.Errorf("option `%s` is not supported; EXPORT MODEL takes uri", opt.Name))
		}
		var err error
		if uri, err = textOption(opt); err != nil {
			return nil, err
		}
		at = opt.Value.Span
	}
	switch {
	case uri == "":
		return nil, dialect.At(at, errors.New("EXPORT MODEL needs OPTIONS(URI='file"+modelstore.ArchiveSuffix+"')"))
	case strings.Contains(strings.TrimPrefix(uri, "file://"), "://") || !strings.HasSuffix(uri, modelstore.ArchiveSuffix):
		return nil, dialect.At(at, fmt.Errorf("uri '%s': a model is exported into one archive, a file of this machine whose name ends with %s",
			uri, modelstore.ArchiveSuffix))
	}
	f, p, err := pl.existing(ctx, s.Name, false)
	if f == nil {
		return p, err
	}
	if err := pl.Library.Export(ctx, f.Spec, strings.TrimPrefix(uri, "file://")); err != nil {
		return nil, dialect.At(at, fmt.Errorf("model %s cannot be exported: %w", f.QualifiedName, err))
	}
	return &Plan{SQL: "RESET VARIABLE mallard_exported", Pos: -1, Verb: "EXPORT MODEL",
		Notice: fmt.Sprintf("Exported model %s to %s.", f.QualifiedName, uri)}, nil
}
