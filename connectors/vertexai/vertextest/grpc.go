package vertextest

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strings"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// newGRPC registers the services under both versions: the messages of v1beta1 are those of v1 on the wire, with more fields.
func newGRPC(s *Server) *grpc.Server {
	g := grpc.NewServer(grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))
	for _, version := range []string{"v1", "v1beta1"} {
		for _, d := range []struct {
			desc grpc.ServiceDesc
			impl any
		}{
			{aiplatformpb.PredictionService_ServiceDesc, &predictionService{s: s, version: version}},
			{aiplatformpb.EndpointService_ServiceDesc, &endpointService{s: s}},
		} {
			d.desc.ServiceName = strings.Replace(d.desc.ServiceName, ".v1.", "."+version+".", 1)
			g.RegisterService(&d.desc, d.impl)
		}
	}
	return g
}

type endpointService struct {
	aiplatformpb.UnimplementedEndpointServiceServer
	s *Server
}

// GetEndpoint is what Google's Python client asks first.
func (e *endpointService) GetEndpoint(_ context.Context, in *aiplatformpb.GetEndpointRequest) (*aiplatformpb.Endpoint, error) {
	r := &Request{Resource: in.GetName()}
	if !r.parseResource() || r.EndpointID == "" {
		return nil, status.Error(codes.NotFound, "no such endpoint")
	}
	out := &aiplatformpb.Endpoint{}
	if err := protojson.Unmarshal(appendJSON(nil, endpointResource(r)), out); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return out, nil
}

type predictionService struct {
	aiplatformpb.UnimplementedPredictionServiceServer
	s       *Server
	version string
}

// run takes the same way as REST.
func (p *predictionService) run(ctx context.Context, method, resource string, body []byte) (*reply, error) {
	if p.s.options().Forward != nil { // an answer of our own must not look like the real service's
		return nil, status.Error(codes.Unimplemented, "only REST is forwarded: set transport = \"rest\"")
	}
	r := &Request{GRPC: true, Header: http.Header{}}
	if !r.parsePath("/" + p.version + "/" + resource + ":" + method) {
		return nil, status.Errorf(codes.InvalidArgument, "invalid resource name %q", resource)
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for k, v := range md {
		if !strings.HasPrefix(k, ":") {
			r.Header[http.CanonicalHeaderKey(k)] = v
		}
	}
	rep := p.s.handle(ctx, &call{Request: r, raw: body, rpc: true})
	if rep.err != nil {
		return nil, rep.err.grpc()
	}
	if rep.fault != nil { // cut, dropped midway, garbage: gRPC knows one way only to lose an answer
		return nil, status.Error(codes.Unavailable, "the connection was closed before the answer was complete")
	}
	return rep, nil
}

var grpcCodes = map[int]codes.Code{
	400: codes.InvalidArgument, 401: codes.Unauthenticated, 403: codes.PermissionDenied, 404: codes.NotFound, 408: codes.DeadlineExceeded,
	409: codes.Aborted,
	413: codes.InvalidArgument, 429: codes.ResourceExhausted, 499: codes.Canceled, 500: codes.Internal, 501: codes.Unimplemented,
	502: codes.Unavailable,
	503: codes.Unavailable, 504: codes.DeadlineExceeded,
}

func (e *apiError) grpc() error {
	code, known := grpcCodes[e.status]
	if !known {
		code = codes.Unknown
	}
	if e.reason == "FAILED_PRECONDITION" {
		code = codes.FailedPrecondition
	}
	st := status.New(code, e.message)
	if e.wait > 0 {
		if with, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(e.wait)}); err == nil {
			st = with
		}
	}
	return st.Err()
}

// asJSON is the request as REST would carry it.
func asJSON(m proto.Message) ([]byte, error) {
	b, err := protojson.Marshal(m)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return b, nil
}

// Predict is the gRPC method of that name.
func (p *predictionService) Predict(ctx context.Context, in *aiplatformpb.PredictRequest) (*aiplatformpb.PredictResponse, error) {
	b := []byte(`{"instances":[`)
	for i, v := range in.GetInstances() {
		j, err := asJSON(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, j...)
	}
	b = append(b, ']')
	if in.GetParameters() != nil {
		j, err := asJSON(in.GetParameters())
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"parameters":`...), j...)
	}
	r, err := p.run(ctx, "predict", in.GetEndpoint(), append(b, '}'))
	if err != nil {
		return nil, err
	}
	if r.body == nil { // from a record
		d := json.NewDecoder(bytes.NewReader(r.raw))
		d.UseNumber()
		if err := d.Decode(&r.body); err != nil {
			return nil, status.Error(codes.Internal, "the recorded answer is not a JSON object")
		}
	}
	out := &aiplatformpb.PredictResponse{}
	out.DeployedModelId, _ = r.body["deployedModelId"].(string)
	out.Model, _ = r.body["model"].(string)
	out.ModelDisplayName, _ = r.body["modelDisplayName"].(string)
	out.ModelVersionId, _ = r.body["modelVersionId"].(string)
	if m, has := r.body["metadata"]; has {
		out.Metadata = toValue(m)
	}
	list, _ := r.body["predictions"].([]any)
	for _, e := range list {
		out.Predictions = append(out.Predictions, toValue(e))
	}
	if pad, has := r.body["padding"].(string); has { // the message has no room for it elsewhere
		out.ModelDisplayName = pad
	}
	return out, nil
}

// GenerateContent is the gRPC method of that name.
func (p *predictionService) GenerateContent(ctx context.Context,
	in *aiplatformpb.GenerateContentRequest) (*aiplatformpb.GenerateContentResponse, error) {
	model := in.GetModel()
	in.Model = "" // stands in the path
	b, err := asJSON(in)
	if err != nil {
		return nil, err
	}
	r, err := p.run(ctx, "generateContent", model, b)
	if err != nil {
		return nil, err
	}
	out := &aiplatformpb.GenerateContentResponse{}
	if pad, has := r.body["padding"].(string); has {
		r.body["responseId"] = pad
		delete(r.body, "padding")
	}
	return out, fill(out, r.bytes())
}

// StreamGenerateContent is the gRPC method of that name.
func (p *predictionService) StreamGenerateContent(in *aiplatformpb.GenerateContentRequest,
	stream aiplatformpb.PredictionService_StreamGenerateContentServer) error {
	model := in.GetModel()
	in.Model = "" // stands in the path
	b, err := asJSON(in)
	if err != nil {
		return err
	}
	r, err := p.run(stream.Context(), "streamGenerateContent", model, b)
	if err != nil {
		return err
	}
	for _, part := range r.parts {
		out := &aiplatformpb.GenerateContentResponse{}
		if err := fill(out, appendJSON(nil, part)); err != nil {
			return err
		}
		if err := stream.Send(out); err != nil {
			return err
		}
	}
	return nil
}

// EmbedContent is the gRPC method of that name.
func (p *predictionService) EmbedContent(ctx context.Context,
	in *aiplatformpb.EmbedContentRequest) (*aiplatformpb.EmbedContentResponse, error) {
	model := in.GetModel()
	in.Model = nil // stands in the path
	b, err := asJSON(in)
	if err != nil {
		return nil, err
	}
	r, err := p.run(ctx, "embedContent", model, b)
	if err != nil {
		return nil, err
	}
	out := &aiplatformpb.EmbedContentResponse{}
	return out, fill(out, r.bytes())
}

// RawPredict is the gRPC method of that name.
func (p *predictionService) RawPredict(ctx context.Context, in *aiplatformpb.RawPredictRequest) (*httpbody.HttpBody, error) {
	r, err := p.run(ctx, "rawPredict", in.GetEndpoint(), in.GetHttpBody().GetData())
	if err != nil {
		return nil, err
	}
	return &httpbody.HttpBody{ContentType: "application/json", Data: r.bytes()}, nil
}

func fill(m proto.Message, body []byte) error {
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, m); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return nil
}

// toValue makes a Value of what a hook or a decoder gave, NaN included.
func toValue(v any) *structpb.Value {
	switch v := v.(type) {
	case nil:
		return structpb.NewNullValue()
	case bool:
		return structpb.NewBoolValue(v)
	case string:
		return structpb.NewStringValue(strings.ToValidUTF8(v, "\uFFFD"))
	case float64:
		return structpb.NewNumberValue(v)
	case float32:
		return structpb.NewNumberValue(float64(v))
	case int:
		return structpb.NewNumberValue(float64(v))
	case int64:
		return structpb.NewNumberValue(float64(v))
	case json.Number:
		f, _ := v.Float64()
		return structpb.NewNumberValue(f)
	case []float64:
		l := make([]*structpb.Value, len(v))
		for i, f := range v {
			l[i] = structpb.NewNumberValue(f)
		}
		return structpb.NewListValue(&structpb.ListValue{Values: l})
	case []any:
		l := make([]*structpb.Value, len(v))
		for i, e := range v {
			l[i] = toValue(e)
		}
		return structpb.NewListValue(&structpb.ListValue{Values: l})
	case map[string]any:
		m := make(map[string]*structpb.Value, len(v))
		for k, e := range v {
			m[strings.ToValidUTF8(k, "\uFFFD")] = toValue(e)
		}
		return structpb.NewStructValue(&structpb.Struct{Fields: m})
	}
	// Other types of a hook's: by way of their JSON.
	var plain any
	if json.Unmarshal(appendJSON(nil, v), &plain) == nil {
		return toValue(plain)
	}
	return structpb.NewNullValue()
}
