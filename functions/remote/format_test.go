package remote

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

const openAIURL = "http://127.0.0.1:11434/v1/models/m"

// openAISpec is a call over a model of an OpenAI-compatible server.
func openAISpec(t testing.TB, function string, svc Service, options ...Option) *Spec {
	t.Helper()
	f := OpenAI
	if strings.Contains(function, "EMBED") {
		f = OpenAIEmbedding
	}
	o, err := ParseOptions(function, f, options)
	if err != nil {
		t.Fatal(err)
	}
	s := specFor(t, "AI.GENERATE", openAIURL, svc)
	s.Func, s.Family, s.Name, s.Options, s.Inline = function, f, "m", o, true
	return s
}

// Answers without a text: NULL and the server's words, in every format; fields that nobody needs may have any form.
func TestNoText(t *testing.T) {
	message := func(m, reason string) string {
		return `{"id":5,"created":"now","choices":[{"index":"0","message":` + m + `,"finish_reason":"` + reason + `"}],"usage":"none"}`
	}
	const none = "[[null]] The answer has no text."
	chat := []struct{ body, want string }{
		{message(`{"content":"ok"}`, "stop"), `[["ok"]]`},
		{message(`{"content":[{"type":"thinking","text":"hm"},{"type":"text","text":"a"},{"type":"text","text":"b"},"c",5]}`, "stop"), `[["abc"]]`},
		{message(`{"content":"a","tool_calls":[]}`, "eos"), `[["a"]]`},
		{message(`{"content":"a"}`, "length"), `[["a"]]`},
		{`{"choices":[{"text":"older"}]}`, `[["older"]]`},
		{`{"choices":[{"index":1,"text":"second"},{"index":0,"text":"first"}]}`, `[["first"]]`},
		{`{"choices":[{"index":2,"text":"third"},{"index":1,"text":"second"}]}`, `[["third"]]`},
		{`{"choices":[{"message":{"content":"","reasoning":"The capital is Canberra"},"finish_reason":"stop"}]}`,
			"[[null]] The answer has no text: the model wrote its reasoning and no answer."},
		{message(`{"content":null}`, "stop"), none},
		{message(`{"content":""}`, "stop"), none},
		{message(`{}`, "stop"), none},
		{message(`null`, "stop"), none},
		{message(`{"content":5}`, ""), "[[null]] The answer has an unknown form: content is 5"},
		{message(`{"content":{"text":"a"}}`, "stop"), `[[null]] The answer has an unknown form: content is {"text":"a"}`},
		{message("{\"content\":\"caf\xe9\"}", "stop"), "null The answer is not valid UTF-8; the server writes another encoding."},
		{message(`{"content":[]}`, "stop"), none},
		{message(`{"content":null,"reasoning_content":"let me see"}`, "length"), "[[null]] The answer has no text: all its tokens went into reasoning (length); raise max_output_tokens."},
		{message(`{"content":"<think>let me see"}`, "length"), "[[null]] The answer has no text: all its tokens went into reasoning (length); raise max_output_tokens."},
		{message(`{"content":"<think>so</think>a"}`, "length"), `[["\u003cthink>so\u003c/think>a"]]`},
		{message(`{"content":""}`, "length"), "[[null]] The answer has no text: length; raise max_output_tokens."},
		{message(`{"content":null,"tool_calls":[{"function":{"name":"weather"}}]}`, "tool_calls"), "[[null]] The answer has no text: the model called the tool weather (tool_calls)."},
		{message(`{"content":"I will look","tool_calls":[{"function":{"name":"weather"}}]}`, "stop"), "[[null]] The answer has no text: the model called the tool weather (stop)."},
		{message(`{"content":null,"refusal":"I will not"}`, "stop"), "[[null]] The model refused: I will not"},
		{message(`{"content":"half"}`, "content_filter"), `[["half"]] The answer was stopped: content_filter`},
		{message(`{"content":"half"}`, "error"), "[[null]] The answer was stopped: error"},
		{`{"choices":[]}`, "[[null]] The answer has no choices."},
		{`{"id":"x","object":"y"}`, `[[null]] The answer has no choices; it is {"id":"x","object":"y"}`},
		{`{"error_code":18,"error_msg":"too many","log":1}`, `[[null]] The server answered an error: too many`},
		{`{"choices":null,"base_resp":{"status_code":1008,"status_msg":"no balance"}}`, "[[null]] The server answered an error: no balance"},
		{`{"choices":[],"message":"no worker is free"}`, "[[null]] The server answered an error: no worker is free"},
		{`{"model":"m","message":{"role":"assistant","content":"native"}}`, `[[null]] The answer has no choices; it is {"message":{"role":"assistant","content":"native"},"model":"m"}`},
		{`{"error":{"code":0,"message":""},"choices":[{"message":{"content":"a"}}]}`, `[["a"]]`},
		{`{"error":{"code":null,"message":null},"choices":[{"message":{"content":"a"}}]}`, `[["a"]]`},
		{`{"choices":[{"message":"hello"}]}`, `[[null]] The answer has an unknown form: message is "hello"`},
		{`{"choices":[{"delta":{"content":"d"}}]}`, `[[null]] The answer has no message; it is {"delta":{"content":"d"}}`},
		{message(`{"content":"half"}`, "CONTENT_FILTER"), `[["half"]] The answer was stopped: CONTENT_FILTER`},
		{message(`{"content":"half"}`, "content_filter: PROHIBITED_CONTENT"), `[["half"]] The answer was stopped: content_filter: PROHIBITED_CONTENT`},
		{message(`{"content":""}`, "SAFETY"), `[[null]] The answer was stopped: SAFETY`},
		{message(`{"content":"half"}`, "Error"), "[[null]] The answer was stopped: Error"},
		{message(`{"content":""}`, "MAX_TOKENS"), "[[null]] The answer has no text: MAX_TOKENS; raise max_output_tokens."},
		{message(`{"content":[{"type":"refusal","refusal":"I will not"}]}`, "stop"), "[[null]] The model refused: I will not"},
		{message(`{"content":"[THINK]let me"}`, "length"), "[[null]] The answer has no text: all its tokens went into reasoning (length); raise max_output_tokens."},
		{message(`{"content":"<think>so</think>\n"}`, "length"), "[[null]] The answer has no text: all its tokens went into reasoning (length); raise max_output_tokens."},
		{message(`{"content":"<think>so</think>\n"}`, "stop"), none},
		{message(`{"content":null,"tool_calls":{"function":{"name":"f"}}}`, "tool_calls"), "[[null]] The answer has no text: the model called the tool (tool_calls)."},
		{`{"choices":{}}`, "[[null]] The answer has an unknown form: choices is {}"},
	}
	claude := []struct{ body, want string }{
		{`{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":"?"}}`, `[["a"]]`},
		{`{"content":[{"type":"text","text":""}],"stop_reason":"end_turn"}`, none},
		{`{"content":[{"type":"thinking","thinking":"hm"}],"stop_reason":"max_tokens"}`, "[[null]] The answer has no text: all its tokens went into reasoning (max_tokens); raise max_output_tokens."},
		{`{"content":[{"type":"tool_use","name":"f"}],"stop_reason":"tool_use"}`, "[[null]] The answer has no text: the model called the tool f."},
		{`{"content":[{"type":"text","text":"no"}],"stop_reason":"refusal"}`, `[["no"]] The answer was stopped: refusal`},
		{`{"content":null}`, "[[null]] The answer has no content."},
		{`{"content":[],"stop_reason":"end_turn"}`, none},
	}
	gemini := []struct{ body, want string }{
		{`{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}`, none},
		{`{"candidates":[{"content":{},"finishReason":"STOP"}],"usageMetadata":5}`, none},
		{`{"candidates":[{"content":{"parts":null}}]}`, none},
		{`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}]}`, "[[null]] The answer has no text: the model called the function f."},
		{`{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}],"usageMetadata":{"thoughtsTokenCount":60}}`,
			"[[null]] The answer has no text: all its tokens went into reasoning (MAX_TOKENS); raise max_output_tokens."},
		{`{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"bad call"}]}`, "[[null]] The answer was stopped: MALFORMED_FUNCTION_CALL: bad call"},
		{`{"candidates":[],"promptFeedback":{"blockReason":"OTHER","blockReasonMessage":"m"}}`, "[[null]] The prompt was blocked: OTHER: m"},
	}
	open := []struct{ body, want string }{
		{`"a"`, `[["a"]]`}, {`{"generated_text":"a"}`, `[["a"]]`}, {`""`, none}, {`null`, none}, {`{"content":null}`, none}, {`5`, none},
		{`{"error":"out of memory"}`, "[[null]] The server answered an error: out of memory"},
		{message(`{"content":null}`, "stop"), none},
	}
	for _, family := range []struct {
		family Family
		tests  []struct{ body, want string }
	}{{OpenAI, chat}, {Mistral, chat}, {Llama, chat}, {Claude, claude}, {Gemini, gemini}, {Open, open}} {
		s := specFor(t, "ML.GENERATE_TEXT", geminiURL, &fake{}, flat)
		s.Family = family.family
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		for _, tt := range family.tests {
			lines, status := s.codec.values(json.RawMessage(tt.body))
			for i := range lines {
				lines[i] = lines[i][:1]
			}
			b, err := json.Marshal(lines)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(tt.want, ">", `\u003e`)
			if got := strings.TrimSpace(string(b) + " " + status); got != want && got != tt.want {
				t.Errorf("%s %s:\n got %s\nwant %s", family.family, tt.body, got, tt.want)
			}
		}
	}
}

// An answer without text, or an error as an answer, is asked again the next time: nothing of it is kept.
func TestNoTextIsNotKept(t *testing.T) {
	for _, body := range []string{
		`{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`, `{"choices":[{"message":{"content":""},"finish_reason":"length"}]}`,
		`{"choices":[{"message":{"content":"x"},"error":{"code":400,"message":"m"}}]}`, `{"error":{"code":400,"message":"m"}}`, `{"id":"x"}`,
	} {
		db := openDB(t)
		f := &fake{text: func(string) string { return body }}
		s := openAISpec(t, "ML.GENERATE_TEXT", f, flat)
		cache := &memoryCache{}
		s.Cache = cache
		db.add(s)
		for range 2 {
			rows := db.must("SELECT ml_generate_text_llm_result IS NULL, ml_generate_text_status <> '' FROM " + over(s, "SELECT 'a' AS prompt"))
			if text(rows) != "true | true" {
				t.Errorf("%s: %v", body, rows)
			}
		}
		if f.n != 2 || len(cache.m) != 0 {
			t.Errorf("%s: %d requests, %d answers kept", body, f.n, len(cache.m))
		}
	}
}

// What is sent to an OpenAI-compatible server, by OpenAI's API reference.
func TestOpenAIRequests(t *testing.T) {
	tests := []struct {
		name, function string
		options        []Option
		want           string
	}{
		{"defaults", "ML.GENERATE_TEXT", nil, `{"model":"m","messages":[{"role":"user","content":"Why?"}],"max_tokens":1024,"temperature":0,"top_p":0.95}`},
		{"every argument", "ML.GENERATE_TEXT", opts("max_output_tokens", int64(70000), "temperature", 1.5, "top_p", 0.5, "top_k", int64(7), "stop_sequences", []any{"x"}, "ground_with_google_search", false, "request_type", "SHARED"),
			`{"model":"m","messages":[{"role":"user","content":"Why?"}],"max_tokens":70000,"temperature":1.5,"top_p":0.5,"top_k":7,"stop":["x"]}`},
		{"no arguments", "AI.GENERATE", nil, `{"model":"m","messages":[{"role":"user","content":"Why?"}]}`},
		{"the server's words", "AI.GENERATE", opts("model_params", `{"reasoning_effort":"low","seed":3,"chat_template_kwargs":{"enable_thinking":false}}`),
			`{"model":"m","messages":[{"role":"user","content":"Why?"}],"reasoning_effort":"low","seed":3,"chat_template_kwargs":{"enable_thinking":false}}`},
		{"Gemini's words", "AI.GENERATE", opts("model_params", `{"system_instruction":{"parts":[{"text":"Be "},{"text":"brief"}]},"safetySettings":[],
			"generation_config":{"temperature":0.25,"topP":0.5,"maxOutputTokens":7,"stop_sequences":["x"],"seed":3,"presencePenalty":0.1,"frequencyPenalty":0.2,"responseMimeType":"application/json"}}`),
			`{"model":"m","messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Why?"}],"temperature":0.25,"top_p":0.5,"max_tokens":7,"stop":["x"],"seed":3,
			"presence_penalty":0.1,"frequency_penalty":0.2,"response_format":{"type":"json_object"}}`},
		{"Gemini's schema", "AI.GENERATE", opts("model_params", `{"generationConfig":{"responseMimeType":"application/json","responseSchema":
			{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true},"l":{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":"2"}},"required":["l"],"propertyOrdering":["l","type"]}}}`),
			`{"model":"m","messages":[{"role":"user","content":"Why?"}],"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":
			{"type":"object","properties":{"type":{"type":["string","null"]},"l":{"type":"array","items":{"type":"integer"},"minItems":2}},"required":["l"]}}}}`},
		{"table", "AI.GENERATE_TABLE", opts("output_schema", "a STRING, n ARRAY<INT64>"),
			`{"model":"m","messages":[{"role":"user","content":"Why?"}],"max_tokens":1024,"temperature":0,"top_p":0.95,"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":
			{"type":"object","properties":{"a":{"type":"string"},"n":{"type":"array","items":{"type":"integer"}}},"required":["a","n"]}}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := openAISpec(t, tt.function, &fake{}, tt.options...)
			if err := s.Init(); err != nil {
				t.Fatal(err)
			}
			got, status := s.codec.payload(context.Background(), []any{"Why?"})
			if status != "" {
				t.Fatal(status)
			}
			sameJSON(t, got, tt.want)
		})
	}
	s := openAISpec(t, "AI.GENERATE", &fake{}, opts("model_params", `{"generationConfig":{"maxOutputTokens":7}}`)...)
	s.TokenField = "max_completion_tokens"
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	got, _ := s.codec.payload(context.Background(), []any{"Why?"})
	sameJSON(t, got, `{"model":"m","messages":[{"role":"user","content":"Why?"}],"max_completion_tokens":7}`)
}

// What such a server has no word for is refused by name, before anything is sent.
func TestOpenAIRefusals(t *testing.T) {
	for params, want := range map[string]string{
		`{"generationConfig":{"thinkingConfig":{"thinkingBudget":1}}}`: "thinkingConfig has no counterpart", `{"safetySettings":[{"category":"x"}]}`: "safetySettings has no counterpart",
		`{"cachedContent":"x"}`: "cachedContent has no counterpart", `{"labels":{"a":"b"}}`: "labels has no counterpart", `{"model":"x"}`: "model comes from the ENDPOINT",
		`{"stream":true}`: "stream", `{"n":2}`: "n: a row gets one answer", `{"generationConfig":{"candidateCount":2}}`: "n: a row gets one answer",
		`{"generationConfig":{"responseMimeType":"text/x.enum"}}`: "text/x.enum", `{"systemInstruction":{"parts":[{"inlineData":{}}]}}`: "systemInstruction is not",
	} {
		err := openAISpec(t, "AI.GENERATE", &fake{}, opts("model_params", params)...).Init()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", params, err, want)
		}
	}
	for _, tt := range []struct {
		function string
		option   Option
		want     string
	}{
		{"ML.GENERATE_TEXT", opts("ground_with_google_search", true)[0], "only Gemini models of Vertex AI search"},
		{"AI.GENERATE", opts("request_type", "DEDICATED")[0], "provisioned throughput is Vertex AI's"},
		{"ML.GENERATE_TEXT", opts("safety_settings", []any{})[0], "is not for OpenAI-compatible models"},
		{"ML.GENERATE_EMBEDDING", opts("task_type", "CLUSTERING")[0], "is not for OpenAI-compatible embedding models"},
	} {
		f := OpenAI
		if strings.Contains(tt.function, "EMBED") {
			f = OpenAIEmbedding
		}
		if _, err := ParseOptions(tt.function, f, []Option{tt.option}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.option.Name, err)
		}
	}
}

// Objects go inside the request, each in the place that the API has for its kind.
func TestOpenAIMedia(t *testing.T) {
	object := func(uri string) record {
		return record{[]string{"uri", "version", "authorizer", "details"}, []any{uri, nil, nil, nil}}
	}
	for uri, want := range map[string]string{
		"/a.png": `{"type":"image_url","image_url":{"url":"data:image/png;base64,AAEC"}}`, "/a.wav": `{"type":"input_audio","input_audio":{"data":"AAEC","format":"wav"}}`,
		"gs://b/a.mp3": `{"type":"input_audio","input_audio":{"data":"AAEC","format":"mp3"}}`, "/a.pdf": `{"type":"file","file":{"filename":"file.pdf","file_data":"data:application/pdf;base64,AAEC"}}`,
		"/a.txt": `{"type":"text","text":"\u0000\u0001\u0002"}`, "/a.mp4": "",
	} {
		s := openAISpec(t, "AI.GENERATE", &fake{})
		s.Load = func(context.Context, Object) ([]byte, string, error) { return []byte{0, 1, 2}, "", nil }
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		p, status := s.codec.payload(t.Context(), []any{record{[]string{"", ""}, []any{"What? ", object(uri)}}})
		if isDeferred(p) {
			r, err := readDeferred(p)
			if err != nil {
				t.Fatal(err)
			}
			p, status = s.codec.finish(t.Context(), r)
		}
		if want == "" {
			if !strings.Contains(status, "video/mp4") {
				t.Errorf("%s: %q %q", uri, p, status)
			}
			continue
		}
		if status != "" {
			t.Fatal(status)
		}
		sameJSON(t, p, `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"What? "},`+want+`]}]}`)
	}
}

// Several texts go in one request; the answer names each by its index, or keeps their order.
func TestOpenAIEmbeddings(t *testing.T) {
	for answer, want := range map[string]string{
		`{"data":[{"object":"embedding","index":1,"embedding":[3,4]},{"index":0,"embedding":[0.5,-1]}],"model":5,"usage":"?"}`:  "[0.5 -1] |  | a\n[3 4] |  | b",
		`{"data":[{"embedding":[1]},{"embedding":[2]}]}`:                                                                        "[1] |  | a\n[2] |  | b",
		`{"data":[{"index":"0","embedding":[[1]]},{"index":1.0,"embedding":[2],"error":null}]}`:                                 "[1] |  | a\n[2] |  | b",
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[]}]}`:                                                     "[1] |  | a\n[] | Invalid answer: it has no embedding | b",
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":null}]}`:                                                   "[1] |  | a\n[] | Invalid answer: it has no embedding | b",
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":null,"error":{"message":"too long","code":400}}]}`:         "[1] |  | a\n[] | The server answered an error: too long | b",
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"error":"too long"}]}`:                                                 "[1] |  | a\n[] | The server answered an error: too long | b",
		`{"error":{"code":0,"message":""},"data":[{"embedding":[1]},{"embedding":[2]}]}`:                                        "[1] |  | a\n[2] |  | b",
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":"AACA"}]}`:                                                 "[1] |  | a\n[] | Invalid answer: the embedding should be ARRAY<FLOAT64>, but is \"AACA\" | b",
		`{"data":[{"index":0,"embedding":"AADAPwAAEMDNzMw9"},{"index":1,"embedding":"[0.5, 1e-3]"}]}`:                           "[1.5 -2.25 0.10000000149011612] |  | a\n[0.5 0.001] |  | b",
		`{"data":[{"index":0,"embedding":"AACAPw"},{"index":1,"embedding":"AACAPwAAwH8="}]}`:                                    "[1] |  | a\n[] | Invalid answer: the embedding has a value that is not a finite number | b",
		`{"data":[{"index":0,"embedding":""},{"index":1,"embedding":"[1, null]"}]}`:                                             "[] | Invalid answer: the embedding should be ARRAY<FLOAT64>, but is \"\" | a\n[] | Invalid answer: the embedding has a value that is not a finite number | b",
		`{"error":"None","data":[{"embedding":[1],"error":"none"},{"embedding":[2],"error":{"code":"0","message":"success"}}]}`: "[1] |  | a\n[2] |  | b",
	} {
		db := openDB(t)
		f := &fake{text: func(string) string { return answer }}
		s := db.add(openAISpec(t, "ML.GENERATE_EMBEDDING", f, opts("output_dimensionality", int64(4096))...))
		got := text(db.must("SELECT ml_generate_embedding_result, ml_generate_embedding_status, content FROM " + over(s, "SELECT unnest(['a', 'b']) AS content")))
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", answer, got, want)
		}
		sameJSON(t, f.sent[0], `{"model":"m","input":["a","b"],"dimensions":4096,"encoding_format":"float"}`)
	}
	for _, bad := range []string{`{"data":[{"index":0},{"index":0}]}`, `{"data":[{"index":0},{"index":2}]}`, `{"data":[{"index":-1},{"index":0}]}`, `{"data":[{"index":"x"},{}]}`, `{"data":[{}]}`} {
		if a, err := placed(elements(members(json.RawMessage(bad))["data"]), 2); err == nil {
			t.Errorf("%s: %v", bad, a)
		}
	}
	for answer, want := range map[string]string{
		`{"data":null,"message":"embedder down"}`: "embedder down", `{"data":[],"code":400,"msg":"no worker"}`: "no worker",
		`{"embeddings":[[1]]}`: `The answer has no data; it is {"embeddings":[[1]]}`,
	} {
		db := openDB(t)
		s := db.add(openAISpec(t, "AI.GENERATE_EMBEDDING", &fake{text: func(string) string { return answer }}))
		if got := text(db.must("SELECT status FROM " + over(s, "SELECT 'a' AS content"))); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s", answer, got)
		}
	}
	db := openDB(t)
	f := &fake{text: func(string) string {
		return `{"data":[{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":3.0,"total_tokens":3}}`
	}}
	s := db.add(openAISpec(t, "AI.GENERATE_EMBEDDING", f))
	if got := text(db.must("SELECT embedding, statistics, status FROM " + over(s, "SELECT 'a' AS content"))); got != "[1] | map[token_count:3 truncated:false] | " {
		t.Error(got)
	}
}
