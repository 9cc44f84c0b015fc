package vertex

import (
	"cmp"
	"context"
	"crypto/rand"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

// Bounds of what is kept; more is an error, or, of operations, forgets the oldest.
const (
	maxModels     = 1000
	maxEndpoints  = 1000
	maxOperations = 1000
)

// registry keeps the models, endpoints and operations, as long as the process lives. It is safe for concurrent use.
type registry struct {
	open  opener
	serve func(endpoint string, p vertextest.Predictor) // answers an endpoint's requests; nil ends it

	mu         sync.Mutex
	models     map[string]*model // by resource name
	endpoints  map[string]*aiplatformpb.Endpoint
	operations []*longrunningpb.Operation
}

type model struct {
	*aiplatformpb.Model
	predict vertextest.Predictor
}

// opener takes in the SavedModel of a folder.
type opener func(ctx context.Context, id, uri string) (vertextest.Predictor, error)

func newRegistry(open opener, serve func(string, vertextest.Predictor)) *registry {
	return &registry{open: open, serve: serve, models: map[string]*model{}, endpoints: map[string]*aiplatformpb.Endpoint{}}
}

var (
	parentName   = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+$`)
	resourceName = regexp.MustCompile(`^(projects/[^/]+/locations/[^/]+)/(models|endpoints|operations)/([A-Za-z0-9_-]{1,63})$`)
)

// newID is a number as Vertex AI's are.
func newID() string {
	n, err := rand.Int(rand.Reader, big.NewInt(9e18))
	if err != nil { // never: crypto/rand ends the process before
		panic(err)
	}
	return n.Add(n, big.NewInt(1e17)).String()
}

// place checks where something is to be made, and gives its name.
func place(parent, kind, wanted string) (name, id string, err error) {
	if !parentName.MatchString(parent) {
		return "", "", status.Errorf(codes.InvalidArgument, "Invalid parent %.200q: write projects/PROJECT/locations/LOCATION.", parent)
	}
	id = cmp.Or(wanted, newID())
	if name = parent + "/" + kind + "/" + id; !resourceName.MatchString(name) {
		return "", "", status.Errorf(codes.InvalidArgument, "Invalid resource ID %.200q.", id)
	}
	return name, id, nil
}

// unversioned takes the version from a model's name: each model has one.
func unversioned(name string) string {
	name, _, _ = strings.Cut(name, "@")
	return name
}

// upload takes a SavedModel in.
func (r *registry) upload(ctx context.Context, in *aiplatformpb.UploadModelRequest) (*longrunningpb.Operation, error) {
	name, id, err := place(in.GetParent(), "models", in.GetModelId())
	if err != nil {
		return nil, err
	}
	uri := in.GetModel().GetArtifactUri()
	if uri == "" {
		return nil, status.Error(codes.InvalidArgument,
			"artifact_uri is missing: containers are not run here, SavedModels are; name the folder of saved_model.pb.")
	}
	predict, err := r.open(ctx, "model "+id, strings.TrimSuffix(strings.TrimSuffix(uri, "*"), "/")+"/*")
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	m := proto.Clone(in.GetModel()).(*aiplatformpb.Model)
	m.Name, m.VersionId, m.VersionAliases = name, "1", []string{"default"}
	m.CreateTime = timestamppb.Now()
	m.UpdateTime, m.VersionCreateTime, m.VersionUpdateTime = m.CreateTime, m.CreateTime, m.CreateTime
	m.SupportedDeploymentResourcesTypes = []aiplatformpb.Model_DeploymentResourcesType{aiplatformpb.Model_DEDICATED_RESOURCES}
	m.SupportedInputStorageFormats, m.SupportedOutputStorageFormats = []string{"jsonl"}, []string{"jsonl"}
	m.Etag = newID()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.models[name]; ok {
		return nil, status.Errorf(codes.AlreadyExists, "Model %s is there already; versions of models are not kept here.", name)
	}
	if len(r.models) >= maxModels {
		return nil, status.Error(codes.ResourceExhausted, "There are too many models; delete some.")
	}
	r.models[name] = &model{m, predict}
	return r.done(in.GetParent(), &aiplatformpb.UploadModelResponse{Model: name, ModelVersionId: "1"})
}

// done is an operation that has ended. The lock is held.
func (r *registry) done(parent string, response proto.Message) (*longrunningpb.Operation, error) {
	any, err := anypb.New(response)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	op := &longrunningpb.Operation{Name: parent + "/operations/" + newID(), Done: true,
		Result: &longrunningpb.Operation_Response{Response: any}}
	if r.operations = append(r.operations, op); len(r.operations) > maxOperations {
		r.operations = slices.Delete(r.operations, 0, len(r.operations)-maxOperations)
	}
	return op, nil
}

func (r *registry) operation(name string) (*longrunningpb.Operation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, op := range r.operations {
		// Clients name it below what it was about, too: …/endpoints/7/operations/8.
		if op.GetName() == name || op.GetName()[strings.LastIndexByte(op.GetName(), '/'):] == name[max(0, strings.LastIndexByte(name, '/')):] {
			return op, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "Operation %.200s is not known.", name)
}

func (r *registry) getModel(name string) (*aiplatformpb.Model, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.models[unversioned(name)]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "Model %.200s is not found.", name)
	}
	out := proto.Clone(m.Model).(*aiplatformpb.Model)
	for _, e := range r.endpoints {
		for _, d := range e.GetDeployedModels() {
			if d.GetModel() == m.GetName() {
				out.DeployedModels = append(out.DeployedModels, &aiplatformpb.DeployedModelRef{Endpoint: e.GetName(), DeployedModelId: d.GetId()})
			}
		}
	}
	return out, nil
}

func (r *registry) listModels(parent string) []*aiplatformpb.Model {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*aiplatformpb.Model
	for name, m := range r.models {
		if strings.HasPrefix(name, parent+"/") {
			all = append(all, m.Model)
		}
	}
	slices.SortFunc(all, func(a, b *aiplatformpb.Model) int {
		return b.GetCreateTime().AsTime().Compare(a.GetCreateTime().AsTime())
	})
	return all
}

func (r *registry) deleteModel(name string, empty proto.Message) (*longrunningpb.Operation, error) {
	m, err := r.getModel(name)
	if err != nil {
		return nil, err
	}
	if len(m.GetDeployedModels()) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "The Model %q is deployed at %s; undeploy it first.", name,
			m.GetDeployedModels()[0].GetEndpoint())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.models, m.GetName())
	return r.done(parentOf(m.GetName()), empty)
}

func parentOf(name string) string {
	if m := resourceName.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return name
}

func (r *registry) createEndpoint(in *aiplatformpb.CreateEndpointRequest) (*longrunningpb.Operation, error) {
	name, _, err := place(in.GetParent(), "endpoints", in.GetEndpointId())
	if err != nil {
		return nil, err
	}
	e := &aiplatformpb.Endpoint{}
	if in.GetEndpoint() != nil {
		e = proto.Clone(in.GetEndpoint()).(*aiplatformpb.Endpoint)
	}
	e.Name, e.CreateTime, e.Etag, e.DeployedModels, e.TrafficSplit = name, timestamppb.Now(), newID(), nil, nil
	e.UpdateTime = e.CreateTime
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.endpoints[name]; ok {
		return nil, status.Errorf(codes.AlreadyExists, "Endpoint %s is there already.", name)
	}
	if len(r.endpoints) >= maxEndpoints {
		return nil, status.Error(codes.ResourceExhausted, "There are too many endpoints; delete some.")
	}
	r.endpoints[name] = e
	return r.done(in.GetParent(), e)
}

func (r *registry) getEndpoint(name string) (*aiplatformpb.Endpoint, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.endpoint(name)
}

// endpoint finds an endpoint, and gives a copy. The lock is held.
func (r *registry) endpoint(name string) (*aiplatformpb.Endpoint, error) {
	e, ok := r.endpoints[name]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "Endpoint %.200s is not found.", name)
	}
	return proto.Clone(e).(*aiplatformpb.Endpoint), nil
}

func (r *registry) listEndpoints(parent string) []*aiplatformpb.Endpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*aiplatformpb.Endpoint
	for name, e := range r.endpoints {
		if strings.HasPrefix(name, parent+"/") {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *aiplatformpb.Endpoint) int {
		return b.GetCreateTime().AsTime().Compare(a.GetCreateTime().AsTime())
	})
	return all
}

func (r *registry) deleteEndpoint(name string, empty proto.Message) (*longrunningpb.Operation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.endpoint(name)
	if err != nil {
		return nil, err
	}
	if len(e.GetDeployedModels()) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "Endpoint %s has a deployed model; undeploy it first.", name)
	}
	delete(r.endpoints, name)
	return r.done(parentOf(name), empty)
}

// deploy makes a model answer an endpoint's requests. An endpoint has one model at a time: shares of the traffic are not drawn.
func (r *registry) deploy(in *aiplatformpb.DeployModelRequest) (*longrunningpb.Operation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.endpoint(in.GetEndpoint())
	if err != nil {
		return nil, err
	}
	m, ok := r.models[unversioned(in.GetDeployedModel().GetModel())]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "Model %.200s is not found.", in.GetDeployedModel().GetModel())
	}
	if len(e.GetDeployedModels()) > 0 {
		return nil, status.Error(codes.FailedPrecondition,
			"The endpoint has a deployed model, and shares of the traffic are not served here: undeploy it first.")
	}
	d := proto.Clone(in.GetDeployedModel()).(*aiplatformpb.DeployedModel)
	d.Id, d.Model, d.ModelVersionId, d.CreateTime = cmp.Or(d.GetId(), newID()), m.GetName(), "1", timestamppb.Now()
	d.DisplayName = cmp.Or(d.GetDisplayName(), m.GetDisplayName())
	e.DeployedModels, e.TrafficSplit, e.UpdateTime = []*aiplatformpb.DeployedModel{d}, map[string]int32{d.GetId(): 100}, d.GetCreateTime()
	r.endpoints[e.GetName()] = e
	r.serve(idOf(e.GetName()), m.predict)
	return r.done(parentOf(e.GetName()), &aiplatformpb.DeployModelResponse{DeployedModel: d})
}

func idOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func (r *registry) undeploy(in *aiplatformpb.UndeployModelRequest) (*longrunningpb.Operation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.endpoint(in.GetEndpoint())
	if err != nil {
		return nil, err
	}
	n := len(e.GetDeployedModels())
	e.DeployedModels = slices.DeleteFunc(e.GetDeployedModels(), func(d *aiplatformpb.DeployedModel) bool {
		return d.GetId() == in.GetDeployedModelId()
	})
	if len(e.GetDeployedModels()) == n {
		return nil, status.Errorf(codes.NotFound, "Endpoint %s has no deployed model %.100q.", e.GetName(), in.GetDeployedModelId())
	}
	e.TrafficSplit = nil
	r.endpoints[e.GetName()] = e
	r.serve(idOf(e.GetName()), gone)
	return r.done(parentOf(e.GetName()), &aiplatformpb.UndeployModelResponse{})
}

// gone answers for an endpoint without a model, as Vertex AI does.
func gone(context.Context, []any, any) ([]any, error) {
	return nil, &vertextest.StatusError{Status: 400, Message: "The endpoint has no deployed model."}
}
