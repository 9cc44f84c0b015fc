package extension_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/failure"
)

// TestCodes: what a server or a program has to tell apart, and the kinds that errors.Is finds.
func TestCodes(t *testing.T) {
	db := open(t, "", config(t))
	exec(t, db, "CREATE SCHEMA demo", withModels(t, createText), "CREATE TABLE t AS SELECT 'a' AS input", "CREATE TABLE n AS SELECT 1 AS i")
	for _, tt := range []struct {
		give string
		want failure.Code
		kind error
	}{
		{"SELECT * FROM ML.PREDICT(MODEL demo.nope, TABLE t)", failure.NotFound, failure.ErrModelNotFound},
		{"SELECT * FROM ML_PREDICT('demo.nope', 'SELECT * FROM t')", failure.NotFound, failure.ErrModelNotFound},
		{"DROP MODEL demo.nope", failure.NotFound, failure.ErrModelNotFound},
		{"DROP MODEL t", failure.InvalidQuery, nil},
		{"CREATE MODEL nowhere.m OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='x')", failure.NotFound, failure.ErrDatasetNotFound},
		{strings.Replace(withModels(t, createText), "OR REPLACE ", "", 1), failure.AlreadyExists, failure.ErrModelExists},
		{"CREATE TABLE demo.m (i INTEGER)", failure.AlreadyExists, failure.ErrNameTaken},
		{"DROP EXTERNAL TABLE demo.nope", failure.NotFound, failure.ErrObjectTableNotFound},
		{"CREATE MODEL r REMOTE WITH CONNECTION nope OPTIONS(ENDPOINT='gemini-2.5-flash')", failure.NotFound, failure.ErrConnectionNotFound},
		{"SELECT * FROM ML.FORECAST(MODEL demo.m, TABLE t)", failure.Unsupported, failure.ErrNotSupported},
		{"SELECT `input`, HLL_COUNT.EXTRACT(b'') FROM t", failure.Unsupported, nil},
		{"SELECT `input` FROM t WHERE", failure.InvalidQuery, nil},
		{"SELEC 1", failure.InvalidQuery, nil},
		{"SELECT nope FROM t", failure.InvalidQuery, nil},
		{"SELECT * FROM nope", failure.NotFound, nil},
		{"CREATE TABLE t (i INTEGER)", failure.AlreadyExists, nil},
		{"SELECT 'a'::INTEGER", failure.InvalidQuery, nil},
		{"SELECT * FROM ML.PREDICT(MODEL demo.m, TABLE n)", failure.InvalidQuery, nil},
		{"SELECT * FROM read_csv('/no/such/file.csv')", failure.Resource, nil},
	} {
		_, err := db.ExecContext(t.Context(), tt.give)
		if got := extension.CodeOf(err); err == nil || got != tt.want {
			t.Errorf("%s: %q instead of %q: %v", tt.give, got, tt.want, err)
		}
		if tt.kind != nil && !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v is no %v", tt.give, err, tt.kind)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.ExecContext(ctx, "SELECT 1"); extension.CodeOf(err) != failure.Cancelled {
		t.Errorf("cancelled: %v", err)
	}
	if extension.CodeOf(nil) != "" || extension.CodeOf(errors.New("x")) != failure.Internal {
		t.Error("nil, or an error of somebody else's")
	}
	exec(t, db, "SET enable_external_access = false")
	_, err := db.ExecContext(t.Context(), "CREATE MODEL k OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='x')")
	if !errors.Is(err, failure.ErrNoExternalAccess) || extension.CodeOf(err) != failure.Permission {
		t.Errorf("external access: %v", err)
	}
}
