package objecttable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// refType is an ObjectRef
// (https://cloud.google.com/bigquery/docs/reference/standard-sql/objectref_functions).
var refType = udf.StructOf(udf.Field{Name: "uri", Type: varchar}, udf.Field{Name: "version", Type: varchar},
	udf.Field{Name: "authorizer", Type: varchar}, udf.Field{Name: "details", Type: jsonType})

var readURLType = udf.StructOf(udf.Field{Name: "url", Type: varchar}, udf.Field{Name: "status", Type: varchar})

// ref is an ObjectRef. Its fields are nil where they are NULL.
type ref struct {
	URI        *string         `json:"uri"`
	Version    *string         `json:"version,omitempty"`
	Authorizer *string         `json:"authorizer,omitempty"`
	Details    json.RawMessage `json:"details,omitempty"`
}

// refFunctions are OBJ.MAKE_REF, OBJ.FETCH_METADATA, OBJ.GET_ACCESS_URL and OBJ.GET_READ_URL, and what
// EXTERNAL_OBJECT_TRANSFORM needs. Each gives NULL for a NULL ref or URI. Those that BigQuery has for arrays of ObjectRefs are
// there for these, too.
func (r *Runtime) refFunctions() []*scalar {
	out := []*scalar{
		{name: "obj_make_ref", params: []udf.Type{refType, varchar}, result: refType, f: makeRefAgain},
		{name: "obj_fetch_metadata", params: []udf.Type{refType}, result: refType, f: r.fetchMetadata},
		{name: "obj_get_access_url", params: []udf.Type{refType, varchar}, result: jsonType, f: r.accessURL},
		{name: "obj_get_access_url", params: []udf.Type{refType, varchar, intervalType}, result: jsonType, f: r.accessURL},
		{name: "obj_get_read_url", params: []udf.Type{refType}, result: readURLType, f: r.readURL},
	}
	for _, s := range out[1:] {
		out = append(out, each(s), ofNull(s))
	}
	out = append(out, []*scalar{
		{name: "object_signed_url", params: []udf.Type{varchar, varchar}, result: varchar, f: r.signedURL},
		{name: "object_bytes", params: []udf.Type{refType}, result: blob, f: r.refBytes, bind: binds},
	}...)
	for n := 1; n <= 4; n++ { // uri or JSON, authorizer, version, details
		if n != 3 {
			out = append(out, &scalar{name: "obj_make_ref", params: []udf.Type{varchar, varchar, varchar, varchar}[:n], result: refType, f: makeRef})
		}
	}
	return out
}

// refs reads a column of ObjectRefs.
type refs struct {
	whole  udf.Column
	fields [4]udf.Column
}

func readRefs(v mapping.Vector) refs {
	rs := refs{whole: udf.Read(v)}
	for k := range rs.fields {
		rs.fields[k] = udf.Read(mapping.StructVectorGetChild(v, mapping.IdxT(k)))
	}
	return rs
}

// text is a copy of a field, or nil.
func (rs *refs) text(k, i int) *string {
	if rs.fields[k].Null(i) {
		return nil
	}
	s := strings.Clone(rs.fields[k].Text(i))
	return &s
}

// read returns a row, or false for NULL and for a ref without a URI.
func (rs *refs) read(i int) (ref, bool) {
	if rs.whole.Null(i) || rs.fields[0].Null(i) {
		return ref{}, false
	}
	o := ref{URI: rs.text(0, i), Version: rs.text(1, i), Authorizer: rs.text(2, i)}
	if d := rs.text(3, i); d != nil {
		o.Details = json.RawMessage(*d)
	}
	return o, true
}

func (o *ref) authorizer() string {
	if o.Authorizer == nil {
		return ""
	}
	return *o.Authorizer
}

// generation is 0 without a version, which is any.
func (o *ref) generation() (int64, error) {
	if o.Version == nil || *o.Version == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(*o.Version, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: version %q is no generation: it must be a number", *o.URI, *o.Version)
	}
	return n, nil
}

func writeRefRow(out mapping.Vector, row int, o ref) error {
	for k, s := range [3]*string{o.URI, o.Version, o.Authorizer} {
		child := mapping.StructVectorGetChild(out, mapping.IdxT(k))
		if s == nil {
			udf.SetNull(child, row)
		} else if err := udf.SetText(child, row, *s); err != nil {
			return fmt.Errorf("an ObjectRef's field: %w", err)
		}
	}
	child := mapping.StructVectorGetChild(out, 3)
	if o.Details == nil {
		udf.SetNull(child, row)
		return nil
	}
	return udf.SetText(child, row, string(o.Details))
}

// makeRef is OBJ.MAKE_REF(uri [, authorizer [, version, details]]) and OBJ.MAKE_REF(json). No object is looked at.
func makeRef(_ *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	var args [4]udf.Column
	for k, v := range in {
		args[k] = udf.Read(v)
	}
	for i := range n {
		if args[0].Null(i) {
			udf.SetNullStruct(out, i, 4)
			continue
		}
		text := func(k int) *string {
			if k >= len(in) || args[k].Null(i) {
				return nil
			}
			s := strings.Clone(args[k].Text(i))
			return &s
		}
		o := ref{URI: text(0), Authorizer: text(1), Version: text(2)}
		var err error
		if t := strings.TrimSpace(*o.URI); len(in) == 1 && strings.HasPrefix(t, "{") {
			o, err = parseRef(t)
		} else if d := text(3); d != nil {
			o.Details, err = refDetailsOf(json.RawMessage(*d))
		}
		if err != nil {
			return err
		}
		if err := writeRefRow(out, i, o); err != nil {
			return err
		}
	}
	return nil
}

// parseRef reads the JSON of an ObjectRef. Fields that it does not know are left out, as in BigQuery.
func parseRef(text string) (ref, error) {
	var o ref
	if !utf8.ValidString(text) {
		return o, udf.ErrUTF8
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return o, fmt.Errorf(`%.80s is no ObjectRef: %w; write {"uri": "gs://bucket/object", "authorizer": "connection"}`, text, err)
	}
	if o.URI == nil {
		return o, fmt.Errorf(`%.80s is no ObjectRef: it has no uri; write {"uri": "gs://bucket/object", "authorizer": "connection"}`, text)
	}
	if string(o.Details) == "null" {
		o.Details = nil
	}
	if o.Details == nil {
		return o, nil
	}
	var err error
	o.Details, err = refDetailsOf(o.Details)
	return o, err
}

// refDetailsOf takes details, or what stands under gcs_metadata in them.
func refDetailsOf(d json.RawMessage) (json.RawMessage, error) {
	var m map[string]json.RawMessage
	if !utf8.Valid(d) {
		return nil, udf.ErrUTF8
	}
	if err := json.Unmarshal(d, &m); err != nil {
		return nil, fmt.Errorf(`an ObjectRef's details %.80s: %w; write {"gcs_metadata": {"content_type": "image/png"}}`, d, err)
	}
	if m == nil {
		return nil, nil
	}
	if m["gcs_metadata"] == nil && m["errors"] == nil {
		return json.Marshal(map[string]json.RawMessage{"gcs_metadata": d})
	}
	return d, nil
}

// makeRefAgain is OBJ.MAKE_REF(ref, authorizer): the ref under another connection.
func makeRefAgain(_ *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	rs, authorizers := readRefs(in[0]), udf.Read(in[1])
	for i := range n {
		o, ok := rs.read(i)
		if !ok {
			udf.SetNullStruct(out, i, 4)
			continue
		}
		o.Authorizer = nil
		if !authorizers.Null(i) {
			s := strings.Clone(authorizers.Text(i))
			o.Authorizer = &s
		}
		if err := writeRefRow(out, i, o); err != nil {
			return err
		}
	}
	return nil
}

// refError is one of the errors that BigQuery puts into details and into an ObjectRefRuntime.
type refError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Source  string `json:"source"`
}

func refErrors(source string, err error) []refError {
	code := http.StatusBadRequest
	var h interface{ HTTPStatus() int }
	switch {
	case errors.As(err, &h) && h.HTTPStatus() != 0:
		code = h.HTTPStatus()
	case Reason(err) == "not found":
		code = http.StatusNotFound
	case Reason(err) == "forbidden":
		code = http.StatusForbidden
	}
	return []refError{{code, strings.ToValidUTF8(err.Error(), "\uFFFD"), source}}
}

// fetchMetadata is OBJ.FETCH_METADATA: version and details as they are now, or of the version given. It reads only the
// objects' metadata, side by side. What goes wrong stands in details.errors, as in BigQuery, also where Query.Strict.
func (r *Runtime) fetchMetadata(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	type row struct {
		i int
		ref
	}
	rs := readRefs(in[0])
	todo := make([]row, 0, n)
	for i := range n {
		if o, ok := rs.read(i); ok {
			todo = append(todo, row{i, o})
		} else {
			udf.SetNullStruct(out, i, 4)
		}
	}
	return spread(q.Context, todo, r.o.Concurrency, func(ctx context.Context, j *row) error {
		o, err := r.stat(ctx, &j.ref)
		if err != nil {
			return err
		}
		version := strconv.FormatInt(o.Generation, 10)
		j.Version, j.Details = &version, json.RawMessage(refDetails(&o))
		return nil
	}, func(j *row, err error) error {
		switch {
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			return err
		case err != nil:
			if j.Details, err = json.Marshal(map[string][]refError{"errors": refErrors("OBJ.FETCH_METADATA", err)}); err != nil {
				return err
			}
		}
		return writeRefRow(out, j.i, j.ref)
	})
}

// stat asks for an object's metadata.
func (r *Runtime) stat(ctx context.Context, o *ref) (Object, error) {
	generation, err := o.generation()
	if err != nil {
		return Object{}, err
	}
	scheme, bucket, name, err := SplitURI(*o.URI)
	if err != nil {
		return Object{}, err
	}
	store, err := r.host.Store(ctx, scheme, o.authorizer())
	if err != nil {
		return Object{}, err
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return Object{}, ctx.Err()
	}
	return store.Stat(ctx, bucket, name, generation)
}

// sign makes an address of an object with a method, GET or PUT.
func (r *Runtime) sign(ctx context.Context, uri, authorizer, method string, expires time.Time) (string, error) {
	scheme, bucket, name, err := SplitURI(uri)
	if err != nil {
		return "", err
	}
	store, err := r.host.Store(ctx, scheme, authorizer)
	if err != nil {
		return "", err
	}
	s, ok := store.(Signer)
	if !ok {
		return "", fmt.Errorf("%s: objects of %s:// have no signed URLs", uri, scheme)
	}
	return s.SignedURL(bucket, name, method, expires)
}

// How long access lasts, by the documentation.
const (
	signedFor  = 6 * time.Hour
	readFor    = 45 * time.Minute
	accessFrom = 30 * time.Minute
	accessTo   = 6 * time.Hour
)

// accessURL is OBJ.GET_ACCESS_URL: an ObjectRefRuntime.
func (r *Runtime) accessURL(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	type access struct {
		Read    string `json:"read_url"`
		Write   string `json:"write_url,omitempty"`
		Expires string `json:"expiry_time"`
	}
	type runtime struct {
		Ref    ref        `json:"objectref"`
		Access *access    `json:"access_urls,omitempty"`
		Errors []refError `json:"errors,omitempty"`
	}
	rs, modes := readRefs(in[0]), udf.Read(in[1])
	var spans udf.Column
	if len(in) > 2 {
		spans = udf.Read(in[2])
	}
	now := r.cache.now()
	for i := range n {
		if i%256 == 0 && q.Context.Err() != nil {
			return q.Context.Err()
		}
		o, ok := rs.read(i)
		if !ok || modes.Null(i) || len(in) > 2 && spans.Null(i) {
			udf.SetNull(out, i)
			continue
		}
		mode := modes.Text(i)
		if mode != "r" && mode != "rw" {
			return fmt.Errorf("the mode is %q: it must be 'r' or 'rw'", mode)
		}
		last := signedFor
		if len(in) > 2 {
			if last = duration(udf.At[udf.Interval](spans.Data, i)); last < accessFrom || last > accessTo {
				return errors.New("the access must last between 30 minutes and 6 hours: write INTERVAL 45 MINUTE")
			}
		}
		expires := now.Add(last)
		rt := runtime{Ref: o}
		a := access{Expires: expires.UTC().Format("2006-01-02T15:04:05Z")}
		var err error
		if a.Read, err = r.sign(q.Context, *o.URI, o.authorizer(), http.MethodGet, expires); err == nil && mode == "rw" {
			a.Write, err = r.sign(q.Context, *o.URI, o.authorizer(), http.MethodPut, expires)
		}
		if err != nil {
			rt.Errors = refErrors("OBJ.GET_ACCESS_URL", err)
		} else {
			rt.Access = &a
		}
		b, err := json.Marshal(rt)
		if err != nil {
			return fmt.Errorf("%s: the ObjectRef's details are no JSON: %w", *o.URI, err)
		}
		if err := udf.SetText(out, i, string(b)); err != nil {
			return err
		}
	}
	return nil
}

// duration takes a month for 30 days, as BigQuery and DuckDB do when they compare.
func duration(v *udf.Interval) time.Duration {
	if v.Months > 1000 || v.Months < -1000 || v.Days > 30_000 || v.Days < -30_000 || v.Micros > 1<<51 || v.Micros < -1<<51 {
		return -1 // far more than anything asks for
	}
	return time.Duration(v.Months)*30*24*time.Hour + time.Duration(v.Days)*24*time.Hour + time.Duration(v.Micros)*time.Microsecond
}

// readURL is OBJ.GET_READ_URL: an address for 45 minutes, or NULL and why.
func (r *Runtime) readURL(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	rs := readRefs(in[0])
	url, status := mapping.StructVectorGetChild(out, 0), mapping.StructVectorGetChild(out, 1)
	expires := r.cache.now().Add(readFor)
	for i := range n {
		if i%256 == 0 && q.Context.Err() != nil {
			return q.Context.Err()
		}
		o, ok := rs.read(i)
		if !ok {
			udf.SetNullStruct(out, i, 2)
			continue
		}
		u, err := r.sign(q.Context, *o.URI, o.authorizer(), http.MethodGet, expires)
		if err != nil {
			udf.SetNull(url, i)
			if err := udf.SetText(status, i, strings.ToValidUTF8(err.Error(), "\uFFFD")); err != nil {
				return err
			}
			continue
		}
		udf.SetNull(status, i)
		if err := udf.SetText(url, i, u); err != nil {
			return err
		}
	}
	return nil
}

// signedURL is object_signed_url(uri, authorizer), valid for 6 hours. That a connection cannot sign fails the statement:
// no row could be signed.
func (r *Runtime) signedURL(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	uris, authorizers := udf.Read(in[0]), udf.Read(in[1])
	expires := r.cache.now().Add(signedFor)
	for i := range n {
		if i%256 == 0 && q.Context.Err() != nil {
			return q.Context.Err()
		}
		if uris.Null(i) {
			udf.SetNull(out, i)
			continue
		}
		authorizer := ""
		if !authorizers.Null(i) {
			authorizer = strings.Clone(authorizers.Text(i))
		}
		u, err := r.sign(q.Context, strings.Clone(uris.Text(i)), authorizer, http.MethodGet, expires)
		if err != nil {
			return err
		}
		if err := udf.SetText(out, i, u); err != nil {
			return err
		}
	}
	return nil
}

// refBytes is object_bytes(ref).
func (r *Runtime) refBytes(q *Query, conn uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	rs := readRefs(in[0])
	todo := make([]job, 0, n)
	for i := range n {
		o, ok := rs.read(i)
		if !ok {
			udf.SetNull(out, i)
			continue
		}
		generation, err := o.generation()
		if err != nil {
			udf.SetNull(out, i)
			if err := q.row(*o.URI, err); err != nil {
				return err
			}
			continue
		}
		todo = append(todo, job{row: i, uri: *o.URI, generation: generation, authorizer: o.authorizer()})
	}
	return r.readAll(q, conn, todo, n, out)
}
