// Package connection is BigQuery's Connection API, version 1, over gRPC and REST, for connections to remote models. Those of Mallard's
// configuration are there without being created; what a client creates is kept in the database, and asks what the connection of its name
// in the configuration asks, else what the default one does.
package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/bigquery/connection/apiv1/connectionpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mallardml/mallard/internal/server/iam"
)

// Service serves the API. It is safe for concurrent use.
type Service struct {
	connectionpb.UnimplementedConnectionServiceServer
	project    string
	configured []string // names of the configuration: id, or project.location.id
	policies   *iam.Policies
	keep       iam.Keep
	started    time.Time

	mu   sync.Mutex
	made map[place]*connectionpb.Connection
}

// New serves the connections of a project. Their accounts may use Vertex AI, says the project's policy. kept are those that were created
// before, as JSON by their names, and keep keeps others; nil is for as long as the service lives.
func New(project string, configured []string, policies *iam.Policies, kept map[string]json.RawMessage, keep iam.Keep) (*Service, error) {
	if keep == nil {
		keep = func(context.Context, string, json.RawMessage) error { return nil }
	}
	s := &Service{project: project, configured: slices.Sorted(slices.Values(configured)), policies: policies, keep: keep, started: time.Now(),
		made: map[place]*connectionpb.Connection{}}
	for name, text := range kept {
		m := connectionName.FindStringSubmatch(name)
		c := &connectionpb.Connection{}
		if err := protojson.Unmarshal(text, c); err != nil || m == nil {
			return nil, fmt.Errorf("the connection %s that the database keeps cannot be read: %w", name, err)
		}
		s.made[place{m[1], m[2], m[3]}.key()] = c
	}
	policies.Given = s.given
	return s, nil
}

// put keeps a connection.
func (s *Service) put(ctx context.Context, p place, c *connectionpb.Connection) error {
	text, err := protojson.Marshal(c)
	if err != nil {
		return err
	}
	if err := s.keep(ctx, p.key().String(), text); err != nil {
		return status.Errorf(codes.FailedPrecondition, "keeping connection %s: %v", p, err)
	}
	s.made[p.key()] = c
	return nil
}

// place is where a connection is. Locations do not tell case apart; names do not either, as in Mallard's configuration.
type place struct{ project, location, id string }

func (p place) key() place {
	return place{p.project, strings.ToLower(p.location), strings.ToLower(p.id)}
}

// String is the name of the connection.
func (p place) String() string {
	return fmt.Sprintf("projects/%s/locations/%s/connections/%s", p.project, p.location, p.id)
}

// account is the one that a connection asks other services as. It is the same for the same name, on every server.
func (p place) account() string {
	sum := sha256.Sum256([]byte(p.key().String()))
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.project))
	return fmt.Sprintf("bqcx-%d-%s@gcp-sa-bigquery-condel.iam.gserviceaccount.com", h.Sum32(), hex.EncodeToString(sum[:2]))
}

var (
	parentName     = regexp.MustCompile(`^projects/([^/]+)/locations/([A-Za-z0-9-]+)$`)
	connectionName = regexp.MustCompile(`^projects/([^/]+)/locations/([A-Za-z0-9-]+)/connections/([^/]+)$`)
	connectionID   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
)

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func (s *Service) parent(name string) (place, error) {
	m := parentName.FindStringSubmatch(name)
	if m == nil {
		return place{}, invalid("parent must be projects/PROJECT/locations/LOCATION, not %.200q", name)
	}
	p := place{project: m[1], location: m[2]}
	return p, s.check(p)
}

func (s *Service) place(name string) (place, error) {
	m := connectionName.FindStringSubmatch(name)
	if m == nil {
		return place{}, invalid("name must be projects/PROJECT/locations/LOCATION/connections/CONNECTION, not %.200q", name)
	}
	p := place{m[1], m[2], m[3]}
	return p, s.check(p)
}

func (s *Service) check(p place) error {
	if p.project != s.project {
		return status.Errorf(codes.NotFound, "Not found: Project %.100s. This server's project is %s", p.project, s.project)
	}
	return nil
}

// ofConfiguration reports whether the configuration has the connection: by its whole name, else by its last part.
func (s *Service) ofConfiguration(p place) bool {
	whole := strings.Join([]string{p.project, p.location, p.id}, ".")
	return slices.ContainsFunc(s.configured, func(c string) bool { return strings.EqualFold(c, whole) || strings.EqualFold(c, p.id) })
}

// Has reports whether a client made the connection that a statement names: project.location.id, location.id or id.
func (s *Service) Has(path []string) bool {
	p := place{project: s.project, id: path[len(path)-1]}
	switch len(path) {
	case 1:
	case 2:
		p.location = path[0]
	case 3:
		p.project, p.location = path[0], path[1]
	default:
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.location != "" {
		return s.made[p.key()] != nil
	}
	for k := range s.made {
		if k.id == p.key().id {
			return true
		}
	}
	return false
}

// find gives a connection that was made, or that the configuration has.
func (s *Service) find(p place) (*connectionpb.Connection, error) {
	if c := s.made[p.key()]; c != nil {
		return proto.CloneOf(c), nil
	}
	if s.ofConfiguration(p) {
		return s.resource(p, "Of Mallard's configuration.", s.started), nil
	}
	return nil, status.Errorf(codes.NotFound, "Not found: Connection %s", p)
}

func (s *Service) resource(p place, description string, created time.Time) *connectionpb.Connection {
	return &connectionpb.Connection{
		Name: p.String(), Description: description, CreationTime: created.UnixMilli(), LastModifiedTime: created.UnixMilli(),
		Properties: &connectionpb.Connection_CloudResource{CloudResource: &connectionpb.CloudResourceProperties{ServiceAccountId: p.account()}},
	}
}

// most bounds the connections that are kept.
const most = 10_000

// CreateConnection implements [connectionpb.ConnectionServiceServer].
func (s *Service) CreateConnection(ctx context.Context, r *connectionpb.CreateConnectionRequest) (*connectionpb.Connection, error) {
	p, err := s.parent(r.GetParent())
	if err != nil {
		return nil, err
	}
	if p.id = r.GetConnectionId(); p.id == "" {
		p.id = fmt.Sprintf("connection-%d", time.Now().UnixNano())
	}
	if !connectionID.MatchString(p.id) {
		return nil, invalid("Invalid connection ID %.100q: letters, digits, _ and - are allowed", p.id)
	}
	if err := served(r.GetConnection()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made[p.key()] != nil {
		return nil, status.Errorf(codes.AlreadyExists, "Already Exists: Connection %s", p)
	}
	if len(s.made) >= most {
		return nil, status.Errorf(codes.ResourceExhausted, "there are %d connections, which is as many as there may be", most)
	}
	c := s.resource(p, r.GetConnection().GetDescription(), time.Now())
	c.FriendlyName = r.GetConnection().GetFriendlyName()
	if err := s.put(ctx, p, c); err != nil {
		return nil, err
	}
	return proto.CloneOf(c), nil
}

// served refuses connections to what Mallard does not reach.
func served(c *connectionpb.Connection) error {
	switch c.GetProperties().(type) {
	case *connectionpb.Connection_CloudResource:
		return nil
	case nil:
		return invalid("the connection has no properties: give cloudResource")
	}
	kind := c.ProtoReflect().WhichOneof(c.ProtoReflect().Descriptor().Oneofs().ByName("properties")).JSONName()
	return status.Errorf(codes.Unimplemented,
		"connections of the kind %s are not served here: cloudResource is, for remote models and object tables", kind)
}

// GetConnection implements [connectionpb.ConnectionServiceServer].
func (s *Service) GetConnection(_ context.Context, r *connectionpb.GetConnectionRequest) (*connectionpb.Connection, error) {
	p, err := s.place(r.GetName())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(p)
}

// ListConnections implements [connectionpb.ConnectionServiceServer]. A page token is the number of those before.
func (s *Service) ListConnections(_ context.Context,
	r *connectionpb.ListConnectionsRequest) (*connectionpb.ListConnectionsResponse, error) {
	p, err := s.parent(r.GetParent())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	all := s.list(p)
	s.mu.Unlock()
	from := 0
	if token := r.GetPageToken(); token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 {
			return nil, invalid("Invalid page token %.50q", token)
		}
	}
	size := int(r.GetPageSize())
	if size < 0 {
		return nil, invalid("page_size must not be negative")
	}
	if size == 0 {
		size = 1000
	}
	from = min(from, len(all))
	out := &connectionpb.ListConnectionsResponse{Connections: all[from:min(from+size, len(all))]}
	if from+size < len(all) {
		out.NextPageToken = strconv.Itoa(from + size)
	}
	return out, nil
}

// list gives those of a location by their names, - being every location.
func (s *Service) list(in place) []*connectionpb.Connection {
	all := map[string]*connectionpb.Connection{}
	for _, c := range s.configured {
		p := in
		parts := strings.Split(c, ".")
		if p.id = parts[len(parts)-1]; len(parts) == 3 {
			p.project, p.location = parts[0], parts[1]
		}
		if p.location == "-" {
			p.location = "us"
		}
		if p.project == in.project && (in.location == "-" || strings.EqualFold(p.location, in.location)) {
			all[p.key().String()] = s.resource(p, "Of Mallard's configuration.", s.started)
		}
	}
	for k, c := range s.made {
		if k.project == in.project && (in.location == "-" || strings.EqualFold(k.location, in.location)) {
			all[k.String()] = proto.CloneOf(c)
		}
	}
	var out []*connectionpb.Connection
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name])
	}
	return out
}

// UpdateConnection implements [connectionpb.ConnectionServiceServer].
func (s *Service) UpdateConnection(ctx context.Context, r *connectionpb.UpdateConnectionRequest) (*connectionpb.Connection, error) {
	p, err := s.place(r.GetName())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(p)
	if err != nil {
		return nil, err
	}
	paths := r.GetUpdateMask().GetPaths()
	if len(paths) == 0 {
		paths = []string{"friendly_name", "description"}
	}
	for _, path := range paths {
		switch path {
		case "friendly_name", "friendlyName":
			c.FriendlyName = r.GetConnection().GetFriendlyName()
		case "description":
			c.Description = r.GetConnection().GetDescription()
		default:
			if err := served(r.GetConnection()); err != nil {
				return nil, err
			}
			if !strings.HasPrefix(path, "cloud_resource") && !strings.HasPrefix(path, "cloudResource") {
				return nil, invalid("update_mask: %.100q cannot be changed", path)
			}
		}
	}
	c.LastModifiedTime = time.Now().UnixMilli()
	if err := s.put(ctx, p, c); err != nil {
		return nil, err
	}
	return proto.CloneOf(c), nil
}

// DeleteConnection implements [connectionpb.ConnectionServiceServer].
func (s *Service) DeleteConnection(ctx context.Context, r *connectionpb.DeleteConnectionRequest) (*emptypb.Empty, error) {
	p, err := s.place(r.GetName())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made[p.key()] == nil {
		if s.ofConfiguration(p) {
			return nil, status.Errorf(codes.FailedPrecondition, "Connection %s stands in Mallard's configuration, and is not deleted from here", p)
		}
		return nil, status.Errorf(codes.NotFound, "Not found: Connection %s", p)
	}
	if err := s.keep(ctx, p.key().String(), nil); err != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "deleting connection %s: %v", p, err)
	}
	delete(s.made, p.key())
	return &emptypb.Empty{}, nil
}

// role is what the account of a connection needs for remote models.
const role = "roles/aiplatform.user"

// given says that the accounts of all connections may use Vertex AI: nothing here would refuse them.
func (s *Service) given(resource string) []*iampb.Binding {
	if resource != "projects/"+s.project {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &iampb.Binding{Role: role}
	for _, c := range s.list(place{project: s.project, location: "-"}) {
		b.Members = append(b.Members, "serviceAccount:"+c.GetCloudResource().GetServiceAccountId())
	}
	if len(b.Members) == 0 {
		return nil
	}
	return []*iampb.Binding{b}
}

// GetIamPolicy implements [connectionpb.ConnectionServiceServer].
func (s *Service) GetIamPolicy(ctx context.Context, r *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	return s.policies.GetIamPolicy(ctx, r)
}

// SetIamPolicy implements [connectionpb.ConnectionServiceServer].
func (s *Service) SetIamPolicy(ctx context.Context, r *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	return s.policies.SetIamPolicy(ctx, r)
}

// TestIamPermissions implements [connectionpb.ConnectionServiceServer].
func (s *Service) TestIamPermissions(ctx context.Context, r *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
	return s.policies.TestIamPermissions(ctx, r)
}
