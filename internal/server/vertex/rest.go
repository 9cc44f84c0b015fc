package vertex

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// maxBody is the size of a request's JSON.
const maxBody = 1 << 20

// rest answers the requests for models, endpoints and operations (https://cloud.google.com/vertex-ai/docs/reference/rest), and says whether
// one was.
func (s *Service) rest(w http.ResponseWriter, r *http.Request) bool {
	_, resource, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/") // behind the version
	name, verb, _ := strings.Cut(resource, ":")
	what := r.Method + " " + name[strings.LastIndexByte(name, '/')+1:] + " " + verb
	kind := ""
	if m := resourceName.FindStringSubmatch(name); m != nil {
		what, kind = r.Method+" "+m[2]+"/… "+verb, m[2]
	}
	parent := strings.TrimSuffix(strings.TrimSuffix(name, "/models"), "/endpoints")
	body := func(m proto.Message) error {
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err == nil && len(b) > 0 {
			err = (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, m)
		}
		if err != nil {
			return status.Error(codes.InvalidArgument, "The body cannot be read: "+err.Error())
		}
		return nil
	}
	var out proto.Message
	var err error
	switch what {
	case "POST models upload":
		in := &aiplatformpb.UploadModelRequest{}
		if err = body(in); err == nil {
			in.Parent = parent
			out, err = s.registry.upload(r.Context(), in)
		}
	case "GET models ":
		out = &aiplatformpb.ListModelsResponse{Models: s.registry.listModels(parent)}
	case "GET models/… ":
		out, err = s.registry.getModel(name)
	case "DELETE models/… ":
		out, err = s.registry.deleteModel(name, &emptypb.Empty{})
	case "POST endpoints ":
		in := &aiplatformpb.CreateEndpointRequest{Endpoint: &aiplatformpb.Endpoint{}, Parent: parent, EndpointId: r.URL.Query().Get("endpointId")}
		if err = body(in.GetEndpoint()); err == nil {
			out, err = s.registry.createEndpoint(in)
		}
	case "GET endpoints ":
		out = &aiplatformpb.ListEndpointsResponse{Endpoints: s.registry.listEndpoints(parent)}
	case "GET endpoints/… ":
		out, err = s.registry.getEndpoint(name)
	case "DELETE endpoints/… ":
		out, err = s.registry.deleteEndpoint(name, &emptypb.Empty{})
	case "POST endpoints/… deployModel":
		in := &aiplatformpb.DeployModelRequest{}
		if err = body(in); err == nil {
			in.Endpoint = name
			out, err = s.registry.deploy(in)
		}
	case "POST endpoints/… undeployModel":
		in := &aiplatformpb.UndeployModelRequest{}
		if err = body(in); err == nil {
			in.Endpoint = name
			out, err = s.registry.undeploy(in)
		}
	default:
		if kind != "operations" && !strings.Contains(name, "/operations/") || r.Method != http.MethodGet {
			return false
		}
		out, err = s.registry.operation(name)
	}
	answer(w, out, err)
	return true
}

var httpStatus = map[codes.Code]int{
	codes.InvalidArgument: 400, codes.FailedPrecondition: 400, codes.NotFound: 404, codes.AlreadyExists: 409, codes.ResourceExhausted: 429,
}

func answer(w http.ResponseWriter, out proto.Message, err error) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if err == nil {
		var b []byte
		if b, err = protojson.Marshal(out); err == nil {
			_, _ = w.Write(b)
			return
		}
	}
	st, _ := status.FromError(err)
	code := httpStatus[st.Code()]
	if code == 0 {
		code = http.StatusBadRequest
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": code, "message": st.Message(),
		"status": strings.ToUpper(snake(st.Code().String()))}})
}

// snake writes NotFound as Not_Found.
func snake(s string) string {
	var b strings.Builder
	for i, c := range s {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(c)
	}
	return b.String()
}
