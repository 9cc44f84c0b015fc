package connection

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"cloud.google.com/go/bigquery/connection/apiv1/connectionpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/mallardml/mallard/internal/server/rest"
)

// Routes serves the API over REST.
func (s *Service) Routes(mux *http.ServeMux) {
	const all = "/v1/projects/{project}/locations/{location}/connections"
	const one = all + "/{connection}"
	mux.Handle("GET "+all, rest.Method(readList, s.ListConnections))
	mux.Handle("POST "+all, rest.Method(readCreate, s.CreateConnection))
	mux.Handle("GET "+one, rest.Method(func(r *http.Request) (*connectionpb.GetConnectionRequest, error) {
		return &connectionpb.GetConnectionRequest{Name: name(r)}, nil
	}, s.GetConnection))
	mux.Handle("PATCH "+one, rest.Method(readUpdate, s.UpdateConnection))
	mux.Handle("DELETE "+one, rest.Method(func(r *http.Request) (*connectionpb.DeleteConnectionRequest, error) {
		return &connectionpb.DeleteConnectionRequest{Name: name(r)}, nil
	}, s.DeleteConnection))
	mux.HandleFunc("POST "+one, func(w http.ResponseWriter, r *http.Request) {
		resource, verb := rest.Verb(name(r))
		s.policies.Serve(w, r, resource, verb)
	})
}

func parent(r *http.Request) string {
	return "projects/" + r.PathValue("project") + "/locations/" + r.PathValue("location")
}

func name(r *http.Request) string { return parent(r) + "/connections/" + r.PathValue("connection") }

func readList(r *http.Request) (*connectionpb.ListConnectionsRequest, error) {
	q := r.URL.Query()
	in := &connectionpb.ListConnectionsRequest{Parent: parent(r), PageToken: q.Get("pageToken")}
	for _, name := range []string{"pageSize", "maxResults"} {
		if text := q.Get(name); text != "" {
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				return nil, invalid("%s: %.50q is no number", name, text)
			}
			in.PageSize = int32(n)
		}
	}
	return in, nil
}

func readCreate(r *http.Request) (*connectionpb.CreateConnectionRequest, error) {
	in := &connectionpb.CreateConnectionRequest{Parent: parent(r), ConnectionId: r.URL.Query().Get("connectionId"),
		Connection: &connectionpb.Connection{}}
	return in, rest.Body(r, in.Connection)
}

func readUpdate(r *http.Request) (*connectionpb.UpdateConnectionRequest, error) {
	in := &connectionpb.UpdateConnectionRequest{Name: name(r), Connection: &connectionpb.Connection{}}
	if mask := r.URL.Query().Get("updateMask"); mask != "" {
		in.UpdateMask = &fieldmaskpb.FieldMask{Paths: strings.Split(mask, ",")}
	}
	return in, rest.Body(r, in.Connection)
}

// Discovery answers with the discovery document of the API, from which bq builds its calls. root is where the server is:
// http://localhost:9050/.
func Discovery(w http.ResponseWriter, root string) {
	type object = map[string]any
	path := func(names ...string) object {
		all := object{}
		for _, n := range names {
			all[n] = object{"type": "string", "location": "path", "required": true}
		}
		return all
	}
	with := func(all object, queries ...string) object {
		for _, q := range queries {
			all[q] = object{"type": "string", "location": "query"}
		}
		return all
	}
	schemas := object{}
	method := func(id, verb, path string, parameters object, order, request, response string) object {
		m := object{"id": "bigqueryconnection.projects.locations.connections." + id, "httpMethod": verb, "path": path, "flatPath": path,
			"parameters": parameters, "parameterOrder": []string{order}, "response": object{"$ref": response}}
		schemas[response] = object{"id": response, "type": "object", "properties": object{}}
		if request != "" {
			m["request"] = object{"$ref": request}
			schemas[request] = object{"id": request, "type": "object", "properties": object{}}
		}
		return m
	}
	methods := object{
		"create": method("create", "POST", "v1/{+parent}/connections", with(path("parent"), "connectionId"), "parent", "Connection",
			"Connection"),
		"list": method("list", "GET", "v1/{+parent}/connections", with(path("parent"), "pageSize", "pageToken", "maxResults"), "parent", "",
			"ListConnectionsResponse"),
		"get":    method("get", "GET", "v1/{+name}", path("name"), "name", "", "Connection"),
		"patch":  method("patch", "PATCH", "v1/{+name}", with(path("name"), "updateMask"), "name", "Connection", "Connection"),
		"delete": method("delete", "DELETE", "v1/{+name}", path("name"), "name", "", "Empty"),
		"getIamPolicy": method("getIamPolicy", "POST", "v1/{+resource}:getIamPolicy", path("resource"), "resource", "GetIamPolicyRequest",
			"Policy"),
		"setIamPolicy": method("setIamPolicy", "POST", "v1/{+resource}:setIamPolicy", path("resource"), "resource", "SetIamPolicyRequest",
			"Policy"),
		"testIamPermissions": method("testIamPermissions", "POST", "v1/{+resource}:testIamPermissions", path("resource"), "resource",
			"TestIamPermissionsRequest", "TestIamPermissionsResponse"),
	}
	in := func(name string, inner object) object { return object{name: inner} }
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(object{
		"kind": "discovery#restDescription", "discoveryVersion": "v1", "id": "bigqueryconnection:v1", "name": "bigqueryconnection",
		"version":  "v1",
		"protocol": "rest", "title": "BigQuery Connection API, as Mallard serves it", "rootUrl": root, "servicePath": "", "basePath": "",
		"baseUrl":   root,
		"batchPath": "batch", "schemas": schemas,
		"parameters": with(object{"prettyPrint": object{"type": "boolean", "location": "query"}}, "alt", "fields", "key", "oauth_token",
			"quotaUser", "access_token"),
		"resources": in("projects", in("resources", in("locations", in("resources", in("connections", in("methods", methods)))))),
	})
}
