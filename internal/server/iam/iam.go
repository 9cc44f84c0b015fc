// Package iam keeps policies as Google's Identity and Access Management does, for the clients that look at them or change them: nothing
// here is allowed or refused by a policy. It is the slice of Resource Manager that grants roles on a project, over gRPC (v3) and REST (v1,
// v3).
package iam

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sync"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/mallardml/mallard/internal/server/rest"
)

// Keep keeps the JSON of something under a name in place of what was kept; nil forgets it.
type Keep func(ctx context.Context, name string, text json.RawMessage) error

// Policies are the policies of resources, by their names. It is safe for concurrent use.
type Policies struct {
	// Keep keeps what is set for another server; nil keeps it for as long as the policies live.
	Keep Keep
	// Given are bindings that a resource has without anybody setting them; nil is none.
	Given func(resource string) []*iampb.Binding

	mu  sync.Mutex
	set map[string]*iampb.Policy
}

// Restore sets policies that were kept.
func (p *Policies) Restore(kept map[string]json.RawMessage) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set = map[string]*iampb.Policy{}
	for name, text := range kept {
		of := &iampb.Policy{}
		if err := protojson.Unmarshal(text, of); err != nil {
			return fmt.Errorf("the policy of %s that the database keeps cannot be read: %w", name, err)
		}
		p.set[name] = of
	}
	return nil
}

// Bounds of what is kept: BigQuery's own for a policy, and ours.
const (
	mostMembers   = 1500
	mostResources = 10_000
)

var resourceName = regexp.MustCompile(`^[a-z]+/[^/]+(/[a-z]+/[^/]+)*$`)

func checkResource(name string) error {
	if len(name) > 1000 || !resourceName.MatchString(name) {
		return status.Errorf(codes.InvalidArgument, "%.200q is no name of a resource, such as projects/PROJECT", name)
	}
	return nil
}

// policy is the one of a resource, with what is given.
func (p *Policies) policy(resource string) *iampb.Policy {
	out := &iampb.Policy{Version: 1}
	if of := p.set[resource]; of != nil {
		out = proto.CloneOf(of)
	}
	if p.Given != nil {
		for _, b := range p.Given(resource) {
			add(out, b)
		}
	}
	out.Etag = etag(out)
	return out
}

// add puts the members of a binding into a policy.
func add(to *iampb.Policy, b *iampb.Binding) {
	i := slices.IndexFunc(to.Bindings, func(x *iampb.Binding) bool { return x.Role == b.Role && x.Condition == nil })
	if i < 0 {
		to.Bindings = append(to.Bindings, proto.CloneOf(b))
		return
	}
	for _, m := range b.Members {
		if !slices.Contains(to.Bindings[i].Members, m) {
			to.Bindings[i].Members = append(to.Bindings[i].Members, m)
		}
	}
}

// etag tells states of a policy apart.
func etag(p *iampb.Policy) []byte {
	of := proto.CloneOf(p)
	of.Etag = nil
	text, _ := proto.MarshalOptions{Deterministic: true}.Marshal(of)
	sum := sha256.Sum256(text)
	return sum[:8]
}

// GetIamPolicy gives the policy of a resource.
func (p *Policies) GetIamPolicy(_ context.Context, r *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	if err := checkResource(r.GetResource()); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.policy(r.GetResource()), nil
}

// SetIamPolicy replaces the policy of a resource, unless it has changed since the etag was given.
func (p *Policies) SetIamPolicy(ctx context.Context, r *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	if err := checkResource(r.GetResource()); err != nil {
		return nil, err
	}
	if r.GetPolicy() == nil {
		return nil, status.Error(codes.InvalidArgument, "policy is missing")
	}
	members := 0
	for _, b := range r.GetPolicy().GetBindings() {
		if members += len(b.GetMembers()); b.GetRole() == "" {
			return nil, status.Error(codes.InvalidArgument, "a binding has no role")
		}
	}
	if members > mostMembers {
		return nil, status.Errorf(codes.InvalidArgument, "the policy has %d members, and %d at most", members, mostMembers)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.policy(r.GetResource())
	if given := r.GetPolicy().GetEtag(); len(given) > 0 && !bytes.Equal(given, now.Etag) {
		return nil, status.Error(codes.Aborted,
			"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.")
	}
	if p.set == nil {
		p.set = map[string]*iampb.Policy{}
	}
	if _, known := p.set[r.GetResource()]; !known && len(p.set) >= mostResources {
		return nil, status.Errorf(codes.ResourceExhausted, "%d resources have policies, which is as many as there may be", len(p.set))
	}
	of := proto.CloneOf(r.GetPolicy())
	of.Version = cmp.Or(of.Version, 1)
	if p.Keep != nil {
		text, err := protojson.Marshal(of)
		if err == nil {
			err = p.Keep(ctx, r.GetResource(), text)
		}
		if err != nil {
			return nil, status.Errorf(codes.FailedPrecondition, "keeping the policy of %s: %v", r.GetResource(), err)
		}
	}
	p.set[r.GetResource()] = of
	return p.policy(r.GetResource()), nil
}

// TestIamPermissions grants whatever is asked: this server lets everybody do everything who reaches it.
func (p *Policies) TestIamPermissions(_ context.Context, r *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
	if err := checkResource(r.GetResource()); err != nil {
		return nil, err
	}
	return &iampb.TestIamPermissionsResponse{Permissions: r.GetPermissions()}, nil
}

// server is what gRPC asks of a [Policies].
type server interface {
	GetIamPolicy(context.Context, *iampb.GetIamPolicyRequest) (*iampb.Policy, error)
	SetIamPolicy(context.Context, *iampb.SetIamPolicyRequest) (*iampb.Policy, error)
	TestIamPermissions(context.Context, *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error)
}

// projects is the part of google.cloud.resourcemanager.v3.Projects that is served. Its messages are IAM's, so the module of Resource
// Manager is not needed.
var projects = grpc.ServiceDesc{
	ServiceName: "google.cloud.resourcemanager.v3.Projects", HandlerType: (*server)(nil),
	Metadata: "google/cloud/resourcemanager/v3/projects.proto",
	Methods: []grpc.MethodDesc{
		method("GetIamPolicy", server.GetIamPolicy), method("SetIamPolicy", server.SetIamPolicy),
		method("TestIamPermissions", server.TestIamPermissions),
	},
}

// method describes a method for gRPC, as its generator does.
func method[In, Out any](name string, call func(server, context.Context, *In) (*Out, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(s any, ctx context.Context, decode func(any) error,
		through grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		run := func(ctx context.Context, in any) (any, error) { return call(s.(server), ctx, in.(*In)) }
		if through == nil {
			return run(ctx, in)
		}
		return through(ctx, in, &grpc.UnaryServerInfo{Server: s, FullMethod: "/google.cloud.resourcemanager.v3.Projects/" + name}, run)
	}}
}

// Register serves Resource Manager's projects over gRPC.
func (p *Policies) Register(s grpc.ServiceRegistrar) { s.RegisterService(&projects, p) }

// Routes serves them over REST: POST /v1/projects/PROJECT:getIamPolicy and the like, of v1 and v3.
func (p *Policies) Routes(mux *http.ServeMux) {
	for _, version := range []string{"v1", "v3"} {
		mux.HandleFunc("POST /"+version+"/projects/{project}", func(w http.ResponseWriter, r *http.Request) {
			project, verb := rest.Verb(r.PathValue("project"))
			p.Serve(w, r, "projects/"+project, verb)
		})
	}
}

// Serve answers a request for the policy of a resource over REST.
func (p *Policies) Serve(w http.ResponseWriter, r *http.Request, resource, verb string) {
	switch verb {
	case "getIamPolicy":
		rest.Method(func(r *http.Request) (*iampb.GetIamPolicyRequest, error) {
			in := &iampb.GetIamPolicyRequest{}
			err := rest.Body(r, in)
			in.Resource = resource
			return in, err
		}, p.GetIamPolicy).ServeHTTP(w, r)
	case "setIamPolicy":
		rest.Method(func(r *http.Request) (*iampb.SetIamPolicyRequest, error) {
			in := &iampb.SetIamPolicyRequest{}
			err := rest.Body(r, in)
			in.Resource = resource
			return in, err
		}, p.SetIamPolicy).ServeHTTP(w, r)
	case "testIamPermissions":
		rest.Method(func(r *http.Request) (*iampb.TestIamPermissionsRequest, error) {
			in := &iampb.TestIamPermissionsRequest{}
			err := rest.Body(r, in)
			in.Resource = resource
			return in, err
		}, p.TestIamPermissions).ServeHTTP(w, r)
	default:
		rest.NoMethod(w, r)
	}
}
