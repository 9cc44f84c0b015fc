package bigquery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/server/iam"
	"github.com/mallardml/mallard/internal/server/rest"
)

// servePolicies answers POST …/tables/TABLE:getIamPolicy, and the like of routines. The verb is in the last part of the path.
func (s *Service) servePolicies(mux *http.ServeMux) {
	mux.HandleFunc("POST "+tablePath, func(w http.ResponseWriter, r *http.Request) {
		s.policy(w, r, "tables", "tableId", func(c *call, name string) (string, metadata.Key, error) {
			of, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), name)
			if err == nil && of.anonymous() {
				err = unsupported("Table %s: results have no policies", of)
			}
			return of.database, of.key(), err
		})
	})
	mux.HandleFunc("POST "+routinePath, func(w http.ResponseWriter, r *http.Request) {
		s.policy(w, r, "routines", "routineId", func(c *call, name string) (string, metadata.Key, error) {
			of, err := s.routine(c, name)
			return of.database, of.key(), err
		})
	})
}

// policy answers a request for a policy. of finds what it is of.
func (s *Service) policy(w http.ResponseWriter, r *http.Request, kind, last string, of func(*call, string) (string, metadata.Key, error)) {
	c := &call{s: s, w: w, r: r}
	name, verb := rest.Verb(c.path(last))
	database, key, err := of(c, name)
	if err != nil {
		c.reply(nil, err)
		return
	}
	kept, err := s.kept(c.ctx(), database, key)
	if err != nil {
		c.reply(nil, err)
		return
	}
	resource, before := "projects/"+c.project()+"/datasets/"+c.path("datasetId")+"/"+kind+"/"+name, kept.Properties[policyProperty]
	policies := &iam.Policies{Keep: func(ctx context.Context, _ string, text json.RawMessage) error {
		return s.keepPolicy(ctx, database, key, before, text)
	}}
	if before != nil {
		err = policies.Restore(map[string]json.RawMessage{resource: before})
	}
	if err != nil {
		c.reply(nil, err)
		return
	}
	policies.Serve(w, r, resource, verb)
}

// keepPolicy keeps a policy in place of the one that was there before.
func (s *Service) keepPolicy(ctx context.Context, database string, key metadata.Key, before, text json.RawMessage) error {
	return s.change(ctx, func(t *change) error {
		return t.keep(database, func(m *metadata.Store) (err error) {
			return errors.Join(m.Update(ctx, key, func(v *metadata.Value) {
				if !bytes.Equal(v.Properties[policyProperty], before) {
					err = errors.New("another request changed it at the same time")
					return
				}
				v.Properties = withPolicy(v.Properties, map[string]json.RawMessage{policyProperty: text})
			}), err)
		})
	})
}
