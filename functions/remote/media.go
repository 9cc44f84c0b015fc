package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unsafe"

	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/udf"
)

// Object is a file that an input refers to.
type Object struct {
	URI        string
	Version    string // its generation; "" for whatever is there
	Authorizer string // the connection that may read it; "" for the default one
}

// part is one piece of a prompt: a text or an object.
type part struct {
	Text string `json:"text,omitempty"`
	Object
	MIME string `json:"mime,omitempty"`
}

func (p part) isText() bool { return p.URI == "" }

// plain joins the parts when all are text.
func plain(parts []part) *string {
	if len(parts) == 1 && parts[0].isText() {
		return &parts[0].Text
	}
	var b strings.Builder
	for _, p := range parts {
		if !p.isText() {
			return nil
		}
		b.WriteString(p.Text)
	}
	s := b.String()
	return &s
}

var (
	errNullPart   = errors.New("a part of it is NULL")
	errManyVideos = errors.New("it has more than one video")
)

// promptParts reads a prompt: a text, or a STRUCT of texts, objects, and arrays of these, joined in order like CONCAT. No
// parts at all are an empty or NULL prompt.
func promptParts(v any) ([]part, error) {
	var parts []part
	videos := 0
	object := func(p part) error {
		if p.URI == "" {
			return errNullPart
		}
		if strings.HasPrefix(p.MIME, "video/") {
			if videos++; videos > 1 {
				return errManyVideos
			}
		}
		parts = append(parts, p)
		return nil
	}
	text := func(s string) {
		if n := len(parts); s != "" && n > 0 && parts[n-1].isText() {
			parts[n-1].Text += s
		} else if s != "" {
			parts = append(parts, part{Text: s})
		}
	}
	var walk func(v any, top bool) error
	walk = func(v any, top bool) error {
		switch v := v.(type) {
		case nil:
			if top {
				return nil
			}
			return errNullPart // as CONCAT
		case string:
			text(v)
		case jsonText:
			p, ok, err := runtimeRef(string(v))
			switch {
			case err != nil:
				return err
			case ok:
				return object(p)
			}
			text(string(v))
		case []any:
			for _, e := range v {
				if err := walk(e, false); err != nil {
					return err
				}
			}
		case record:
			if p, ok := v.object(); ok {
				return object(p)
			}
			for _, e := range v.values {
				if err := walk(e, false); err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("a part of it is no STRING, but %v", v)
		}
		return nil
	}
	err := walk(v, true)
	return parts, err
}

// object reads an ObjectRef: STRUCT<uri STRING, version STRING, authorizer STRING, details JSON>.
func (r record) object() (part, bool) {
	if !r.has("uri") {
		return part{}, false
	}
	p := part{Object: Object{URI: r.text("uri"), Version: r.text("version"), Authorizer: r.text("authorizer")}, MIME: r.text("content_type")}
	if details := r.text("details"); details != "" && p.MIME == "" {
		var d objectDetails
		if json.Unmarshal([]byte(details), &d) == nil {
			p.MIME = d.GCS.ContentType
		}
	}
	return p, true
}

// objectDetails is what of an ObjectRef's details matters here.
type objectDetails struct {
	GCS struct {
		ContentType string `json:"content_type"`
	} `json:"gcs_metadata"`
}

// runtimeRef reads an ObjectRefRuntime: JSON with access_urls and objectref. Its read URL must be set, as BigQuery wants;
// the provider is given the object's own name all the same, which stays the same over the runs.
func runtimeRef(text string) (part, bool, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return part{}, false, nil
	}
	var r struct {
		Access struct {
			Read string `json:"read_url"`
		} `json:"access_urls"`
		Ref struct {
			URI        string        `json:"uri"`
			Version    string        `json:"version"`
			Authorizer string        `json:"authorizer"`
			Details    objectDetails `json:"details"`
		} `json:"objectref"`
		Errors json.RawMessage `json:"runtime_errors"`
	}
	if json.Unmarshal([]byte(text), &r) != nil || r.Ref.URI == "" {
		return part{}, false, nil
	}
	if r.Access.Read == "" {
		if e := given(r.Errors); e != nil {
			return part{}, false, fmt.Errorf("object %s: %s", clip(r.Ref.URI, 200), oneLine(string(e)))
		}
		return part{}, false, fmt.Errorf("object %s has no access_urls.read_url", clip(r.Ref.URI, 200))
	}
	return part{Object: Object{r.Ref.URI, r.Ref.Version, r.Ref.Authorizer}, MIME: r.Ref.Details.GCS.ContentType}, true, nil
}

// Reading what objects a row refers to is put off until it is asked: LIMIT 5 over a folder of images reads five. Such a
// row's payload is a mark and the description of it, which finish turns into the request.
const deferredMark = "\x00"

func isDeferred(payload string) bool { return strings.HasPrefix(payload, deferredMark) }

// deferredRow describes a row whose objects are still to be looked at.
type deferredRow struct {
	Parts []part `json:"parts"`
	Title string `json:"title,omitempty"`
}

func (r deferredRow) payload() (string, error) {
	b, err := json.Marshal(r)
	return deferredMark + string(b), err
}

func readDeferred(payload string) (r deferredRow, err error) {
	return r, json.Unmarshal([]byte(strings.TrimPrefix(payload, deferredMark)), &r)
}

// local reports whether all objects lie on this machine.
func (r deferredRow) local() bool {
	for _, p := range r.Parts {
		if strings.Contains(p.URI, "://") && !strings.HasPrefix(p.URI, "file://") {
			return false
		}
	}
	return true
}

// versions tells apart the answers about what the provider reads itself, which is known by its version only. Where one is not
// known, the object may be another by the next run, and it is named.
func (s *Spec) versions(r deferredRow) (versions, unversioned string) {
	var b strings.Builder
	for _, p := range r.Parts {
		if p.isText() || !s.linked(p) {
			continue // the request has it whole
		}
		if p.Version == "" {
			return "", p.URI
		}
		b.WriteString(p.URI + "\x00" + p.Version + "\x00")
	}
	return b.String(), ""
}

// generation is the version in a row of an object table.
func generation(row []any) string {
	if len(row) < 3 {
		return ""
	}
	if n, ok := row[2].(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// linked reports whether the provider reads the object itself.
func (s *Spec) linked(p part) bool {
	if s.Inline {
		return false
	}
	return strings.HasPrefix(p.URI, "gs://") || s.Family != Multimodal && strings.HasPrefix(p.URI, "https://")
}

// ready reports whether a row's request is all there is to know of it: no object need be looked at, and none has versions
// by which to tell its answers apart.
func (s *Spec) ready(parts []part) bool {
	for _, p := range parts {
		if !p.isText() && (s.caches() || !s.linked(p) || p.MIME == "") {
			return false
		}
	}
	return true
}

// known gives the request of a row that was put off for its versions only, without looking at any object. It is nil for
// others, which are read when they are asked, and so are those that give a status.
func (s *Spec) known(ctx context.Context, payload string) *dispatch.Request {
	if !s.caches() {
		return nil
	}
	row, err := readDeferred(payload)
	if err != nil {
		return nil
	}
	for _, p := range row.Parts {
		if !p.isText() && (!s.linked(p) || p.MIME == "" || p.Version == "") {
			return nil
		}
	}
	r, status := objects{s, row}.Request(ctx)
	if status != "" {
		return nil
	}
	return &r
}

// heavy counts the objects that a request will carry.
func (s *Spec) heavy(r deferredRow) (n int) {
	for _, p := range r.Parts {
		if !p.isText() && !s.linked(p) {
			n++
		}
	}
	return n
}

// contentType finds out what an object is: by its details, else by asking for it, else by its name. It notes the version,
// which an answer that is kept needs, in p.
func (s *Spec) contentType(ctx context.Context, p *part) (string, error) {
	if s.Stat != nil && (p.MIME == "" || p.Version == "" && s.caches() && strings.HasPrefix(p.URI, "gs://")) {
		mime, version, err := s.Stat(ctx, p.Object)
		if err != nil && p.MIME == "" && typeByName(p.URI) == "" {
			return "", fmt.Errorf("object %s: %w", p.URI, err)
		}
		if err == nil {
			if p.MIME == "" {
				p.MIME = mime
			}
			if p.Version == "" {
				p.Version = version
			}
		}
	}
	if p.MIME == "" || p.MIME == "application/octet-stream" && typeByName(p.URI) != "" {
		p.MIME = typeByName(p.URI)
	}
	if p.MIME == "" {
		return "", fmt.Errorf("object %s has no content type; set it in the bucket, or give the object a name with the ending of its kind", p.URI)
	}
	return p.MIME, nil
}

// carried are the objects that go inside a request. Each stands in the JSON as a mark until the whole is written: megabytes
// of base64 need no escaping, and should be copied once.
type carried [][]byte

// carriedMark cannot be in anybody's text: it is drawn when the process starts.
var carriedMark = "mallard-" + rand.Text()

func (c *carried) add(data []byte) string {
	*c = append(*c, data)
	return fmt.Sprintf("%s-%d.", carriedMark, len(*c)-1)
}

// write marshals a request and puts the objects in.
func (c carried) write(body any) (string, error) {
	b, err := marshal(body)
	if err != nil || len(c) == 0 {
		return string(b), err
	}
	n := len(b)
	for _, data := range c {
		n += base64.StdEncoding.EncodedLen(len(data))
	}
	out := make([]byte, 0, n)
	for {
		before, after, found := bytes.Cut(b, []byte(carriedMark+"-"))
		out = append(out, before...)
		if !found {
			return unsafe.String(unsafe.SliceData(out), len(out)), nil
		}
		digits, rest, _ := bytes.Cut(after, []byte("."))
		i, err := strconv.Atoi(string(digits))
		if err != nil || i >= len(c) {
			return "", fmt.Errorf("%w: object %q of %d", udf.ErrPanic, digits, len(c))
		}
		out = base64.StdEncoding.AppendEncode(out, c[i])
		b = rest
	}
}

// load reads an object.
func (s *Spec) load(ctx context.Context, p part) (data []byte, mime string, err error) {
	if s.Load == nil {
		return nil, "", fmt.Errorf("object %s cannot be read by the model, which reads gs:// only", p.URI)
	}
	data, mime, err = s.Load(ctx, p.Object)
	if err != nil {
		return nil, "", fmt.Errorf("object %s: %w", p.URI, err)
	}
	if len(data) == 0 {
		return nil, "", fmt.Errorf("object %s is empty", p.URI)
	}
	if p.MIME != "" {
		mime = p.MIME
	}
	if mime == "" || mime == "application/octet-stream" {
		if t := typeByName(p.URI); t != "" {
			mime = t
		}
	}
	if mime == "" {
		return nil, "", fmt.Errorf("object %s has no content type; give it a name with the ending of its kind", p.URI)
	}
	return data, mime, nil
}

// wireParts writes parts as Gemini takes them. An object the provider cannot read itself is sent along.
func (s *Spec) wireParts(ctx context.Context, parts []part, objects *carried) ([]any, error) {
	out := make([]any, len(parts))
	videos := 0
	for i, p := range parts {
		var mime string
		var data []byte
		var err error
		switch {
		case p.isText():
			out[i] = map[string]any{"text": p.Text}
			continue
		case s.linked(p):
			if mime, err = s.contentType(ctx, &parts[i]); err == nil {
				mime = geminiType(mime)
				out[i] = map[string]any{"fileData": map[string]any{"mimeType": mime, "fileUri": p.URI}}
			}
		default:
			if data, mime, err = s.load(ctx, p); err == nil {
				mime = geminiType(mime)
				out[i] = map[string]any{"inlineData": map[string]any{"mimeType": mime, "data": objects.add(data)}}
			}
		}
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(mime, "video/") {
			if videos++; videos > 1 {
				return nil, errManyVideos
			}
		}
	}
	return out, nil
}

// geminiType gives a content type as the API spells it.
func geminiType(mime string) string {
	mime, _, _ = strings.Cut(strings.ToLower(mime), ";")
	switch mime = strings.TrimSpace(mime); mime {
	case "video/quicktime":
		return "video/mov"
	case "video/x-msvideo":
		return "video/avi"
	case "video/x-ms-wmv":
		return "video/wmv"
	case "video/x-flv":
		return "video/flv"
	case "audio/x-wav", "audio/wave":
		return "audio/wav"
	case "image/jpg":
		return "image/jpeg"
	}
	return mime
}

// typesByName has the content types that the models take.
var typesByName = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".bmp": "image/bmp",
	".pdf": "application/pdf", ".txt": "text/plain", ".mp3": "audio/mpeg", ".wav": "audio/wav",
	".mov": "video/mov", ".mp4": "video/mp4", ".mpg": "video/mpg", ".mpeg": "video/mpeg", ".avi": "video/avi", ".wmv": "video/wmv",
	".flv": "video/flv", ".webm": "video/webm", ".mkv": "video/x-matroska",
}

// typeByName tells a content type by the ending of a name, or "".
func typeByName(uri string) string { return typesByName[strings.ToLower(path.Ext(uri))] }
