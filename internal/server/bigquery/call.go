package bigquery

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	api "google.golang.org/api/bigquery/v2"
)

// Prefix stands before the paths of most clients; Go's leaves it out.
const Prefix = "/bigquery/v2"

// call is one request.
type call struct {
	s *Service
	w http.ResponseWriter
	r *http.Request
}

func (c *call) ctx() context.Context     { return c.r.Context() }
func (c *call) path(name string) string  { return c.r.PathValue(name) }
func (c *call) param(name string) string { return c.r.URL.Query().Get(name) }
func (c *call) project() string          { return c.path("projectId") }

// base is where selfLinks start.
func (c *call) base() string {
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.r.Host + Prefix
}

// number reads a parameter that counts; 0 where it is missing.
func (c *call) number(name string) (int64, bool, error) {
	text := c.param(name)
	if text == "" {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		f := invalid("Invalid value for %s: %.50q is no number that is at least 0", name, text)
		f.Location = name
		return 0, true, f
	}
	return n, true, nil
}

// flag reads a parameter that is true or false.
func (c *call) flag(name string) bool {
	return strings.EqualFold(c.param(name), "true") || c.param(name) == "1"
}

// body reads the request's JSON, forgiving as Google is: numbers and truths may be texts, and the other way round.
func (c *call) body(into any) error {
	text, err := c.read()
	if err != nil {
		return err
	}
	return decodeRequest(text, into)
}

// read gives the request's JSON.
func (c *call) read() ([]byte, error) {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if kind != "" && kind != "application/json" && !strings.HasPrefix(kind, "text/") && kind != "application/x-www-form-urlencoded" {
		return nil, invalid("The request's Content-Type is %.100q, and must be application/json", kind)
	}
	limit := c.s.Limits.Body
	var from io.Reader = http.MaxBytesReader(c.w, c.r.Body, limit)
	if strings.EqualFold(c.r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(from)
		if err != nil {
			return nil, invalid("The request's body is no gzip: %v", err)
		}
		from = io.LimitReader(z, limit+1)
	}
	text, err := io.ReadAll(from)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large) || int64(len(text)) > limit:
		return nil, fault(http.StatusRequestEntityTooLarge, "uploadTooLarge", "Request payload size exceeds the limit: %d bytes.", limit)
	case err != nil:
		return nil, invalid("The request's body ended early: %v", err)
	}
	return text, nil
}

// noContent is the reply without a body.
type noContent struct{}

// reply writes what a method gave.
func (c *call) reply(v any, err error) {
	status := http.StatusOK
	if err != nil {
		f := faultOf(err)
		status, v = f.Status, f.body()
		if c.ctx().Err() == nil {
			c.s.Logger.Debug("refused", "method", c.r.Method, "path", c.r.URL.Path, "status", status, "reason", f.Reason)
		}
	} else if _, ok := v.(noContent); ok {
		c.w.WriteHeader(http.StatusNoContent)
		return
	}
	text, fail := c.render(v, err == nil)
	if fail != nil {
		f := faultOf(fail)
		status = f.Status
		text, _ = json.Marshal(f.body())
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Origin, X-Origin, Referer, Accept-Encoding")
	if status == http.StatusOK && c.unchanged(v) {
		c.w.WriteHeader(http.StatusNotModified)
		return
	}
	if len(text) > 1024 && strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		c.w.WriteHeader(status)
		z, _ := gzip.NewWriterLevel(c.w, gzip.BestSpeed) // the level is a right one
		_, _ = z.Write(text)                             // the client has gone
		_ = z.Close()
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text) // the client has gone
}

// unchanged reports whether the client has a resource already in the version that it has now, as its If-None-Match says.
func (c *call) unchanged(v any) bool {
	has, tag := strings.Trim(c.r.Header.Get("If-None-Match"), `"`), ""
	switch of := v.(type) {
	case *api.Dataset:
		tag = of.Etag
	case *api.Table:
		tag = of.Etag
	case *api.Model:
		tag = of.Etag
	case *api.Routine:
		tag = of.Etag
	}
	return c.r.Method == http.MethodGet && tag != "" && has == tag
}

// render writes the JSON of a reply, with what fields= leaves of it.
func (c *call) render(v any, masked bool) ([]byte, error) {
	if alt := c.param("alt"); alt != "" && alt != "json" {
		return nil, invalid("alt=%.20s is not served, json is", alt)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing the reply: %w", err)
	}
	if fields := c.param("fields"); fields != "" && masked {
		m, err := parseMask(fields)
		if err != nil {
			return nil, err
		}
		if text, err = m.apply(text); err != nil {
			return nil, err
		}
	}
	if c.flag("prettyPrint") {
		var b bytes.Buffer
		if err := json.Indent(&b, text, "", "  "); err != nil {
			return nil, err
		}
		text = b.Bytes()
	}
	return append(text, '\n'), nil
}

// pageOf cuts a list as maxResults and pageToken say. A token is how many items stand before it.
func pageOf[T any](c *call, all []T) (some []T, next string, err error) {
	most, limited, err := c.number("maxResults")
	if err != nil {
		return nil, "", err
	}
	from := 0
	if token := c.param("pageToken"); token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 {
			return nil, "", invalid("Invalid page token %.50q", token)
		}
	}
	all = all[min(from, len(all)):]
	if limited && most < int64(len(all)) && most > 0 {
		return all[:most], strconv.Itoa(from + int(most)), nil
	}
	return all, "", nil
}

const (
	projectPath = "/projects/{projectId}"
	datasetPath = projectPath + "/datasets/{datasetId}"
	tablePath   = datasetPath + "/tables/{tableId}"
	modelPath   = datasetPath + "/models/{modelId}"
	routinePath = datasetPath + "/routines/{routineId}"
	jobPath     = projectPath + "/jobs/{jobId}"

	paging     = "maxResults:integer pageToken"
	timestamps = "formatOptions.timestampOutputFormat formatOptions.useInt64Timestamp:boolean"
)
