package bigquery

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/metadata"
)

// attempts is how often a change is tried that another one got ahead of.
const attempts = 10

// change runs f in a transaction: statements of GoogleSQL run on its connection, DuckDB's own and what is kept on the one under it.
func (s *Service) change(ctx context.Context, f func(t *change) error) error {
	for try := 0; ; try++ {
		err := s.try(ctx, f)
		if err == nil || try == attempts || !duckapi.Is(err, duckdb.ErrorTypeTransaction) || ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Duration(try+1) * 5 * time.Millisecond)
	}
}

func (s *Service) try(ctx context.Context, f func(t *change) error) (err error) {
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(&change{ctx, c}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// change is a transaction that changes the catalog and what is kept of it, or that reads at one moment.
type change struct {
	ctx context.Context
	c   *sql.Conn
}

// duck runs statements of DuckDB's.
func (t *change) duck(statements ...string) error {
	return extension.WithDuckDBSQL(t.ctx, t.c, func(c *sql.Conn) error {
		for _, q := range statements {
			if _, err := c.ExecContext(t.ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// googleSQL runs a statement of GoogleSQL's.
func (t *change) googleSQL(statement string) error {
	_, err := t.c.ExecContext(t.ctx, statement)
	return err
}

// keep changes what is kept.
func (t *change) keep(database string, f func(*metadata.Store) error) error {
	return extension.WithDuckDBSQL(t.ctx, t.c, func(c *sql.Conn) error { return f(metadata.Open(c, database)) })
}

// kept gives what is kept under a key.
func (t *change) kept(database string, k metadata.Key) (v metadata.Value, err error) {
	err = t.keep(database, func(m *metadata.Store) (err error) {
		v, err = m.Get(t.ctx, k)
		return err
	})
	return v, err
}

// update changes what is kept under a key, and notes when.
func (t *change) update(database string, k metadata.Key, f func(*metadata.Value)) error {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return t.keep(database, func(m *metadata.Store) error {
		return m.Update(t.ctx, k, func(v *metadata.Value) {
			f(v)
			v.Modified = &now
		})
	})
}

// patched reads a PATCH: what the body leaves out of the current resource stays, a null empties it.
func (c *call) patched(current, into any) error {
	text, err := c.read()
	if err != nil {
		return err
	}
	var change, whole map[string]any
	if err := json.Unmarshal(text, &change); err != nil {
		return parseError(err)
	}
	if text, err = json.Marshal(current); err == nil {
		err = json.Unmarshal(text, &whole)
	}
	if err != nil {
		return err
	}
	merge(whole, change)
	if text, err = json.Marshal(whole); err != nil {
		return err
	}
	return decodeRequest(text, into)
}

// merge is RFC 7396's.
func merge(into, change map[string]any) {
	for k, v := range change {
		if v == nil {
			delete(into, k)
			continue
		}
		inner, ok := v.(map[string]any)
		have, there := into[k].(map[string]any)
		switch {
		case ok && there:
			merge(have, inner)
		case ok:
			have = map[string]any{}
			merge(have, inner) // nulls go
			into[k] = have
		default:
			into[k] = v
		}
	}
}

// properties keeps fields of a resource as they are.
func properties(resource any, names ...string) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(resource)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	kept := map[string]json.RawMessage{}
	for _, n := range names {
		if v, ok := all[n]; ok && !empty(v) {
			kept[n] = v
		}
	}
	if len(kept) == 0 {
		return nil, nil
	}
	return kept, nil
}

// empty reports whether there is nothing in a message, nor in those inside it: clients send such ones to take away what was there.
func empty(text json.RawMessage) bool {
	var v any
	if json.Unmarshal(text, &v) != nil {
		return false
	}
	var none func(v any) bool
	none = func(v any) bool {
		switch x := v.(type) {
		case nil:
			return true
		case []any:
			return len(x) == 0
		case map[string]any:
			for _, inner := range x {
				if !none(inner) {
					return false
				}
			}
			return true
		}
		return false
	}
	return none(v)
}

// restore puts kept fields into a resource.
func restore(kept map[string]json.RawMessage, into any) error {
	if len(kept) == 0 {
		return nil
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return decode(text, into)
}

func millis(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// place writes a location as BigQuery does: US and EU, us-central1.
func location(s string) string {
	if strings.Contains(s, "-") {
		return strings.ToLower(s)
	}
	return strings.ToUpper(s)
}

// checkLabels refuses labels that BigQuery refuses
// (https://docs.cloud.google.com/bigquery/docs/labels-intro#requirements).
func checkLabels(labels map[string]string) error {
	if len(labels) > 64 {
		return invalid("A resource has at most 64 labels, not %d", len(labels))
	}
	for k, v := range labels {
		if k == "" || len([]rune(k)) > 63 || len([]rune(v)) > 63 || k != strings.ToLower(k) || v != strings.ToLower(v) {
			return invalid("Invalid label %q: %q. Keys have 1 to 63 characters and values at most 63, lower-case letters, digits, _ and -.", k, v)
		}
	}
	return nil
}

// withPolicy gives properties the policy that is among those that are kept.
func withPolicy(properties, kept map[string]json.RawMessage) map[string]json.RawMessage {
	text, ok := kept[policyProperty]
	if !ok {
		return properties
	}
	all := maps.Clone(properties)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	all[policyProperty] = text
	return all
}

// policyProperty is where the policy of a table or a routine is kept, so that it follows a rename and goes with what it is of.
const policyProperty = "iamPolicy"
