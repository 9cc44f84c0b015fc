package bigquery

import (
	"net/http"
	"regexp"
	"strings"
)

// object is a part of the discovery document (https://developers.google.com/discovery/v1/reference/apis).
type object map[string]any

// pathParameter is a name in a path.
var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

// discovery answers with the document from which bq and other clients build their calls: it lists the methods that are served, and
// says of bodies no more than their names.
func (s *Service) discovery(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r}
	if v := c.param("version"); v != "" && v != "v2" {
		c.reply(nil, notFound("Not found: a discovery document of version %.50s", v))
		return
	}
	root := strings.TrimSuffix(c.base(), strings.TrimPrefix(Prefix, "/"))
	schemas, resources := object{}, object{}
	for _, m := range methods {
		group, name, _ := strings.Cut(m.id, ".")
		params, order := object{}, []string{}
		for _, found := range pathParameter.FindAllStringSubmatch(m.path, -1) {
			params[found[1]] = object{"type": "string", "location": "path", "required": true}
			order = append(order, found[1])
		}
		for _, q := range strings.Fields(m.query) {
			q, repeated := strings.CutSuffix(q, "*")
			q, kind, typed := strings.Cut(q, ":")
			p := object{"type": "string", "location": "query"}
			if typed {
				p["type"] = kind
			}
			if repeated {
				p["repeated"] = true
			}
			params[q] = p
		}
		path := strings.TrimPrefix(pathParameter.ReplaceAllString(m.path, "{+$1}"), "/")
		if of, verb, ok := strings.Cut(path, ":"); ok { // such methods take the path of the resource whole
			params, order = object{"resource": object{"type": "string", "location": "path", "required": true,
				"pattern": "^" + pathParameter.ReplaceAllString(strings.ReplaceAll(of, "+", ""), "[^/]+") + "$"}}, []string{"resource"}
			path = "{+resource}:" + verb
		}
		of := object{"id": "bigquery." + m.id, "path": path, "flatPath": strings.TrimPrefix(m.path, "/"), "httpMethod": m.verb,
			"parameters": params, "parameterOrder": order}
		for key, name := range map[string]string{"request": m.request, "response": m.response} {
			if name != "" {
				of[key] = object{"$ref": name}
				schemas[name] = object{"id": name, "type": "object", "properties": object{}}
			}
		}
		if m.id == "jobs.insert" {
			upload := object{"multipart": true, "path": "/upload" + Prefix + "/projects/{+projectId}/jobs"}
			of["supportsMediaUpload"] = true
			of["mediaUpload"] = object{"accept": []string{"*/*"}, "protocols": object{"simple": upload, "resumable": upload}}
		}
		if resources[group] == nil {
			resources[group] = object{"methods": object{}}
		}
		resources[group].(object)["methods"].(object)[name] = of
	}
	parameters := object{}
	for _, name := range []string{"alt", "fields", "key", "oauth_token", "quotaUser", "userIp", "access_token", "uploadType"} {
		parameters[name] = object{"type": "string", "location": "query"}
	}
	parameters["prettyPrint"] = object{"type": "boolean", "location": "query"}
	c.reply(object{
		"kind": "discovery#restDescription", "discoveryVersion": "v1", "id": "bigquery:v2", "name": "bigquery", "version": "v2",
		"protocol": "rest", "title": "BigQuery API, as Mallard serves it", "rootUrl": root,
		"servicePath": strings.TrimPrefix(Prefix, "/") + "/", "basePath": Prefix + "/",
		"baseUrl": root + strings.TrimPrefix(Prefix, "/") + "/", "batchPath": "batch/bigquery/v2",
		"parameters": parameters, "schemas": schemas, "resources": resources,
	}, nil)
}
