package extension

import (
	"context"
	"os"
	"sync"

	"github.com/mallardml/mallard/internal/googlesql/analyzer/native"
	"github.com/mallardml/mallard/internal/googlesql/translator"
)

// googleSQL is the translator of the process; nil without the library.
var googleSQL = sync.OnceValues(func() (*translator.Translator, error) {
	path := os.Getenv("MALLARD_GOOGLESQL")
	if path == "" {
		return nil, nil
	}
	s, err := native.Open(path)
	if err != nil {
		return nil, err
	}
	return translator.New(context.Background(), s)
})
