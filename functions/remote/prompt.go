package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
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

var (
	errNullPart   = errors.New("a part of it is NULL")
	errManyVideos = errors.New("it has more than one video")
)

// several reports whether the part may be a video. It looks at no object, and [Spec.medium] holds itself to it.
func (p part) several() bool {
	mime := p.MIME
	if t := typeByName(p.URI); mime == "" || mime == "application/octet-stream" && t != "" {
		mime = t
	}
	return !p.isText() && (mime == "" || strings.HasPrefix(mime, "video/"))
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
