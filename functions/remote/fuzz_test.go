package remote

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
)

// every codec, by what reads foreign JSON.
func codecs(tb testing.TB) []*Spec {
	specs := []*Spec{
		textSpec(tb, &fake{}), textSpec(tb, &fake{}, flat), specFor(tb, "ML.GENERATE_TEXT", claudeURL, &fake{}, flat),
		specFor(tb, "ML.GENERATE_TEXT", llamaURL, &fake{}, flat),
		specFor(tb, "AI.GENERATE_TEXT", geminiURL, &fake{}), specFor(tb, "AI.GENERATE_BOOL", geminiURL, &fake{}),
		specFor(tb, "AI.GENERATE_TABLE", geminiURL, &fake{}, Option{Name: "output_schema",
			Value: "a STRING, b ARRAY<STRUCT<c INT64, d NUMERIC>>, e BOOL, f ARRAY<FLOAT64>"}),
		specFor(tb, "ML.GENERATE_EMBEDDING", embeddingURL, &fake{}), specFor(tb, "ML.GENERATE_EMBEDDING", gemini2URL, &fake{}),
		specFor(tb, "ML.GENERATE_EMBEDDING", multimodalURL, &fake{}),
		customSpec(tb, &fake{}, "x INT64", "y NUMERIC"), customSpec(tb, &fake{}, "x INT64",
			"a BOOL, b INT64, c FLOAT64, d BIGNUMERIC, e STRING, f ARRAY<INT64>"),
	}
	specs[9].Media = true
	open := specFor(tb, "ML.GENERATE_TEXT", geminiURL, &fake{}, flat)
	open.Family = Open
	openEmbedding := specFor(tb, "ML.GENERATE_EMBEDDING", embeddingURL, &fake{})
	openEmbedding.Family = OpenEmbedding
	specs = append(specs, open, openEmbedding, openAISpec(tb, "ML.GENERATE_TEXT", &fake{}, flat),
		openAISpec(tb, "AI.GENERATE_EMBEDDING", &fake{}))
	for _, s := range specs {
		if err := s.Init(); err != nil {
			tb.Fatal(err)
		}
	}
	return specs
}

// fits fails unless a value is one that write can store.
func fits(t *testing.T, typ googlesql.Type, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return
	case []float64:
		if typ.Kind != googlesql.Array || typ.Elem.Kind != googlesql.Float64 {
			t.Fatalf("floats for %s", typ)
		}
	case []any:
		switch {
		case typ.Kind == googlesql.Array:
			for _, e := range v {
				fits(t, *typ.Elem, e)
			}
		case typ.Kind == googlesql.Struct && len(v) == len(typ.Fields):
			for i, e := range v {
				fits(t, typ.Fields[i].Type, e)
			}
		default:
			t.Fatalf("a list of %d for %s", len(v), typ)
		}
	case bool:
		if typ.Kind != googlesql.Bool {
			t.Fatalf("a bool for %s", typ)
		}
	case int64:
		if typ.Kind != googlesql.Int64 {
			t.Fatalf("an integer for %s", typ)
		}
	case float64:
		if typ.Kind != googlesql.Float64 {
			t.Fatalf("a float for %s", typ)
		}
	case string:
		if typ.Kind != googlesql.String && typ.Kind != googlesql.JSON {
			t.Fatalf("a text for %s", typ)
		}
		if typ.Kind == googlesql.JSON && !json.Valid([]byte(v)) {
			t.Fatalf("no JSON: %q", v)
		}
	default:
		if typ.Kind != googlesql.Numeric && typ.Kind != googlesql.BigNumeric {
			t.Fatalf("a %T for %s", v, typ)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"candidates":[{"content":{"parts":[{"text":"{\"a\":\"x\",\"b\":[{\"c\":1,\"d\":\"1.5\"}],\"result\":true}"}]},"finishReason":"STOP","safetyRatings":[]}],"usageMetadata":{"promptTokenCount":5}}`,
		`{"promptFeedback":{"blockReason":"SAFETY"}}`, `{"content":[{"type":"text","text":"a"}]}`,
		`{"choices":[{"message":{"content":[{"text":"a"}]}}]}`,
		`{"embeddings":{"values":[0.1,NaN,-Infinity],"statistics":{"token_count":4.0,"truncated":false}}}`,
		`{"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":1e30}}`,
		`{"videoEmbeddings":[{"startOffsetSec":0,"endOffsetSec":1e99,"embedding":[1]}]}`, `[[1,2]]`, `1e400`, `"NaN"`,
		`{"a":true,"b":1,"c":"Infinity","d":1e5,"e":"x","f":[1.0]}`, `null`, `{`,
	} {
		f.Add(s)
	}
	specs := codecs(f)
	f.Fuzz(func(t *testing.T, body string) {
		raw, err := readAnswer([]byte(body))
		if err != nil {
			return
		}
		tokens(raw)
		embeddingTokens(raw)
		for _, s := range specs {
			lines, status := s.codec.values(raw)
			if status == "" && len(lines) == 0 {
				t.Fatalf("%s %s: success without results", s.Func, s.Family)
			}
			if !utf8.ValidString(status) && utf8.ValidString(body) {
				t.Fatalf("status %q", status)
			}
			for _, l := range lines {
				if len(l) != len(s.columns) {
					t.Fatalf("%s: %d results for %d columns", s.Func, len(l), len(s.columns))
				}
				for i, v := range l {
					fits(t, s.columns[i].Type, v)
				}
			}
		}
	})
}

func FuzzPredictions(f *testing.F) {
	f.Add(`{"predictions":[1,{"a":NaN}],"deployedModelId":"1"}`, 2)
	f.Add(`{"predictions":[-Infinity,"-Infinity","a\"NaN"]}`, 3)
	f.Fuzz(func(t *testing.T, body string, n int) {
		answers, err := predictions(json.RawMessage(body), n)
		if err != nil {
			return
		}
		if len(answers) != n {
			t.Fatalf("%d answers", len(answers))
		}
		for _, a := range answers {
			if !json.Valid(a.Body) {
				t.Fatalf("%q", a.Body)
			}
		}
	})
}

// What finite leaves must be what it was, where that was JSON.
func FuzzFinite(f *testing.F) {
	f.Add(`{"a":[NaN,-NaN,Infinity,-Infinity,-1,"NaN \" Infinity"]}`)
	f.Fuzz(func(t *testing.T, body string) {
		out, changed := finite([]byte(body))
		if json.Valid([]byte(body)) && (changed || string(out) != body) {
			t.Fatalf("%q became %q", body, out)
		}
	})
}

func FuzzModelParams(f *testing.F) {
	f.Add(`{"generation_config":{"max_output_tokens":5,"temperature":0},"safety_settings":[],"labels":{"a_b":"c"}}`)
	f.Add(`{"generationConfig":7,"tools":[{"googleSearch":{}}]}`)
	f.Fuzz(func(t *testing.T, params string) {
		for _, fam := range []string{geminiURL, claudeURL, mistralURL} {
			o, err := ParseOptions("ML.GENERATE_TEXT", FamilyOf(fam), []Option{{Name: "model_params", Value: params}, flat})
			if err != nil {
				return
			}
			s := specFor(t, "ML.GENERATE_TEXT", fam, &fake{})
			s.Options = o
			if err := s.Init(); err != nil {
				return
			}
			p, status := s.codec.payload(context.Background(), []any{"x"})
			if status != "" || !json.Valid([]byte(p)) {
				t.Fatalf("%q %q", p, status)
			}
		}
	})
}

func FuzzColumns(f *testing.F) {
	f.Add("a STRING, b ARRAY<STRUCT<c INT64, `d e` BOOL>> OPTIONS(description = 'x')")
	f.Fuzz(func(t *testing.T, s string) {
		cols, err := ParseColumns(s)
		if err != nil {
			return
		}
		typ := googlesql.Type{Kind: googlesql.Struct, Fields: cols}
		if _, err := json.Marshal(responseSchema(typ)); err != nil {
			t.Fatal(err)
		}
		_ = typ.DuckDB()
	})
}

func FuzzRuntimeRef(f *testing.F) {
	f.Add(`{"access_urls":{"read_url":"https://x"},"objectref":{"uri":"gs://b/o","details":{"gcs_metadata":{"content_type":"image/png"}}}}`)
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok, _ := runtimeRef(s); ok && p.URI == "" {
			t.Fatal("an object without uri")
		}
	})
}

func TestFinite(t *testing.T) {
	tests := map[string]string{
		`[NaN,-NaN,Infinity,-Infinity,-1]`: `["NaN","NaN","Infinity","-Infinity",-1]`,
		`{"NaN":"a\"NaN","b":NaN}`:         `{"NaN":"a\"NaN","b":"NaN"}`,
		`{"a":1}`:                          `{"a":1}`,
	}
	for give, want := range tests {
		if got, _ := finite([]byte(give)); string(got) != want {
			t.Errorf("%s: %s, want %s", give, got, want)
		}
	}
}

func TestReadNumbers(t *testing.T) {
	ints := map[string]any{`3`: int64(3), `3.0`: int64(3), `"9223372036854775807"`: int64(math.MaxInt64), `3.5`: nil, `1e3`: int64(1000),
		`9223372036854775808`: nil, `"x"`: nil, `true`: nil}
	for give, want := range ints {
		got, err := jsonValue(scalar(googlesql.Int64), json.RawMessage(give))
		if err != nil {
			got = nil
		}
		if got != want {
			t.Errorf("%s: %v, want %v", give, got, want)
		}
	}
	for _, give := range []string{`[-Inf]`, `[-NaN]`, `[1, -infinity]`, `[nan]`, `[1,]`, `[1 2]`, `[0x1]`, `[1_0]`, `[[1],[2]]`, `[null]`,
		`1,2`, `null`} {
		if got, ok := readFloats(json.RawMessage(give)); ok {
			t.Errorf("%s: %v, want a refusal", give, got)
		}
	}
	decimals := map[string]string{`1.5`: "1500000000", `"-123.56"`: "-123560000000", `0.0000000005`: "1", `1e-99`: "0", `1e30`: "",
		`1e999999999`: ""}
	for give, want := range decimals {
		got, ok := readDecimal(json.RawMessage(give), 9)
		if !ok && want != "" || ok && got.String() != want {
			t.Errorf("%s: %v, want %s", give, got, want)
		}
	}
}
