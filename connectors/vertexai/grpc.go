package vertexai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	aiplatform "cloud.google.com/go/aiplatform/apiv1"
	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"google.golang.org/api/option"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mallardml/mallard/connectors/internal/transport"
)

type grpcClient struct{ *aiplatform.PredictionClient }

var (
	reader = protojson.UnmarshalOptions{}
	writer = protojson.MarshalOptions{}
)

// dial gives the one client per host.
func (c *Client) dial(t target) (*grpcClient, error) {
	key := t.Scheme + "://" + t.Host
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, &Error{Subject: t.String(), Status: 400, Code: "CLOSED", Msg: "the connection is closed"}
	}
	if g, ok := c.grpc[key]; ok {
		return g, nil
	}
	host := t.Host
	if hostname(host) == strings.Trim(host, "[]") { // no port
		host += map[string]string{"http": ":80", "https": ":443"}[t.Scheme]
	}
	limit := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(int(min(c.o.MaxAnswerBytes, 1<<31-1))))
	var opts []option.ClientOption
	if t.Scheme == "http" {
		conn, err := grpc.NewClient("passthrough:///"+host, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithUserAgent(c.o.UserAgent),
			grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), limit)
		if err != nil {
			return nil, t.refuse("INVALID_ARGUMENT", "the endpoint cannot be dialled: "+err.Error())
		}
		opts = append(opts, option.WithGRPCConn(conn))
	} else {
		opts = append(opts, option.WithEndpoint(host), option.WithUserAgent(c.o.UserAgent),
			option.WithGRPCDialOption(grpc.WithDisableRetry()), option.WithGRPCDialOption(grpc.WithDisableServiceConfig()),
			option.WithGRPCDialOption(limit))
		if c.creds == nil {
			opts = append(opts, option.WithoutAuthentication())
		} else {
			opts = append(opts, option.WithAuthCredentials(c.creds))
		}
	}
	// Not the caller's context: the connection outlives the call.
	p, err := aiplatform.NewPredictionClient(context.Background(), opts...)
	if err != nil {
		return nil, &Error{Subject: t.String(), Code: "NETWORK", Msg: transport.Short(err.Error()), Cause: err}
	}
	g := &grpcClient{p}
	c.grpc[key] = g
	return g, nil
}

func (c *Client) predictGRPC(ctx context.Context, t target, body json.RawMessage, header map[string]string) (json.RawMessage, error) {
	g, err := c.dial(t)
	if err != nil {
		return nil, err
	}
	var in struct {
		Instances  []json.RawMessage `json:"instances"`
		Parameters json.RawMessage   `json:"parameters"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, t.refuse("INVALID_ARGUMENT", "the request body is not {instances, parameters}")
	}
	req := &aiplatformpb.PredictRequest{Endpoint: t.Resource(), Instances: make([]*structpb.Value, len(in.Instances))}
	for i, in := range in.Instances {
		if req.Instances[i], err = toValue(in); err != nil {
			return nil, t.refuse("INVALID_ARGUMENT", fmt.Sprintf("instance %d: %v", i, err))
		}
	}
	if len(in.Parameters) > 0 {
		if req.Parameters, err = toValue(in.Parameters); err != nil {
			return nil, t.refuse("INVALID_ARGUMENT", "parameters: "+err.Error())
		}
	}
	res, err := g.Predict(c.outgoing(ctx, header), req)
	if err != nil {
		return nil, c.grpcError(ctx, t, err)
	}
	return predictAnswer(res), nil
}

// predictAnswer writes the REST form of the answer; empty fields are left out, as there.
func predictAnswer(res *aiplatformpb.PredictResponse) json.RawMessage {
	b := []byte(`{"predictions":[`)
	for i, p := range res.GetPredictions() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, p)
	}
	b = append(b, ']')
	for _, f := range [][2]string{{"deployedModelId", res.GetDeployedModelId()}, {"model", res.GetModel()},
		{"modelDisplayName", res.GetModelDisplayName()}, {"modelVersionId", res.GetModelVersionId()}} {
		if f[1] != "" {
			b = append(append(append(b, `,"`...), f[0]...), `":`...)
			b = appendString(b, f[1])
		}
	}
	if res.GetMetadata() != nil {
		b = appendValue(append(b, `,"metadata":`...), res.GetMetadata())
	}
	return append(b, '}')
}

func (c *Client) generateGRPC(ctx context.Context, t target, body json.RawMessage, header map[string]string) (json.RawMessage, error) {
	req := &aiplatformpb.GenerateContentRequest{}
	if err := read(t, body, req); err != nil {
		return nil, err
	}
	req.Model = t.Resource()
	g, err := c.dial(t)
	if err != nil {
		return nil, err
	}
	res, err := g.GenerateContent(c.outgoing(ctx, header), req)
	if err != nil {
		return nil, c.grpcError(ctx, t, err)
	}
	return write(t, res)
}

func (c *Client) embedGRPC(ctx context.Context, t target, body json.RawMessage, header map[string]string) (json.RawMessage, error) {
	req := &aiplatformpb.EmbedContentRequest{}
	if err := read(t, body, req); err != nil {
		return nil, err
	}
	req.Model = proto.String(t.Resource())
	g, err := c.dial(t)
	if err != nil {
		return nil, err
	}
	res, err := g.EmbedContent(c.outgoing(ctx, header), req)
	if err != nil {
		return nil, c.grpcError(ctx, t, err)
	}
	return write(t, res)
}

func (c *Client) rawGRPC(ctx context.Context, t target, body json.RawMessage, header map[string]string) (json.RawMessage, error) {
	g, err := c.dial(t)
	if err != nil {
		return nil, err
	}
	res, err := g.RawPredict(c.outgoing(ctx, header), &aiplatformpb.RawPredictRequest{
		Endpoint: t.Resource(), HttpBody: &httpbody.HttpBody{ContentType: "application/json", Data: body},
	})
	if err != nil {
		return nil, c.grpcError(ctx, t, err)
	}
	return res.GetData(), nil
}

// outgoing adds the request's own headers as metadata.
func (c *Client) outgoing(ctx context.Context, header map[string]string) context.Context {
	for k, v := range header {
		if !strings.EqualFold(k, "authorization") {
			ctx = metadata.AppendToOutgoingContext(ctx, strings.ToLower(k), v)
		}
	}
	return ctx
}

func read(t target, body json.RawMessage, into proto.Message) error {
	if err := reader.Unmarshal(body, into); err != nil {
		// protojson varies the blanks of its messages on purpose.
		msg := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "proto: ")
		return t.refuse("INVALID_ARGUMENT", "the request body does not fit this version of the gRPC API ("+transport.Short(msg)+
			"). Use transport rest for newer fields")
	}
	return nil
}

func write(t target, m proto.Message) (json.RawMessage, error) {
	b, err := writer.Marshal(m)
	if err != nil {
		return nil, &Error{Subject: t.String(), Code: "BAD_ANSWER", Msg: "the answer cannot be written as JSON", Cause: err}
	}
	return b, nil
}

// httpStatus is the mapping that google.rpc.Code documents.
var httpStatus = map[codes.Code]int{
	codes.Canceled: 499, codes.Unknown: 500, codes.InvalidArgument: 400, codes.DeadlineExceeded: 504, codes.NotFound: 404,
	codes.AlreadyExists:    409,
	codes.PermissionDenied: 403, codes.ResourceExhausted: 429, codes.FailedPrecondition: 400, codes.Aborted: 409, codes.OutOfRange: 400,
	codes.Unimplemented: 501, codes.Internal: 500, codes.Unavailable: 503, codes.DataLoss: 500, codes.Unauthenticated: 401,
}

var codeNames = map[codes.Code]string{
	codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN", codes.InvalidArgument: "INVALID_ARGUMENT",
	codes.DeadlineExceeded: "DEADLINE_EXCEEDED",
	codes.NotFound:         "NOT_FOUND", codes.AlreadyExists: "ALREADY_EXISTS", codes.PermissionDenied: "PERMISSION_DENIED",
	codes.ResourceExhausted: "RESOURCE_EXHAUSTED", codes.FailedPrecondition: "FAILED_PRECONDITION", codes.Aborted: "ABORTED",
	codes.OutOfRange: "OUT_OF_RANGE", codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL", codes.Unavailable: "UNAVAILABLE",
	codes.DataLoss: "DATA_LOSS", codes.Unauthenticated: "UNAUTHENTICATED",
}

func (c *Client) grpcError(ctx context.Context, t target, err error) error {
	if ctx.Err() != nil {
		return c.failed(ctx, t, err)
	}
	var withStatus interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &withStatus) {
		return c.failed(ctx, t, err)
	}
	s := withStatus.GRPCStatus()
	// The server knows the deadline too and may give up a moment before we do.
	if at, has := ctx.Deadline(); has && (s.Code() == codes.DeadlineExceeded || s.Code() == codes.Canceled) &&
		time.Until(at) < 100*time.Millisecond {
		return &Error{Subject: t.String(), Code: "DEADLINE_EXCEEDED", Msg: "no answer in time", Cause: context.DeadlineExceeded}
	}
	e := &Error{Subject: t.String(), Status: httpStatus[s.Code()], Code: codeNames[s.Code()], Msg: transport.Short(s.Message())}
	if e.Code == "" {
		e.Status, e.Code = 500, "UNKNOWN"
	}
	// Made by the library itself, with no answer: a lost connection, a message over the limit.
	if s.Code() == codes.ResourceExhausted && strings.Contains(s.Message(), "larger than max") {
		e.Status, e.Code = 413, "ANSWER_TOO_LARGE"
	}
	if s.Code() == codes.Unavailable && len(s.Details()) == 0 && strings.HasPrefix(s.Message(), "connection error") {
		e.Status, e.Code = 0, "NETWORK"
	}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.RetryInfo:
			if w := d.GetRetryDelay().AsDuration(); w > 0 {
				e.Wait = w
			}
		case *errdetails.ErrorInfo:
			e.Detail = d.GetReason()
		}
	}
	return advise(e)
}
