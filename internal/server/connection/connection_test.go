package connection_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery/connection/apiv1/connectionpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/server/connection"
	"github.com/mallardml/mallard/internal/server/iam"
)

func TestMain(m *testing.M) { leak.Main(m) }

// serve gives a client of gRPC and the address of REST.
func serve(t *testing.T, configured ...string) (connectionpb.ConnectionServiceClient, *grpc.ClientConn, string) {
	t.Helper()
	policies := &iam.Policies{}
	s, err := connection.New("p", configured, policies, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	connectionpb.RegisterConnectionServiceServer(g, s)
	policies.Register(g)
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- g.Serve(l) }()
	c, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.Routes(mux)
	policies.Routes(mux)
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		h.Close()
		c.Close()
		g.Stop()
		<-done
	})
	return connectionpb.NewConnectionServiceClient(c), c, h.URL
}

const us = "projects/p/locations/us"

var cloud = &connectionpb.Connection{Properties: &connectionpb.Connection_CloudResource{CloudResource: &connectionpb.CloudResourceProperties{}}}

// TestConnections: what is created is there, under any case of its name, until it is deleted; those of the configuration are there always.
func TestConnections(t *testing.T) {
	c, _, _ := serve(t, "default", "p.eu.mine")
	made, err := c.CreateConnection(t.Context(), &connectionpb.CreateConnectionRequest{Parent: us, ConnectionId: "CONN1", Connection: cloud})
	if err != nil || made.Name != us+"/connections/CONN1" || !strings.HasSuffix(made.GetCloudResource().GetServiceAccountId(), ".iam.gserviceaccount.com") {
		t.Fatalf("%v, %v", made, err)
	}
	got, err := c.GetConnection(t.Context(), &connectionpb.GetConnectionRequest{Name: "projects/p/locations/US/connections/conn1"})
	if err != nil || got.GetCloudResource().GetServiceAccountId() != made.GetCloudResource().GetServiceAccountId() {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := c.CreateConnection(t.Context(), &connectionpb.CreateConnectionRequest{Parent: us, ConnectionId: "conn1", Connection: cloud}); status.Code(err) != codes.AlreadyExists {
		t.Errorf("twice: %v", err)
	}
	for _, name := range []string{us + "/connections/default", "projects/p/locations/eu/connections/mine"} {
		if _, err := c.GetConnection(t.Context(), &connectionpb.GetConnectionRequest{Name: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.DeleteConnection(t.Context(), &connectionpb.DeleteConnectionRequest{Name: name}); status.Code(err) != codes.FailedPrecondition {
			t.Errorf("%s is deleted: %v", name, err)
		}
	}
	var names []string
	for token := ""; ; {
		list, err := c.ListConnections(t.Context(), &connectionpb.ListConnectionsRequest{Parent: "projects/p/locations/-", PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list.Connections {
			names = append(names, strings.TrimPrefix(x.Name, "projects/p/locations/"))
		}
		if token = list.NextPageToken; token == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "eu/connections/mine us/connections/CONN1 us/connections/default" {
		t.Errorf("list %s", got)
	}
	changed, err := c.UpdateConnection(t.Context(), &connectionpb.UpdateConnectionRequest{Name: made.Name, Connection: &connectionpb.Connection{Description: "x", FriendlyName: "y"},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"description"}}})
	if err != nil || changed.Description != "x" || changed.FriendlyName != "" || changed.GetCloudResource() == nil {
		t.Errorf("changed %v, %v", changed, err)
	}
	if _, err := c.DeleteConnection(t.Context(), &connectionpb.DeleteConnectionRequest{Name: made.Name}); err != nil {
		t.Error(err)
	}
	if _, err := c.GetConnection(t.Context(), &connectionpb.GetConnectionRequest{Name: made.Name}); status.Code(err) != codes.NotFound {
		t.Errorf("deleted: %v", err)
	}
	for name, r := range map[string]*connectionpb.CreateConnectionRequest{
		"kind":    {Parent: us, ConnectionId: "a", Connection: &connectionpb.Connection{Properties: &connectionpb.Connection_Spark{}}},
		"nothing": {Parent: us, ConnectionId: "a", Connection: &connectionpb.Connection{}},
		"parent":  {Parent: "x", ConnectionId: "a", Connection: cloud}, "id": {Parent: us, ConnectionId: "a/b", Connection: cloud},
		"project": {Parent: "projects/q/locations/us", ConnectionId: "a", Connection: cloud},
	} {
		if _, err := c.CreateConnection(t.Context(), r); err == nil {
			t.Errorf("%s: created", name)
		}
	}
}

// TestPolicy: the account of each connection may use Vertex AI, which clients look for before they grant it and wait for minutes.
func TestPolicy(t *testing.T) {
	c, conn, url := serve(t, "default")
	made, err := c.CreateConnection(t.Context(), &connectionpb.CreateConnectionRequest{Parent: us, ConnectionId: "c", Connection: cloud})
	if err != nil {
		t.Fatal(err)
	}
	const service = "/google.cloud.resourcemanager.v3.Projects/"
	get := func() *iampb.Policy {
		t.Helper()
		p := new(iampb.Policy)
		if err := conn.Invoke(t.Context(), service+"GetIamPolicy", &iampb.GetIamPolicyRequest{Resource: "projects/p"}, p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	has := func(p *iampb.Policy, role, member string) bool {
		for _, b := range p.Bindings {
			for _, m := range b.Members {
				if b.Role == role && m == member {
					return true
				}
			}
		}
		return false
	}
	member := "serviceAccount:" + made.GetCloudResource().GetServiceAccountId()
	p := get()
	if !has(p, "roles/aiplatform.user", member) || len(p.Etag) == 0 {
		t.Errorf("policy %v", p)
	}
	p.Bindings = append(p.Bindings, &iampb.Binding{Role: "roles/run.invoker", Members: []string{member}})
	set := new(iampb.Policy)
	if err := conn.Invoke(t.Context(), service+"SetIamPolicy", &iampb.SetIamPolicyRequest{Resource: "projects/p", Policy: p}, set); err != nil {
		t.Fatal(err)
	}
	if p := get(); !has(p, "roles/run.invoker", member) || !has(p, "roles/aiplatform.user", member) || string(p.Etag) != string(set.Etag) {
		t.Errorf("policy %v", p)
	}
	if err := conn.Invoke(t.Context(), service+"SetIamPolicy", &iampb.SetIamPolicyRequest{Resource: "projects/p", Policy: p}, set); status.Code(err) != codes.Aborted {
		t.Errorf("an old etag: %v", err)
	}
	// As gcloud does: by REST.
	var reply struct {
		Etag     string
		Bindings []struct {
			Role    string
			Members []string
		}
	}
	if code := send(t, "POST", url+"/v1/projects/p:getIamPolicy", `{"options": {"requestedPolicyVersion": 3}}`, &reply); code != 200 || len(reply.Bindings) != 2 {
		t.Errorf("REST: %d %v", code, reply)
	}
	if code := send(t, "POST", url+"/v1/projects/p:setIamPolicy", `{"policy": {"etag": "`+reply.Etag+`", "bindings": [{"role": "r", "members": ["user:a@b"]}]}}`, &reply); code != 200 {
		t.Errorf("REST: %d %v", code, reply)
	}
	if p := get(); !has(p, "r", "user:a@b") || has(p, "roles/run.invoker", member) || !has(p, "roles/aiplatform.user", member) {
		t.Errorf("policy %v", p)
	}
	if code := send(t, "POST", url+"/v1/"+us+"/connections/c:setIamPolicy", `{"policy": {"bindings": []}}`, &reply); code != 200 {
		t.Errorf("REST: %d", code)
	}
}

func send(t *testing.T, verb, url, body string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), verb, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	a, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a.StatusCode
}

// TestREST: what bq sends.
func TestREST(t *testing.T) {
	_, _, url := serve(t)
	at := url + "/v1/projects/p/locations/US/connections"
	var reply map[string]any
	for _, x := range []struct {
		verb, url, body string
		code            int
		want            string
	}{
		{"POST", at + "?connectionId=CONN1&alt=json", `{"cloudResource": {}}`, 200, "serviceAccountId"},
		{"POST", at + "?connectionId=CONN1&alt=json", `{"cloudResource": {}}`, 409, "ALREADY_EXISTS"},
		{"GET", at + "/CONN1?alt=json", "", 200, "serviceAccountId"},
		{"GET", at + "?alt=json", "", 200, "CONN1"},
		{"GET", at + "/CONN2", "", 404, "NOT_FOUND"},
		{"PATCH", at + "/CONN1?updateMask=description", `{"description": "d", "unknown": 1}`, 200, `"d"`},
		{"PATCH", at + "/CONN1?updateMask=name", `{"name": "d"}`, 400, "INVALID_ARGUMENT"},
		{"POST", at, `{"cloudResource": {}`, 400, "Invalid JSON"},
		{"GET", at + "?pageSize=x", "", 400, "pageSize"},
		{"POST", at + "/CONN1:nothing", "{}", 404, "no method"},
		{"DELETE", at + "/CONN1", "", 200, ""},
		{"DELETE", at + "/CONN1", "", 404, "notFound"},
	} {
		clear(reply)
		code := send(t, x.verb, x.url, x.body, &reply)
		text, _ := json.Marshal(reply)
		if code != x.code || !strings.Contains(string(text), x.want) {
			t.Errorf("%s %s: %d %s", x.verb, x.url, code, text)
		}
	}
}

// TestHas: a statement names a connection that a client made with or without its place, in any case.
func TestHas(t *testing.T) {
	s, err := connection.New("p", []string{"default"}, &iam.Policies{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateConnection(t.Context(), &connectionpb.CreateConnectionRequest{Parent: us, ConnectionId: "made", Connection: cloud}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"p.us.made": true, "P.US.MADE": false, "p.US.Made": true, "us.made": true, "made": true, "eu.made": false, "q.us.made": false, "default": false,
		"a.p.us.made": false, "us.default": false,
	} {
		if got := s.Has(strings.Split(path, ".")); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
