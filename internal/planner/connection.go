package planner

import (
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
)

// connectionOf finds the connection that a statement names. nil is the default one; where that is missing, the other place is
// to blame.
func connectionOf(cfg *config.Config, p *dialect.Path, other dialect.Span) (string, error) {
	if p == nil {
		name, err := config.ConnectionName(cfg)
		return name, dialect.At(other, err)
	}
	name, err := config.ConnectionName(cfg, p.Parts...)
	return name, dialect.At(p.Span, err)
}
