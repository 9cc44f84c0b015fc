package main

import (
	"strings"
	"testing"

	"github.com/mallardml/mallard"
)

func TestSuggest(t *testing.T) {
	cfg := mallard.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	cfg.Connections = map[string]mallard.ConnectionConfig{"default": {Project: "p"}}
	s, err := (&options{}).connect(t.Context(), cfg, "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, q := range []string{"CREATE SCHEMA demo", "CREATE MODEL demo.gemini REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')", "CREATE TABLE news (title VARCHAR)"} {
		if _, err := s.conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		"SELECT * FROM ml.pr":                   "ML.PREDICT(",
		"SELECT AI.GENERATE_B":                  "AI.GENERATE_BOOL(",
		"DESCRIBE MODEL ":                       "demo.gemini",
		"SELECT * FROM ML.PREDICT(MODEL Demo.G": "demo.gemini",
		"SELECT * FROM ne":                      "news",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL demo.gemini, TABLE news, STRUCT(":                            "0.5 AS temperature",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL demo.gemini, (SELECT 1), STRUCT(0.2 AS temperature, 5 AS to": "top_k",
		"SELECT AI.GENERATE('x', en":               "endpoint => ",
		"SELECT * FROM ML.X(MODEL m, (sel":         "SELECT",
		"SELECT * FROM ML.X(MODEL m, (FROM ne":     "news",
		"SELECT * FROM ML.X(MODEL 'it''s', (FROM ": "news",
	} {
		found := false
		for _, got := range s.suggest(t.Context(), text) {
			typed := text[got.Start:]
			found = found || strings.EqualFold(strings.TrimSpace(got.Text), strings.TrimSpace(want)) && strings.EqualFold(want[:min(len(want), len(typed))], typed)
		}
		if !found {
			t.Errorf("%q: got %v, want %s among them", text, s.suggest(t.Context(), text), want)
		}
	}
	if got := s.suggest(t.Context(), "SELECT 'ML.P' || x.ml.p"); len(got) > 0 && strings.HasPrefix(got[0].Text, "ML.") {
		t.Error("a name behind a dot is no function of ours:", got)
	}
}
