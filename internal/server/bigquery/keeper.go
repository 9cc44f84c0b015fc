package bigquery

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/mallardml/mallard/internal/metadata"
)

// Keeper keeps the resources of another API in the database, each as the JSON of its name. It is safe for concurrent use.
type Keeper struct {
	s    *Service
	kind metadata.Kind
}

// Keeper gives that of a kind.
func (s *Service) Keeper(kind metadata.Kind) Keeper { return Keeper{s, kind} }

// kept is the property under which the text is.
const kept = "resource"

// All gives what is kept, by names.
func (k Keeper) All(ctx context.Context) (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	err := k.s.duck(ctx, func(c *sql.Conn) error {
		list, err := metadata.Open(c, k.s.database).Named(ctx, k.kind)
		for _, e := range list {
			all[e.Name] = e.Value.Properties[kept]
		}
		return err
	})
	return all, err
}

// Keep keeps the text of a resource in place of what was kept; nil forgets it.
func (k Keeper) Keep(ctx context.Context, name string, text json.RawMessage) error {
	return k.s.change(ctx, func(t *change) error {
		return t.keep(k.s.database, func(m *metadata.Store) error {
			v := metadata.Value{}
			if text != nil {
				v.Properties = map[string]json.RawMessage{kept: text}
			}
			return m.Set(ctx, metadata.Key{Kind: k.kind, Name: name}, v)
		})
	})
}
