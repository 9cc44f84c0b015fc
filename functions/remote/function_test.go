package remote

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

func opts(pairs ...any) []Option {
	var all []Option
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, Option{Name: pairs[i].(string), Value: pairs[i+1], Pos: i, End: i + 1})
	}
	return all
}

const (
	claudeURL     = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-haiku-4-5"
	mistralURL    = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/mistralai/models/mistral-small-2503"
	llamaURL      = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/meta/models/llama-3.3-70b-instruct-maas"
	multimodalURL = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/multimodalembedding@001"
	gemini001URL  = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-embedding-001"
	gemini2URL    = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-embedding-2-preview"
)

func TestFamilyOf(t *testing.T) {
	tests := map[string]Family{
		geminiURL: Gemini, claudeURL: Claude, mistralURL: Mistral, llamaURL: Llama, multimodalURL: Multimodal, gemini001URL: GeminiEmbedding,
		gemini2URL: EmbedContent, embeddingURL: TextEmbedding, endpointURL: Auto, "gemini-2.5-flash": Gemini, "gemini-embedding-001": GeminiEmbedding,
		"text-multilingual-embedding-002": TextEmbedding, "claude-opus-4-6": Claude, "mistral-large-2411": Mistral, "codestral-2501": Mistral,
		"openapi/meta/llama-3.3-70b-instruct-maas": Llama, "meta/llama-4-maverick-17b-128e-instruct-maas": Llama, "multimodalembedding@001": Multimodal, "phi-4": Auto,
	}
	for give, want := range tests {
		if got := FamilyOf(give); got != want {
			t.Errorf("%s: %s, want %s", give, got, want)
		}
	}
}

// Output columns, from the tables of BigQuery's documentation and of its live results.
func TestColumns(t *testing.T) {
	tests := []struct {
		function, endpoint string
		options            []Option
		media              bool
		want               string
	}{
		{"ML.GENERATE_TEXT", geminiURL, nil, false, "ml_generate_text_result JSON, ml_generate_text_status VARCHAR"},
		{"ML.GENERATE_TEXT", geminiURL, opts("flatten_json_output", true), false, "ml_generate_text_llm_result VARCHAR, ml_generate_text_rai_result VARCHAR, ml_generate_text_status VARCHAR"},
		{"ML.GENERATE_TEXT", geminiURL, opts("flatten_json_output", true, "ground_with_google_search", true), false,
			"ml_generate_text_llm_result VARCHAR, ml_generate_text_rai_result VARCHAR, ml_generate_text_grounding_result VARCHAR, ml_generate_text_status VARCHAR"},
		{"ML.GENERATE_TEXT", claudeURL, opts("flatten_json_output", true), false, "ml_generate_text_llm_result VARCHAR, ml_generate_text_status VARCHAR"},
		{"ML.GENERATE_TEXT", claudeURL, nil, false, "ml_generate_text_result JSON, ml_generate_text_status VARCHAR"},
		{"AI.GENERATE_TEXT", geminiURL, nil, false, "result VARCHAR, rai_result JSON, grounding_result JSON, statistics JSON, full_response JSON, status VARCHAR"},
		{"AI.GENERATE_TABLE", geminiURL, opts("output_schema", "title STRING, year INT64, tags ARRAY<STRING>"), false,
			"title VARCHAR, year BIGINT, tags VARCHAR[], full_response JSON, status VARCHAR"},
		{"AI.GENERATE", geminiURL, nil, false, "result VARCHAR, full_response JSON, status VARCHAR"},
		{"AI.GENERATE_INT", geminiURL, nil, false, "result BIGINT, full_response JSON, status VARCHAR"},
		{"ML.GENERATE_EMBEDDING", embeddingURL, nil, false, "ml_generate_embedding_result DOUBLE[], ml_generate_embedding_statistics JSON, ml_generate_embedding_status VARCHAR"},
		{"ML.GENERATE_EMBEDDING", embeddingURL, opts("flatten_json_output", false), false, "ml_generate_embedding_result JSON, ml_generate_embedding_status VARCHAR"},
		{"ML.GENERATE_EMBEDDING", multimodalURL, nil, false, "ml_generate_embedding_result DOUBLE[], ml_generate_embedding_status VARCHAR"},
		{"ML.GENERATE_EMBEDDING", multimodalURL, nil, true,
			"ml_generate_embedding_result DOUBLE[], ml_generate_embedding_status VARCHAR, ml_generate_embedding_start_sec BIGINT, ml_generate_embedding_end_sec BIGINT"},
		{"ML.GENERATE_EMBEDDING", gemini2URL, nil, false, "ml_generate_embedding_result DOUBLE[], ml_generate_embedding_statistics JSON, ml_generate_embedding_status VARCHAR"},
		{"AI.GENERATE_EMBEDDING", embeddingURL, nil, false, "embedding DOUBLE[], statistics JSON, status VARCHAR"},
		{"AI.GENERATE_EMBEDDING", multimodalURL, nil, true, "embedding DOUBLE[], statistics JSON, status VARCHAR, video_start_sec BIGINT, video_end_sec BIGINT"},
		{"AI.EMBED", embeddingURL, nil, false, "result DOUBLE[], status VARCHAR"},
	}
	for _, tt := range tests {
		s := specFor(t, tt.function, tt.endpoint, &fake{}, tt.options...)
		s.Media = tt.media
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, c := range s.Results() {
			parts = append(parts, c.Name+" "+c.Type.DuckDB())
		}
		if got := strings.Join(parts, ", "); got != tt.want {
			t.Errorf("%s %s %v:\n got %s\nwant %s", tt.function, s.Family, tt.options, got, tt.want)
		}
	}
}

// What goes over the wire, from the reference of each API.
func TestRequests(t *testing.T) {
	safety := []any{[]Option{{Name: "category", Value: "HARM_CATEGORY_HARASSMENT"}, {Name: "threshold", Value: "BLOCK_ONLY_HIGH"}}}
	object := record{[]string{"uri", "version", "authorizer", "details"}, []any{"gs://b/o.jpg", "1", "us.c", `{"gcs_metadata":{"content_type":"image/jpeg"}}`}}
	tests := []struct {
		name, function, endpoint string
		options                  []Option
		objects                  bool
		row                      []any
		want                     string
		params                   string
	}{
		{"defaults", "ML.GENERATE_TEXT", geminiURL, nil, false, []any{"Why?"},
			`{"contents":[{"role":"user","parts":[{"text":"Why?"}]}],"generationConfig":{"maxOutputTokens":1024,"temperature":0,"topP":0.95}}`, ""},
		{"all arguments", "ML.GENERATE_TEXT", geminiURL, opts("max_output_tokens", int64(50), "temperature", 0.2, "top_p", 0.5, "top_k", int64(7), "stop_sequences", []any{"x"},
			"ground_with_google_search", true, "safety_settings", safety, "FLATTEN_JSON_OUTPUT", true), false, []any{"Why?"},
			`{"contents":[{"role":"user","parts":[{"text":"Why?"}]}],"generationConfig":{"maxOutputTokens":50,"temperature":0.2,"topP":0.5,"topK":7,"stopSequences":["x"]},
			"tools":[{"googleSearch":{}}],"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_ONLY_HIGH"}]}`, ""},
		{"model_params", "ML.GENERATE_TEXT", geminiURL, opts("model_params", `{"safety_settings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}],"generation_config":{"max_output_tokens":75,"thinking_config":{"thinking_budget":0}},"labels":{"my_key":"v"}}`), false, []any{"Why?"},
			`{"contents":[{"role":"user","parts":[{"text":"Why?"}]}],"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}],"generationConfig":{"maxOutputTokens":75,"thinkingConfig":{"thinkingBudget":0}},"labels":{"my_key":"v"}}`, ""},
		{"struct prompt", "ML.GENERATE_TEXT", geminiURL, opts("model_params", `{}`), false, []any{record{[]string{"", "", ""}, []any{"Describe ", []any{"this", ": "}, object}}},
			`{"contents":[{"role":"user","parts":[{"text":"Describe this: "},{"fileData":{"mimeType":"image/jpeg","fileUri":"gs://b/o.jpg"}}]}]}`, ""},
		{"object table", "ML.GENERATE_TEXT", geminiURL, opts("model_params", `{}`, "prompt", "What?"), true, []any{"gs://b/o.png", "image/png"},
			`{"contents":[{"role":"user","parts":[{"fileData":{"mimeType":"image/png","fileUri":"gs://b/o.png"}},{"text":"What?"}]}]}`, ""},
		{"Claude", "ML.GENERATE_TEXT", claudeURL, opts("top_k", int64(3)), false, []any{"Why?"},
			`{"anthropic_version":"vertex-2023-10-16","messages":[{"role":"user","content":"Why?"}],"max_tokens":1024,"top_k":3}`, ""},
		{"Mistral", "ML.GENERATE_TEXT", mistralURL, nil, false, []any{"Why?"},
			`{"model":"mistral-small-2503","messages":[{"role":"user","content":"Why?"}],"max_tokens":1024,"temperature":0,"top_p":0.95}`, ""},
		{"Llama", "ML.GENERATE_TEXT", llamaURL, opts("stop_sequences", []any{"x"}), false, []any{"Why?"},
			`{"model":"meta/llama-3.3-70b-instruct-maas","messages":[{"role":"user","content":"Why?"}],"max_tokens":1024,"temperature":0,"top_p":0.95,"stop":["x"]}`, ""},
		{"table", "AI.GENERATE_TABLE", geminiURL, opts("output_schema", "a STRING, n ARRAY<INT64>", "temperature", int64(1)), false, []any{"Why?"},
			`{"contents":[{"role":"user","parts":[{"text":"Why?"}]}],"generationConfig":{"maxOutputTokens":1024,"temperature":1,"topP":0.95,"responseMimeType":"application/json",
			"responseSchema":{"type":"OBJECT","properties":{"a":{"type":"STRING"},"n":{"type":"ARRAY","items":{"type":"INTEGER"}}},"required":["a","n"],"propertyOrdering":["a","n"]}}}`, ""},
		{"embedding", "ML.GENERATE_EMBEDDING", embeddingURL, nil, false, []any{"text"}, `{"content":"text"}`, `{"autoTruncate":true}`},
		{"embedding of a document", "ML.GENERATE_EMBEDDING", embeddingURL, opts("task_type", "RETRIEVAL_DOCUMENT", "output_dimensionality", int64(256)), false, []any{"text", "a title"},
			`{"content":"text","title":"a title","task_type":"RETRIEVAL_DOCUMENT"}`, `{"autoTruncate":true,"outputDimensionality":256}`},
		{"a title without that task", "ML.GENERATE_EMBEDDING", embeddingURL, opts("task_type", "CLUSTERING"), false, []any{"text", "a title"}, `{"content":"text","task_type":"CLUSTERING"}`, `{"autoTruncate":true}`},
		{"multimodal text", "ML.GENERATE_EMBEDDING", multimodalURL, opts("output_dimensionality", int64(128)), false, []any{"text"}, `{"text":"text"}`, `{"dimension":128}`},
		{"multimodal image", "ML.GENERATE_EMBEDDING", multimodalURL, nil, true, []any{"gs://b/o.jpg", "image/jpeg"}, `{"image":{"gcsUri":"gs://b/o.jpg","mimeType":"image/jpeg"}}`, ""},
		{"multimodal video", "ML.GENERATE_EMBEDDING", multimodalURL, opts("start_second", 0.0, "end_second", int64(60), "interval_seconds", 10.0), true, []any{"gs://b/o.mp4", "video/mp4"},
			`{"video":{"gcsUri":"gs://b/o.mp4","videoSegmentConfig":{"startOffsetSec":0,"endOffsetSec":60,"intervalSec":10}}}`, ""},
		{"embedContent", "ML.GENERATE_EMBEDDING", gemini2URL, opts("task_type", "CLUSTERING"), false, []any{"text"}, `{"content":{"parts":[{"text":"text"}]},"taskType":"CLUSTERING"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := specFor(t, tt.function, tt.endpoint, &fake{}, tt.options...)
			s.Objects = tt.objects
			s.Titled = true
			if err := s.Init(); err != nil {
				t.Fatal(err)
			}
			got, status := s.codec.payload(context.Background(), tt.row)
			if status != "" {
				t.Fatal(status)
			}
			if isDeferred(got) { // an object with a version
				r, err := readDeferred(got)
				if err != nil {
					t.Fatal(err)
				}
				if got, status = s.codec.finish(context.Background(), r); status != "" {
					t.Fatal(status)
				}
			}
			sameJSON(t, got, tt.want)
			if tt.params != "" || s.parameters != nil {
				sameJSON(t, string(s.parameters), tt.params)
			}
		})
	}
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	norm := func(s string) string {
		var v any
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatalf("%v: %s", err, s)
		}
		b, _ := json.Marshal(v)
		return string(b)
	}
	if g, w := norm(got), norm(want); g != w {
		t.Errorf("\n got %s\nwant %s", g, w)
	}
}

func TestRequestTypeHeader(t *testing.T) {
	for give, want := range map[string]string{"DEDICATED": "dedicated", "shared": "shared", "UNSPECIFIED": ""} {
		s := specFor(t, "ML.GENERATE_TEXT", geminiURL, &fake{}, opts("request_type", give)...)
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		f := &fake{}
		if _, err := s.codec.call(context.Background(), f, []string{`{"contents":[{"parts":[{"text":"x"}]}]}`}); err != nil {
			t.Fatal(err)
		}
		if got := f.header["X-Vertex-AI-LLM-Request-Type"]; got != want {
			t.Errorf("%s: %q, want %q", give, got, want)
		}
	}
}

func TestOptionErrors(t *testing.T) {
	setting := func(c, th string) any { return []Option{{Name: "", Value: c}, {Name: "", Value: th}} }
	tests := []struct {
		function string
		family   Family
		options  []Option
		want     string
	}{
		{"ML.GENERATE_TEXT", Gemini, opts("temprature", 1.0), "ML.GENERATE_TEXT: there is no argument `temprature`; it takes flatten_json_output, ground_with_google_search, max_output_tokens, model_params, prompt, request_type, safety_settings, stop_sequences, temperature, top_k, top_p"},
		{"ML.GENERATE_TEXT", Gemini, opts("max_output_tokens", int64(8193)), "ML.GENERATE_TEXT: argument `max_output_tokens` is 8193; it must be in [1, 8192]"},
		{"ML.GENERATE_TEXT", Claude, opts("max_output_tokens", int64(4097)), "ML.GENERATE_TEXT: argument `max_output_tokens` is 4097; it must be in [1, 4096]"},
		{"ML.GENERATE_TEXT", Gemini, opts("Max_Output_Tokens", "9"), "ML.GENERATE_TEXT: argument `Max_Output_Tokens` is a STRING; it must be an INT64 in [1, 8192]"},
		{"ML.GENERATE_TEXT", Gemini, opts("temperature", 1.01), "ML.GENERATE_TEXT: argument `temperature` is 1.01; it must be in [0, 1]"},
		{"ML.GENERATE_TEXT", Claude, opts("temperature", 0.5), "ML.GENERATE_TEXT: argument `temperature` is not for Claude models; they take flatten_json_output, max_output_tokens, model_params, top_k, top_p"},
		{"ML.GENERATE_TEXT", Llama, opts("top_k", int64(1)), "ML.GENERATE_TEXT: argument `top_k` is not for Llama models; they take flatten_json_output, max_output_tokens, model_params, stop_sequences, temperature, top_p"},
		{"ML.GENERATE_TEXT", Gemini, opts("top_k", int64(41)), "ML.GENERATE_TEXT: argument `top_k` is 41; it must be in [1, 40]"},
		{"ML.GENERATE_TEXT", Gemini, opts("flatten_json_output", "yes"), "ML.GENERATE_TEXT: argument `flatten_json_output` is a STRING; it must be TRUE or FALSE"},
		{"ML.GENERATE_TEXT", Gemini, opts("top_p", 0.5, "TOP_P", 0.6), "ML.GENERATE_TEXT: argument `TOP_P` is given twice"},
		{"ML.GENERATE_TEXT", Gemini, opts("model_params", "{}", "top_p", 0.6), "ML.GENERATE_TEXT: `top_p` cannot stand beside model_params; put it into model_params"},
		{"ML.GENERATE_TEXT", Gemini, opts("model_params", `{"contents":[]}`), "ML.GENERATE_TEXT: argument `model_params` has the key contents, which comes from the rows; leave it out"},
		{"ML.GENERATE_TEXT", Gemini, opts("request_type", "FAST"), "ML.GENERATE_TEXT: argument `request_type` is 'FAST'; it must be one of DEDICATED, SHARED, UNSPECIFIED"},
		{"ML.GENERATE_TEXT", Gemini, opts("safety_settings", []any{setting(harms[0], thresholds[0]), setting(harms[0], thresholds[1])}), "ML.GENERATE_TEXT: argument `safety_settings` has the category HARM_CATEGORY_HATE_SPEECH twice"},
		{"AI.GENERATE_TEXT", Gemini, opts("flatten_json_output", true), "AI.GENERATE_TEXT: there is no argument `flatten_json_output`; it takes ground_with_google_search, max_output_tokens, model_params, prompt, request_type, safety_settings, stop_sequences, temperature, top_k, top_p"},
		{"ML.GENERATE_EMBEDDING", TextEmbedding, opts("output_dimensionality", int64(769)), "ML.GENERATE_EMBEDDING: argument `output_dimensionality` is 769; it must be in [1, 768]"},
		{"ML.GENERATE_EMBEDDING", Multimodal, opts("output_dimensionality", int64(300)), "ML.GENERATE_EMBEDDING: argument `output_dimensionality` is 300; it must be 128, 256, 512 or 1408"},
		{"ML.GENERATE_EMBEDDING", Multimodal, opts("start_second", 3.0), "ML.GENERATE_EMBEDDING: `start_second` and `end_second` need each other; give both"},
		{"ML.GENERATE_EMBEDDING", Multimodal, opts("start_second", 30.0, "end_second", 3.0), "ML.GENERATE_EMBEDDING: `start_second` is 30; it must be below `end_second`, which is 3"},
		{"ML.GENERATE_EMBEDDING", Multimodal, opts("interval_seconds", 120.0), "ML.GENERATE_EMBEDDING: argument `interval_seconds` is 120; it must be at least 4 and below 120"},
		{"ML.GENERATE_EMBEDDING", Multimodal, opts("task_type", "CLUSTERING"), "ML.GENERATE_EMBEDDING: argument `task_type` is not for multimodal embedding models; they take end_second, flatten_json_output, interval_seconds, output_dimensionality, start_second"},
		{"AI.GENERATE_TABLE", Gemini, nil, "AI.GENERATE_TABLE needs the argument `output_schema`, such as 'title STRING, year INT64'"},
		{"AI.GENERATE_TABLE", Gemini, opts("output_schema", "title TEXTT"), "AI.GENERATE_TABLE: argument `output_schema` has the type TEXTT; it may be BOOL, INT64, FLOAT64, NUMERIC, STRING, ARRAY<…> or STRUCT<…>"},
		{"ML.PREDICT", Custom, opts("treshold", 0.5), "ML.PREDICT: there is no argument `treshold`; it takes keep_original_columns, threshold, trial_id"},
	}
	for _, tt := range tests {
		_, err := ParseOptions(tt.function, tt.family, tt.options)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s %v:\n got %v\nwant %s", tt.function, tt.options, err, tt.want)
			continue
		}
		if oe, ok := err.(*OptionError); !ok || len(tt.options) > 0 && oe.Pos < 0 {
			t.Errorf("%v: no place", err)
		}
	}
}

func TestSuits(t *testing.T) {
	tests := []struct {
		function string
		family   Family
		want     string
	}{
		{"ML.GENERATE_TEXT", TextEmbedding, "ML.GENERATE_TEXT needs a text model, such as gemini-2.5-flash; this is a text embedding model"},
		{"ML.GENERATE_EMBEDDING", Gemini, "ML.GENERATE_EMBEDDING needs an embedding model, such as text-embedding-005; this is a Gemini model"},
		{"ML.PREDICT", Gemini, "ML.PREDICT needs a model with INPUT and OUTPUT on a custom endpoint, this is a Gemini model; use ML.GENERATE_TEXT or ML.GENERATE_EMBEDDING"},
		{"AI.GENERATE_TABLE", Claude, "AI.GENERATE_TABLE needs a Gemini model, this is a Claude model; use AI.GENERATE_TEXT"},
		{"ML.TRANSLATE", Gemini, "ML.TRANSLATE is not a function over remote models"},
	}
	for _, tt := range tests {
		if err := Suits(tt.function, tt.family); err == nil || err.Error() != tt.want {
			t.Errorf("got %v\nwant %s", err, tt.want)
		}
	}
}

// Answers to one row, and what becomes of them.
func TestAnswers(t *testing.T) {
	flatten := opts("flatten_json_output", true)
	tests := []struct {
		name, function, endpoint string
		options                  []Option
		body                     string
		want                     string // results as JSON, and the status behind
	}{
		{"several parts, thoughts left out", "ML.GENERATE_TEXT", geminiURL, flatten, `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"a"},{"text":"b"}]},"finishReason":"STOP"}]}`, `[["ab",null]]`},
		{"ratings with settings", "ML.GENERATE_TEXT", geminiURL, opts("flatten_json_output", true, "safety_settings", []any{[]Option{{Value: harms[0]}, {Value: thresholds[0]}}}),
			`{"candidates":[{"content":{"parts":[{"text":"a"}]},"safetyRatings":[{"category":"X"}]}]}`, `[["a","[{\"category\":\"X\"}]"]]`},
		{"blocked prompt", "ML.GENERATE_TEXT", geminiURL, flatten, `{"promptFeedback":{"blockReason":"SAFETY"}}`, `[[null,null]] The prompt was blocked: SAFETY`},
		{"blocked answer", "ML.GENERATE_TEXT", geminiURL, flatten, `{"candidates":[{"finishReason":"RECITATION"}]}`, `[[null,null]] The answer was stopped: RECITATION`},
		{"cut answer", "ML.GENERATE_TEXT", geminiURL, flatten, `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS"}]}`, `[["a",null]]`},
		{"whole response", "ML.GENERATE_TEXT", geminiURL, nil, `{"candidates": [ {"content":{"parts":[{"text":"a"}]}} ] }`, `[["{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}"]]`},
		{"other form", "ML.GENERATE_TEXT", geminiURL, flatten, `{"candidates":5}`, `[[null,null]] The answer has an unknown form: candidates is 5`},
		{"Claude", "ML.GENERATE_TEXT", claudeURL, flatten, `{"content":[{"type":"text","text":"a"}],"stop_reason":"end_turn"}`, `[["a"]]`},
		{"chat", "ML.GENERATE_TEXT", mistralURL, flatten, `{"choices":[{"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`, `[["a"]]`},
		{"table", "AI.GENERATE_TABLE", geminiURL, opts("output_schema", "t STRING, y INT64, s STRUCT<a BOOL, b ARRAY<FLOAT64>>"),
			`{"candidates":[{"content":{"parts":[{"text":"{\"t\":\"x\",\"y\":1912,\"s\":{\"a\":true,\"b\":[1,2.5]}}"}]}}]}`, `[["x",1912,[true,[1,2.5]],"…"]]`},
		{"table, wrong type", "AI.GENERATE_TABLE", geminiURL, opts("output_schema", "y INT64"),
			`{"candidates":[{"content":{"parts":[{"text":"{\"y\":\"often\"}"}]}}]}`, `[[null,"…"]] The answer does not follow output_schema: field y should be INT64, but is "often"`},
		{"bool", "AI.GENERATE_BOOL", geminiURL, nil, `{"candidates":[{"content":{"parts":[{"text":"{\"result\": true}"}]}}]}`, `[[true,"…"]]`},
		{"embedding", "ML.GENERATE_EMBEDDING", embeddingURL, nil, `{"embeddings":{"values":[0.1],"statistics":{"token_count":4.0,"truncated":false}}}`, `[[[0.1],"{\"token_count\":4,\"truncated\":false}"]]`},
		{"embedding of a wrong type", "ML.GENERATE_EMBEDDING", embeddingURL, nil, `{"embeddings":{"values":["a"]}}`, `null Invalid answer: the embedding has an element that should be FLOAT64, but is "a"`},
		{"no embedding", "ML.GENERATE_EMBEDDING", embeddingURL, nil, `{}`, `null Invalid answer: it has no embedding`},
		{"embedContent", "ML.GENERATE_EMBEDDING", gemini2URL, nil, `{"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":3}}`, `[[[1],"{\"token_count\":3,\"truncated\":false}"]]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := specFor(t, tt.function, tt.endpoint, &fake{}, tt.options...)
			if err := s.Init(); err != nil {
				t.Fatal(err)
			}
			lines, status := s.codec.values(json.RawMessage(tt.body))
			for _, l := range lines {
				if tt.function != "ML.GENERATE_TEXT" && s.Family.Text() {
					l[len(l)-1] = "…" // the response once more
				}
			}
			b, err := marshal(lines)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.TrimSpace(string(b) + " " + status)
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestVideoSegments(t *testing.T) {
	f := &fake{instance: func(in string) string {
		if strings.Contains(in, "mp4") {
			return `{"videoEmbeddings":[{"startOffsetSec":0,"endOffsetSec":16,"embedding":[1]},{"startOffsetSec":16,"endOffsetSec":32,"embedding":[2]}]}`
		}
		return `{"imageEmbedding":[3]}`
	}}
	db := openDB(t)
	s := specFor(t, "ML.GENERATE_EMBEDDING", multimodalURL, f)
	s.Objects = true
	db.add(s)
	cols, rows, err := db.query(context.Background(), "SELECT * FROM "+over(s, "SELECT * FROM (VALUES ('gs://b/v.mp4', 'video/mp4'), ('gs://b/i.png', 'image/png'), ('gs://b/x.txt', 'text/plain')) t(uri, content_type)"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(cols, " "), "ml_generate_embedding_result ml_generate_embedding_status ml_generate_embedding_start_sec ml_generate_embedding_end_sec uri content_type"; got != want {
		t.Errorf("columns %s", got)
	}
	want := `[1] |  | 0 | 16 | gs://b/v.mp4 | video/mp4
[2] |  | 16 | 32 | gs://b/v.mp4 | video/mp4
[3] |  | NULL | NULL | gs://b/i.png | image/png
[] | Object gs://b/x.txt has the content type "text/plain"; only images and videos have embeddings. | NULL | NULL | gs://b/x.txt | text/plain`
	if got := text(rows); got != want {
		t.Errorf("rows:\n%s", got)
	}
}
