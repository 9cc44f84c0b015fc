package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
)

func TestSuggest(t *testing.T) {
	cfg := mallard.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	cfg.Connections = map[string]mallard.ConnectionConfig{"default": {Project: "p"}, "west": {Project: "p"}, "p.us.far": {Project: "p"}}
	bucket := t.TempDir()
	for _, name := range []string{"cat.png", "dog.png"} {
		if err := os.WriteFile(filepath.Join(bucket, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Buckets = map[string]string{"pets": bucket, "plants": bucket}
	s, err := (&options{}).connect(t.Context(), cfg, "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, q := range []string{"CREATE SCHEMA demo", "CREATE MODEL demo.gemini REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')", "CREATE TABLE news (title VARCHAR, \"read by\" INT)",
		"CREATE MODEL \"my words\" OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='../../testdata/models/many_in_out')",
		"CREATE EXTERNAL TABLE zoo OPTIONS(object_metadata='SIMPLE', uris=['gs://pets/*'])"} {
		if _, err := s.conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	// Behind | stands what is behind the cursor; want is what comes first, but for the letters after … that may come anywhere.
	for text, want := range map[string]string{
		"SELECT * FROM ml.pr":                                "ML.PREDICT(",
		"SELECT AI.GENERATE_B":                               "AI.GENERATE_BOOL(",
		"SELECT * FROM ML.gtext":                             "ML.GENERATE_TEXT(",
		"SELECT gentext":                                     "AI.GENERATE_TEXT(…ML.GENERATE_TEXT(",
		"DESCRIBE MODEL ":                                    "\"my words\"…demo.gemini",
		"DESCRIBE MODEL my":                                  "\"my words\"",
		"DESCRIBE MODEL `m":                                  "\"my words\"",
		"DROP MODEL gmn":                                     "demo.gemini",
		"SELECT * FROM ML.PREDICT(MODEL Demo.G":              "demo.gemini",
		"CREATE MODEL demo.g":                                "!demo.gemini",
		"SELECT * FROM ne":                                   "news",
		"SHOW MOD":                                           "MODELS",
		"DESCRIBE mo":                                        "MODEL ",
		"CREATE OR REPLACE MOD":                              "MODEL ",
		"EXPLAIN ":                                           "ML ",
		"CREATE MODEL x ":                                    "OPTIONS(…REMOTE WITH CONNECTION ",
		"CREATE MODEL x REMOTE WITH CONNECTION ":             "DEFAULT…west…`p.us.far`",
		"CREATE MODEL x REMOTE WITH CONNECTION w":            "west",
		"CREATE MODEL x REMOTE WITH CONNECTION west ":        "OPTIONS(",
		"CREATE MODEL x OPTIONS(":                            "model_type = …model_path = …custom_ops = ",
		"CREATE MODEL x OPTIONS(model_type = ":               "'TENSORFLOW'",
		"CREATE MODEL x OPTIONS(model_type = 'TEN":           "TENSORFLOW'",
		"CREATE MODEL x OPTIONS(MODEL_TYPE = 'TENSORFLOW', ": "model_path = …signature = ",
		"CREATE MODEL x OPTIONS(model_type = 'TENSORFLOW', model_path = '../../testda":                                                "../../testdata/",
		"CREATE MODEL x REMOTE WITH CONNECTION west OPTIONS(e":                                                                        "endpoint = ",
		"CREATE MODEL x REMOTE WITH CONNECTION west OPTIONS(endpoint = ":                                                              "'gemini-2.5-flash'…'text-embedding-005'",
		"CREATE MODEL x REMOTE WITH CONNECTION west OPTIONS(endpoint = 'text":                                                         "text-embedding-005'",
		"CREATE EXTERNAL TABLE e OPTIONS(object_metadata='SIMPLE', uris=['gs://p":                                                     "gs://pets/…gs://plants/",
		"CREATE EXTERNAL TABLE e OPTIONS(object_metadata='SIMPLE', uris=['gs://pets/ca":                                               "gs://pets/cat.png",
		"CREATE EXTERNAL TABLE e OPTIONS(metadata_cache_mode = ":                                                                      "'AUTOMATIC'…'MANUAL'",
		"ALTER MODEL demo.gemini SET OPTIONS(":                                                                                        "description = …batch_size = ",
		"SELECT * FROM read_csv('complete_t":                                                                                          "complete_test.go",
		"SELECT ML.DISTANCE([1.0], [2.0], 'CO":                                                                                        "COSINE'",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL demo.gemini, TABLE ":                                                                    "zoo…news",
		"SELECT ML.DECODE_IMAGE(data) FROM ":                                                                                          "zoo",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL demo.gemini, (SELECT ":                                                                  "prompt",
		"SELECT * FROM ML.PREDICT(MODEL \"my words\", (SELECT ":                                                                       "count…flag…name…point",
		"SELECT * FROM ML.PREDICT(MODEL \"my words\", (SELECT 1 AS count, fl|, 'x' AS name FROM t))":                                  "flag",
		"SELECT * FROM ML.PREDICT(MODEL \"my words\", (SELECT 1 AS count, |, 'x' AS name FROM t))":                                    "flag…point",
		"SELECT n.| FROM news AS n":                                                                                                   "title…\"read by\"",
		"SELECT n.| FROM news n WHERE true":                                                                                           "title",
		"SELECT * FROM (SELECT 1 AS one, 2 AS other) q WHERE q.o":                                                                     "one…other",
		"SELECT news.ti| FROM news":                                                                                                   "title",
		"SELECT p.Tot| FROM ML.PREDICT(MODEL \"my words\", (SELECT 1 AS count, true AS flag, 'x' AS name, [1.0, 2.0] AS point)) AS p": "Total",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL demo.gemini, TABLE news, STRUCT(":                                                       "1 AS max_output_tokens…0.5 AS temperature",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL demo.gemini, (SELECT 1), STRUCT(0.2 AS temperature, 5 AS to":                            "top_p…top_k",
		"SELECT AI.GENERATE('x', en":                                                                                                  "endpoint => ",
		"SELECT * FROM ML.X(MODEL m, (sel":                                                                                            "select ",
		"SELECT * FROM ML.X(MODEL m, (FROM ne":                                                                                        "news",
		"SELECT * FROM ML.X(MODEL 'it''s', (FROM ":                                                                                    "gemini…news",
		"SELECT nws FROM nw": "news",
		"SELECT 1 -- ne":     "!news",
	} {
		text, after, _ := strings.Cut(text, "|")
		list := s.suggest(t.Context(), text, after)
		var got []string
		for _, one := range list {
			if got = append(got, one.Text); one.Start < 0 || one.Start > len(text) {
				t.Errorf("%q: %v", text, one)
			}
		}
		if no, ok := strings.CutPrefix(want, "!"); ok {
			if slices.Contains(got, no) {
				t.Errorf("%q: got %q", text, got)
			}
			continue
		}
		for i, w := range strings.Split(want, "…") {
			if at := slices.Index(got, w); at < 0 || i == 0 && at > 0 {
				t.Errorf("%q: got %q, want %q", text, got, w)
			}
		}
	}
	if got := s.suggest(t.Context(), "SELECT 'ML.P' || x.ml.p", ""); len(got) > 0 && strings.HasPrefix(got[0].Text, "ML.") {
		t.Error("a name behind a dot is no function of ours:", got)
	}
}

// TestHint: the line below a call says how it is written, and in its STRUCT what an argument is.
func TestHint(t *testing.T) {
	var s session
	s.cfg = mallard.DefaultConfig()
	for text, want := range map[string]string{
		"SELECT ML.DISTANCE(|":                                                                    "ML.DISTANCE(a, b [, type]) → FLOAT64",
		"SELECT ML.DISTANCE([1.0, abs(2|)])":                                                      "ML.DISTANCE(a, b",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL m, (SELECT |":                                       "ML.GENERATE_TEXT(MODEL m, { TABLE t | (query) } [, STRUCT",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL m, TABLE t, STRUCT(|":                               "STRUCT(value AS max_output_tokens, temperature",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL m, TABLE t, STRUCT(0.2| AS temperature)":            "temperature FLOAT64, 0 to 1",
		"SELECT * FROM ML.GENERATE_TEXT(MODEL m, TABLE t, STRUCT(0.2 AS temperature, 3 AS top_k|": "top_k INT64, 1 to 40",
		"SELECT ML.DISTANCE(a, b)|":                                                               "", "SELECT abs(|": "", "|": "", "SELECT '|": "",
	} {
		before, after, _ := strings.Cut(text, "|")
		if got := s.hint(before, after); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
