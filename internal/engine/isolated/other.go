//go:build !linux

package isolated

import (
	"context"
	"errors"

	"github.com/mallardml/mallard/internal/engine"
)

// Pool is not there on this system.
type Pool struct{}

// NewPool fails.
func NewPool(Options) (*Pool, error) {
	return nil, errors.New("[tensorflow] isolation = \"process\" is there on Linux only; leave it out")
}

// Close does nothing.
func (*Pool) Close() error { return nil }

func (*Pool) open(context.Context, *opening) (engine.Engine, error) {
	return nil, errors.ErrUnsupported
}

// Serve does nothing.
func Serve(func(config []byte) (engine.Kinds, error)) {}
