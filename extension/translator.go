package extension

import (
	"context"
	"fmt"
	"sync"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/googlesql/installed"
	"github.com/mallardml/mallard/internal/googlesql/translator"
)

// translators are those of the process, by where their analyzers are. They are made when a statement first needs one.
var translators struct {
	mu sync.Mutex
	m  map[installed.Source]*translator.Translator
}

// googleSQL gives the translator of GoogleSQL; the error says how to get its analyzer.
func (in *instance) googleSQL() (*translator.Translator, error) {
	if t := in.translator.Load(); t != nil {
		return t, nil
	}
	source, err := installed.Find(config.Path(in.cfg, in.cfg.GoogleSQL.Library))
	translators.mu.Lock()
	defer translators.mu.Unlock()
	t := translators.m[source]
	if t == nil && err == nil {
		t, err = open(source)
	}
	if err != nil {
		return nil, failure.As(failure.ErrGoogleSQL, fmt.Errorf("GoogleSQL cannot be read: %w", err))
	}
	if translators.m == nil {
		translators.m = map[installed.Source]*translator.Translator{}
	}
	translators.m[source] = t
	in.translator.Store(t)
	return t, nil
}

func open(source installed.Source) (*translator.Translator, error) {
	s, err := source.Open(nil)
	if err != nil {
		return nil, err
	}
	return translator.New(context.Background(), s)
}
