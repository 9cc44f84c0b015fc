package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/udf"
)

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

// objects are a row's that was put off, as the runtime sees them.
type objects struct {
	spec *Spec
	row  deferredRow
}

// Carried implements [dispatch.Objects].
func (o objects) Carried() int { return o.spec.heavy(o.row) }

// Local implements [dispatch.Objects].
func (o objects) Local() bool { return o.row.local() }

// Request implements [dispatch.Objects].
func (o objects) Request(ctx context.Context) (dispatch.Request, string) {
	body, status := o.spec.codec.finish(ctx, o.row)
	if status != "" {
		return dispatch.Request{}, status
	}
	versions, unversioned := o.spec.versions(o.row)
	return dispatch.Request{Body: body, Versions: versions, Unversioned: unversioned}, ""
}

// several reports whether the row of a payload may give several rows: whether its object is a video, or may be one. The others
// are known to give one without being asked.
func (s *Spec) several(payload string) bool {
	switch {
	case !s.segments || payload == "":
		return false
	case !isDeferred(payload):
		return strings.HasPrefix(payload, `{"video":`)
	}
	r, err := readDeferred(payload)
	return err != nil || r.Parts[0].several()
}
