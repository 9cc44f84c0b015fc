package vertex

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/modeltest"
)

func TestMain(m *testing.M) { leak.Main(m) }

const parent = "projects/p/locations/us-central1"

// serve starts a service over the models of testdata as bucket "models", and gives what TensorFlow in Python says of swivel_like.
func serve(t *testing.T) (url string, texts []any, want []float64) {
	t.Helper()
	models, err := filepath.Abs("../../../testdata/models")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Inputs  map[string]struct{ Values []any }
		Outputs map[string]struct{ Values []float64 }
	}
	b, err := os.ReadFile(filepath.Join(models, "swivel_like.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	cfg := mallard.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	cfg.Buckets = map[string]string{"models": models}
	cfg.BigQuery.Confined = true // as mallard serve has it
	s, err := New(Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	calls := grpc.NewServer()
	s.Register(calls)
	h := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 {
			calls.ServeHTTP(w, r)
			return
		}
		s.ServeHTTP(w, r)
	}))
	h.Config.Protocols = new(http.Protocols)
	h.Config.Protocols.SetHTTP1(true)
	h.Config.Protocols.SetUnencryptedHTTP2(true)
	h.Start()
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		calls.Stop()
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return h.URL, cases[0].Inputs["content"].Values, cases[0].Outputs["embedding"].Values
}

func check(t *testing.T, got [][]float64, want []float64) {
	t.Helper()
	if len(got)*20 != len(want) {
		t.Fatalf("%d predictions", len(got))
	}
	for i, v := range got {
		for j := range v {
			if err := modeltest.Check(v[j], want[20*i+j], modeltest.Tolerance("float32", modeltest.Shallow)); err != nil {
				t.Fatalf("prediction %d, element %d: %v", i, j, err)
			}
		}
	}
}

// TestREST: upload, create, deploy and predict give TensorFlow's numbers; what is in use is not deleted.
func TestREST(t *testing.T) {
	url, texts, want := serve(t)
	ask := func(method, path string, body any, status int) map[string]any {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), method, url+"/v1/"+path, bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if b, err = io.ReadAll(res.Body); err != nil || res.StatusCode != status {
			t.Fatalf("%s %s: %d %s, %v", method, path, res.StatusCode, b, err)
		}
		var out map[string]any
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatalf("%s %s: %s", method, path, b)
		}
		return out
	}
	field := func(m map[string]any, path ...string) string {
		for _, p := range path[:len(path)-1] {
			m, _ = m[p].(map[string]any)
		}
		s, _ := m[path[len(path)-1]].(string)
		return s
	}
	up := ask("POST", parent+"/models:upload",
		map[string]any{"model": map[string]any{"displayName": "BERT", "artifactUri": "gs://models/swivel_like"}}, 200)
	model := field(up, "response", "model")
	if done, _ := up["done"].(bool); !done || !strings.HasPrefix(model, parent+"/models/") {
		t.Fatal(up)
	}
	if op := ask("GET", field(up, "name"), nil, 200); field(op, "response", "model") != model {
		t.Error(op)
	}
	if m := ask("GET", model, nil, 200); field(m, "displayName") != "BERT" {
		t.Error(m)
	}
	endpoint := field(ask("POST", parent+"/endpoints", map[string]any{"displayName": "bert_model_endpoint"}, 200), "response", "name")
	deployed := field(ask("POST", endpoint+":deployModel", map[string]any{"deployedModel": map[string]any{"model": model}}, 200), "response",
		"deployedModel", "id")
	answer := ask("POST", endpoint+":predict", map[string]any{"instances": texts}, 200)
	var got [][]float64
	b, err := json.Marshal(answer["predictions"])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	check(t, got, want)
	ask("DELETE", model, nil, 400)
	ask("DELETE", endpoint, nil, 400)
	ask("POST", endpoint+":deployModel", map[string]any{"deployedModel": map[string]any{"model": model}}, 400)
	ask("POST", endpoint+":undeployModel", map[string]any{"deployedModelId": "other"}, 404)
	ask("POST", endpoint+":undeployModel", map[string]any{"deployedModelId": deployed}, 200)
	ask("POST", endpoint+":predict", map[string]any{"instances": texts}, 400)
	ask("DELETE", endpoint, nil, 200)
	ask("DELETE", model, nil, 200)
	ask("GET", model, nil, 404)
	ask("GET", parent+"/models", nil, 200)
	for _, uri := range []string{"gs://models/none", "gs://other/swivel_like", "../../../testdata/models/swivel_like", "gs://models/../models/swivel_like"} {
		ask("POST", parent+"/models:upload", map[string]any{"model": map[string]any{"artifactUri": uri}}, 400)
	}
	ask("POST", parent+"/models:upload", map[string]any{"model": map[string]any{}}, 400)
	ask("POST", parent+"/models:upload", map[string]any{"model": "x"}, 400)
	// Google's models answer beside them.
	ask("POST", parent+"/publishers/google/models/gemini-2.5-flash:generateContent",
		map[string]any{"contents": []any{map[string]any{"role": "user", "parts": []any{map[string]any{"text": "hello"}}}}}, 200)
}

// TestGRPC: the same over gRPC, as Google's clients ask by default.
func TestGRPC(t *testing.T) {
	url, texts, want := serve(t)
	c, err := grpc.NewClient(strings.TrimPrefix(url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	models, endpoints := aiplatformpb.NewModelServiceClient(c), aiplatformpb.NewEndpointServiceClient(c)
	op, err := models.UploadModel(ctx, &aiplatformpb.UploadModelRequest{Parent: parent,
		Model: &aiplatformpb.Model{DisplayName: "m", ArtifactUri: "gs://models/swivel_like/"}})
	if err != nil {
		t.Fatal(err)
	}
	var up aiplatformpb.UploadModelResponse
	if err := op.GetResponse().UnmarshalTo(&up); err != nil {
		t.Fatal(err)
	}
	var e aiplatformpb.Endpoint
	if op, err = endpoints.CreateEndpoint(ctx, &aiplatformpb.CreateEndpointRequest{Parent: parent,
		Endpoint: &aiplatformpb.Endpoint{DisplayName: "e"}}); err != nil {
		t.Fatal(err)
	}
	if err := op.GetResponse().UnmarshalTo(&e); err != nil {
		t.Fatal(err)
	}
	if _, err = endpoints.DeployModel(ctx, &aiplatformpb.DeployModelRequest{Endpoint: e.GetName(),
		DeployedModel: &aiplatformpb.DeployedModel{Model: up.GetModel() + "@1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := longrunningpb.NewOperationsClient(c).GetOperation(ctx, &longrunningpb.GetOperationRequest{Name: op.GetName()}); err != nil {
		t.Error(err)
	}
	in := &aiplatformpb.PredictRequest{Endpoint: e.GetName()}
	for _, text := range texts {
		v, err := structpb.NewValue(map[string]any{"content": text})
		if err != nil {
			t.Fatal(err)
		}
		in.Instances = append(in.Instances, v)
	}
	answer, err := aiplatformpb.NewPredictionServiceClient(c).Predict(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]float64
	for _, p := range answer.GetPredictions() {
		var row []float64
		for _, v := range p.GetListValue().GetValues() {
			row = append(row, v.GetNumberValue())
		}
		got = append(got, row)
	}
	check(t, got, want)
	m, err := models.GetModel(ctx, &aiplatformpb.GetModelRequest{Name: up.GetModel()})
	if err != nil || len(m.GetDeployedModels()) != 1 || m.GetDeployedModels()[0].GetEndpoint() != e.GetName() {
		t.Errorf("%v, %v", m, err)
	}
	if list, err := endpoints.ListEndpoints(ctx, &aiplatformpb.ListEndpointsRequest{Parent: parent}); err != nil ||
		len(list.GetEndpoints()) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	for name, want := range map[string]codes.Code{"projects/p/locations/l/endpoints/none": codes.NotFound, "x": codes.NotFound,
		"": codes.NotFound} {
		if _, err := endpoints.GetEndpoint(ctx, &aiplatformpb.GetEndpointRequest{Name: name}); status.Code(err) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := endpoints.CreateEndpoint(ctx,
		&aiplatformpb.CreateEndpointRequest{Parent: "../x"}); status.Code(err) != codes.InvalidArgument {
		t.Error(err)
	}
}

// FuzzREST: no request panics or is answered with a 5xx.
func FuzzREST(f *testing.F) {
	s, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	for _, seed := range [][3]string{
		{"POST", "/v1/" + parent + "/models:upload", `{"model": {}}`}, {"GET", "/v1/" + parent + "/operations/1", ""},
		{"GET", "/v1/x/operations/", ""},
		{"POST", "/v1/" + parent + "/endpoints/1:deployModel", `{"deployedModel": {"model": "x"}}`},
		{"DELETE", "/v1/" + parent + "/models/1", ""}, {"POST", "/v1/" + parent + "/endpoints", "[]"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost/", strings.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") || strings.Contains(strings.ToLower(body), "artifact") {
			t.Skip() // no bucket and no file is asked for
		}
		r.URL.Path = path
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatal(fmt.Sprint(w.Code, w.Body))
		}
	})
}
