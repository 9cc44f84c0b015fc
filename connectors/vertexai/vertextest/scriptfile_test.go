package vertextest_test

import (
	"context"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/vertexai"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReadScript(t *testing.T) {
	got, err := vertextest.ReadScript(strings.NewReader(`
# one of each
{"contains": "duck", "answer": "quack"}
{"endpoint": "7", "contains": "duck", "prediction": {"label": "bird"}}
{"fault": "status", "status": 429, "method": "predict", "model": "m", "contains": "c", "every": 2, "after": 3, "times": 4, "share": 0.5, "message": "no", "retryAfter": "1.5s", "retryAsDate": true, "retryAsDetail": true}
{"fault": "latency", "latency": "50ms"}
{"fault": "huge", "size": 7}
{"settings": {"token": "t", "projects": ["p"], "locations": ["l"], "models": ["m"], "requestsPerMinute": 1, "tokensPerMinute": 2, "quotaRetryAfter": true, "provisioned": true, "limits": {"textInstances": 5}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &vertextest.Script{
		Rules:       []vertextest.Rule{{Contains: "duck", Answer: "quack"}},
		Predictions: []vertextest.Prediction{{Endpoint: "7", Contains: "duck", Prediction: []byte(`{"label": "bird"}`)}},
		Faults: []vertextest.Fault{
			{Kind: vertextest.Status, Status: 429, Method: "predict", Model: "m", Contains: "c", Every: 2, After: 3, Times: 4, Share: 0.5, Message: "no", RetryAfter: 1500 * time.Millisecond,
				RetryAsDate: true, RetryAsDetail: true},
			{Kind: vertextest.Latency, Latency: 50 * time.Millisecond},
			{Kind: vertextest.Huge, Size: 7},
		},
		Settings: &vertextest.Settings{Token: "t", Projects: []string{"p"}, Locations: []string{"l"}, Models: []string{"m"}, RequestsPerMinute: 1, TokensPerMinute: 2,
			QuotaRetryAfter: true, Provisioned: true, Limits: &vertextest.Limits{TextInstances: 5}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	var o vertextest.Options
	got.Apply(&o)
	if o.Token != "t" || len(o.Faults) != 3 || len(o.Script) != 1 || len(o.Predictions) != 1 || o.Limits.TextInstances != 5 || !o.Provisioned {
		t.Errorf("applied: %+v", o)
	}
	for bad, want := range map[string]string{
		`{"contains": "x"}`:                      "needs answer, prediction, fault or settings",
		`{"fault": "flood"}`:                     "there are latency, status, drop",
		`{"fault": "latency"}`:                   "50ms",
		`{"fault": "latency", "latency": 50}`:    "latency",
		`{"fault": "status", "status": 200}`:     "from 400 to 599",
		`{"fault": "drop", "share": 2}`:          "out of range",
		`{"fault": "drop", "evry": 2}`:           "evry",
		`{"endpoint": "7"}`:                      "both endpoint and prediction",
		`{"settings": {"tokn": "x"}}`:            "tokn",
		"{\"settings\": {}}\n{\"settings\": {}}": "line 3: settings stand in one line only",
		`[]`:                                     "line 2",
	} {
		if _, err := vertextest.ReadScript(strings.NewReader("\n" + bad)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v, want %s", bad, err, want)
		}
	}
}

// TestPlay: a later script takes the place of an earlier one, but for its settings; predictions leave the rest to the endpoint.
func TestPlay(t *testing.T) {
	s := serve(t, vertextest.Options{Endpoints: map[string]vertextest.Predictor{"7": double}})
	c := dial(t, s, vertexai.TransportREST)
	play := func(lines string) {
		t.Helper()
		script, err := vertextest.ReadScript(strings.NewReader(lines))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Play(script); err != nil {
			t.Fatal(err)
		}
	}
	predict := func(id string) (string, error) {
		raw, err := c.Predict(context.Background(), s.EndpointURL(id), raws(`{"x":1}`, `{"x":2}`), nil)
		return string(raw), err
	}
	play(`{"endpoint": "7", "contains": "2", "prediction": "two"}` + "\n" + `{"endpoint": "8", "contains": "2", "prediction": 2}` + "\n" + `{"settings": {"locations": ["us-central1"]}}`)
	if got, err := predict("7"); err != nil || !strings.Contains(got, `"predictions":[[2],"two"]`) {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := predict("8"); failed(t, err).HTTPStatus() != 400 || !strings.Contains(err.Error(), "no prediction of endpoint 8 for the instance {\"x\":1}") {
		t.Errorf("%v", err)
	}
	play(`{"fault": "status", "status": 404, "times": 1}`)
	if _, err := predict("7"); failed(t, err).HTTPStatus() != 404 {
		t.Errorf("%v", err)
	}
	if got, err := predict("7"); err != nil || !strings.Contains(got, `"predictions":[[2],[4]]`) {
		t.Errorf("%s, %v", got, err)
	}
	_, err := c.Predict(context.Background(), strings.ReplaceAll(s.EndpointURL("7"), "us-central1", "mars-east1"), raws(`{"x":1}`), nil)
	if failed(t, err).HTTPStatus() != 404 || !strings.Contains(err.Error(), "mars-east1") {
		t.Errorf("%v", err)
	}
}

func FuzzReadScript(f *testing.F) {
	f.Add(`{"contains":"a","answer":"b"}`)
	f.Add(`{"fault":"latency","latency":"1ms"}`)
	f.Add(`{"endpoint":"1","prediction":[1,NaN]}`)
	f.Add(`{"settings":{"limits":{"requestBytes":1}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		script, err := vertextest.ReadScript(strings.NewReader(text))
		if err != nil {
			return
		}
		o := vertextest.Options{}
		script.Apply(&o)
		for _, fault := range o.Faults {
			if fault.Kind == "" || fault.Latency < 0 || fault.RetryAfter < 0 {
				t.Fatalf("%+v", fault)
			}
		}
	})
}

func raws(values ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(values))
	for i, v := range values {
		out[i] = json.RawMessage(v)
	}
	return out
}
