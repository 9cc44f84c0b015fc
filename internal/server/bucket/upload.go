package bucket

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"google.golang.org/api/storage/v1"

	"github.com/mallardml/mallard/connectors/localfs"
)

// maxAttributes is the size of an upload's JSON part.
const maxAttributes = 1 << 20

// upload takes an object in one request, or begins one in several.
func (s *Service) upload(ctx context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if q.Has("upload_id") { // Go's client sends parts so
		return s.resume(ctx, b, w, r)
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.o.MaxObject+maxAttributes)
	var res *storage.Object
	var err error
	switch kind := q.Get("uploadType"); kind {
	case "media":
		res, err = s.put(ctx, b, r, q.Get("name"), r.Body)
	case "multipart":
		res, err = s.multipart(ctx, b, r)
	case "resumable":
		return s.begin(b, w, r)
	default:
		return invalid("uploadType %q is not served: use media, multipart or resumable.", kind)
	}
	if err != nil {
		return err
	}
	reply(w, res)
	return nil
}

// multipart takes a request of two parts, the attributes and the content.
func (s *Service) multipart(ctx context.Context, b *localfs.Bucket, r *http.Request) (*storage.Object, error) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, invalid("The Content-Type of a multipart upload must have a boundary.")
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	first, err := parts.NextRawPart()
	if err != nil {
		return nil, invalid("The upload has no first part.")
	}
	name, err := named(r, first)
	if err != nil {
		return nil, err
	}
	content, err := parts.NextRawPart()
	if err != nil {
		return nil, invalid("The upload has no second part.")
	}
	return s.put(ctx, b, r, name, content)
}

// named gives the name of an upload's object, which its attributes have or the address.
func named(r *http.Request, attributes io.Reader) (string, error) {
	var o struct {
		Name string `json:"name"`
	}
	if err := json.NewDecoder(io.LimitReader(attributes, maxAttributes)).Decode(&o); err != nil && err != io.EOF {
		return "", invalid("The attributes of the object are no JSON object: %v", err)
	}
	if name := r.URL.Query().Get("name"); name != "" {
		o.Name = name
	}
	if o.Name == "" {
		return "", &fault{http.StatusBadRequest, "required", "Required parameter: name"}
	}
	return o.Name, nil
}
