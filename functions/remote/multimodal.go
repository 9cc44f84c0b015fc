package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/dispatch"
)

// multimodalFormat is predict of multimodalembedding@001
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/multimodal-embeddings-api).
type multimodalFormat struct{}

func (multimodalFormat) method() string { return "predict" }

func (multimodalFormat) common(s *Spec, parameters map[string]any) error {
	if n := s.Options.OutputDimensionality; n > 0 {
		parameters["dimension"] = n
	}
	return nil
}

func (multimodalFormat) text(_ *Spec, text, _ string) (string, string) { return texts("text", text) }

func (multimodalFormat) media(ctx context.Context, s *Spec, r deferredRow) (payload, status string) {
	var objects carried
	m, status := s.medium(ctx, &r.Parts[0], &objects)
	if status != "" {
		return "", status
	}
	b, err := objects.write(m)
	if err != nil {
		return "", "Invalid content: " + err.Error()
	}
	return b, ""
}

func (multimodalFormat) call(ctx context.Context, svc Service, s *Spec, payloads []string) ([]dispatch.Answer, error) {
	return textEmbeddingFormat{}.call(ctx, svc, s, payloads)
}

func (multimodalFormat) vectors(body json.RawMessage) (all []embedded) {
	m := members(body)
	for _, raw := range elements(m["videoEmbeddings"]) {
		v := members(raw)
		all = append(all, embedded{values: v["embedding"], start: second(v["startOffsetSec"]), end: second(v["endOffsetSec"])})
	}
	switch {
	case len(all) > 0:
	case given(m["imageEmbedding"]) != nil:
		all = []embedded{{values: m["imageEmbedding"]}}
	default:
		all = []embedded{{values: m["textEmbedding"]}}
	}
	return all
}

// second is a time in a video; a missing one is the start, as in all JSON of Google's.
func second(raw json.RawMessage) any {
	if given(raw) == nil {
		return int64(0)
	}
	if n, ok := readInt(raw); ok {
		return n
	}
	return nil
}

// medium is the instance of one text, image or video.
func (s *Spec) medium(ctx context.Context, p *part, objects *carried) (map[string]any, string) {
	if p.isText() {
		return map[string]any{"text": p.Text}, ""
	}
	several := p.several() // before the content type is noted
	var where map[string]any
	var mime string
	var err error
	if s.linked(*p) {
		mime, err = s.contentType(ctx, p)
		where = map[string]any{"gcsUri": p.URI}
	} else {
		var data []byte
		data, mime, err = s.load(ctx, *p)
		where = map[string]any{"bytesBase64Encoded": objects.add(data)}
	}
	if err != nil {
		return nil, "Invalid content: " + err.Error()
	}
	kind, _, _ := strings.Cut(mime, "/")
	if kind == "video" && s.segments && !several {
		return nil, fmt.Sprintf("Object %s is a video by its content type and none by its name; give the content type with it, as "+
			"OBJ.FETCH_METADATA does.", p.URI)
	}
	switch kind {
	case "image":
		where["mimeType"] = mime
		return map[string]any{"image": where}, ""
	case "video":
		o := &s.Options
		if o.OutputDimensionality > 0 {
			return nil, "output_dimensionality is not supported for video."
		}
		segment := map[string]any{}
		if o.StartSecond != nil {
			segment["startOffsetSec"], segment["endOffsetSec"] = seconds(*o.StartSecond), seconds(*o.EndSecond)
		}
		if o.IntervalSeconds != nil {
			segment["intervalSec"] = seconds(*o.IntervalSeconds)
		}
		if len(segment) > 0 {
			where["videoSegmentConfig"] = segment
		}
		return map[string]any{"video": where}, ""
	}
	return nil, fmt.Sprintf("Object %s has the content type %q; only images and videos have embeddings.", p.URI, mime)
}

// seconds writes whole numbers as such: the API takes integers.
func seconds(f float64) any {
	if f == float64(int64(f)) {
		return int64(f)
	}
	return f
}
