package vertex

import (
	"context"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The services over gRPC. What they do not have is answered with UNIMPLEMENTED.

type modelService struct {
	aiplatformpb.UnimplementedModelServiceServer
	r *registry
}

func (s modelService) UploadModel(ctx context.Context, in *aiplatformpb.UploadModelRequest) (*longrunningpb.Operation, error) {
	return s.r.upload(ctx, in)
}

func (s modelService) GetModel(_ context.Context, in *aiplatformpb.GetModelRequest) (*aiplatformpb.Model, error) {
	return s.r.getModel(in.GetName())
}

func (s modelService) ListModels(_ context.Context, in *aiplatformpb.ListModelsRequest) (*aiplatformpb.ListModelsResponse, error) {
	return &aiplatformpb.ListModelsResponse{Models: s.r.listModels(in.GetParent())}, nil
}

func (s modelService) DeleteModel(_ context.Context, in *aiplatformpb.DeleteModelRequest) (*longrunningpb.Operation, error) {
	return s.r.deleteModel(in.GetName(), &emptypb.Empty{})
}

type endpointService struct {
	aiplatformpb.UnimplementedEndpointServiceServer
	r *registry
}

func (s endpointService) CreateEndpoint(_ context.Context, in *aiplatformpb.CreateEndpointRequest) (*longrunningpb.Operation, error) {
	return s.r.createEndpoint(in)
}

func (s endpointService) GetEndpoint(_ context.Context, in *aiplatformpb.GetEndpointRequest) (*aiplatformpb.Endpoint, error) {
	return s.r.getEndpoint(in.GetName())
}

func (s endpointService) ListEndpoints(_ context.Context,
	in *aiplatformpb.ListEndpointsRequest) (*aiplatformpb.ListEndpointsResponse, error) {
	return &aiplatformpb.ListEndpointsResponse{Endpoints: s.r.listEndpoints(in.GetParent())}, nil
}

func (s endpointService) DeleteEndpoint(_ context.Context, in *aiplatformpb.DeleteEndpointRequest) (*longrunningpb.Operation, error) {
	return s.r.deleteEndpoint(in.GetName(), &emptypb.Empty{})
}

func (s endpointService) DeployModel(_ context.Context, in *aiplatformpb.DeployModelRequest) (*longrunningpb.Operation, error) {
	return s.r.deploy(in)
}

func (s endpointService) UndeployModel(_ context.Context, in *aiplatformpb.UndeployModelRequest) (*longrunningpb.Operation, error) {
	return s.r.undeploy(in)
}

type operations struct {
	longrunningpb.UnimplementedOperationsServer
	r *registry
}

func (o operations) GetOperation(_ context.Context, in *longrunningpb.GetOperationRequest) (*longrunningpb.Operation, error) {
	return o.r.operation(in.GetName())
}

func (o operations) WaitOperation(_ context.Context, in *longrunningpb.WaitOperationRequest) (*longrunningpb.Operation, error) {
	return o.r.operation(in.GetName())
}

// predictionService passes calls on to the server of Google's models, which answers for endpoints, too.
type predictionService struct {
	aiplatformpb.UnimplementedPredictionServiceServer
	c aiplatformpb.PredictionServiceClient
}

func (p predictionService) Predict(ctx context.Context, in *aiplatformpb.PredictRequest) (*aiplatformpb.PredictResponse, error) {
	return p.c.Predict(ctx, in)
}

func (p predictionService) RawPredict(ctx context.Context, in *aiplatformpb.RawPredictRequest) (*httpbody.HttpBody, error) {
	return p.c.RawPredict(ctx, in)
}

func (p predictionService) GenerateContent(
	ctx context.Context, in *aiplatformpb.GenerateContentRequest,
) (*aiplatformpb.GenerateContentResponse, error) {
	return p.c.GenerateContent(ctx, in)
}

func (p predictionService) EmbedContent(ctx context.Context,
	in *aiplatformpb.EmbedContentRequest) (*aiplatformpb.EmbedContentResponse, error) {
	return p.c.EmbedContent(ctx, in)
}
