package bucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/storage/v1"

	"github.com/mallardml/mallard/connectors/localfs"
)

func (s *Service) getBucket(_ context.Context, b *localfs.Bucket, w http.ResponseWriter, _ *http.Request) error {
	reply(w, described(b))
	return nil
}

func (s *Service) layout(_ context.Context, b *localfs.Bucket, w http.ResponseWriter, _ *http.Request) error {
	reply(w, map[string]any{"kind": "storage#storageLayout", "bucket": b.Name(), "location": "US", "locationType": "multi-region",
		"hierarchicalNamespace": map[string]any{"enabled": false}})
	return nil
}

// insertBucket makes no bucket: they are folders that the person who starts the server names.
func (s *Service) insertBucket(w http.ResponseWriter, r *http.Request) {
	var b storage.Bucket
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&b); err != nil {
		writeFault(w, r, invalid("The body is no bucket."))
		return
	}
	if s.buckets.Has(b.Name) {
		writeFault(w, r, &fault{http.StatusConflict, "conflict",
			"Your previous request to create the named bucket succeeded and you already own it."})
		return
	}
	writeFault(w, r, &fault{http.StatusForbidden, "forbidden",
		fmt.Sprintf("Bucket %q: start the server with -bucket NAME=FOLDER; requests make none.", b.Name)})
}

// resource describes an object; with its digests, the file is read for them unless they are known.
func (s *Service) resource(
	r *http.Request, b *localfs.Bucket, name string, o localfs.Object, digested bool,
) (*storage.Object, error) {
	generation := strconv.FormatInt(o.Generation, 10)
	at := o.Updated.UTC().Format(time.RFC3339Nano)
	res := &storage.Object{
		Kind: "storage#object", Id: b.Name() + "/" + name + "/" + generation, Name: name, Bucket: b.Name(), Generation: o.Generation,
		Metageneration: 1,
		ContentType:    o.ContentType, StorageClass: "STANDARD", Size: uint64(o.Size), Etag: generation,
		TimeCreated: at, Updated: at, TimeStorageClassUpdated: at, ForceSendFields: []string{"Size"},
		MediaLink: address(r) + "/download/storage/v1/b/" + url.PathEscape(b.Name()) + "/o/" + url.PathEscape(name) + "?alt=media&generation=" +
			generation,
	}
	if !digested {
		return res, nil
	}
	d, err := s.digests.of(r.Context(), b, name, o)
	res.Crc32c, res.Md5Hash = d.crc32c, d.md5
	return res, err
}

// address is where the client of a request reaches this service.
func address(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// generation reads a parameter that is a number; 0 where it is missing.
func generation(r *http.Request) (int64, error) {
	text := r.URL.Query().Get("generation")
	if text == "" {
		return 0, nil
	}
	g, err := strconv.ParseInt(text, 10, 64)
	if err != nil || g <= 0 {
		return 0, errNoObject
	}
	return g, nil
}

var errPrecondition = &fault{http.StatusPreconditionFailed, "conditionNotMet",
	"At least one of the pre-conditions you specified did not hold."}

// check holds a request's conditions against the object that is there, whose generation is 0 where none is.
func check(r *http.Request, generation int64) error {
	for _, c := range []struct {
		key  string
		want bool
	}{{"ifGenerationMatch", true}, {"ifGenerationNotMatch", false}} {
		text := r.URL.Query().Get(c.key)
		if text == "" {
			continue
		}
		g, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return invalid("%s is no number.", c.key)
		}
		if (g == generation) != c.want {
			return errPrecondition
		}
	}
	return nil
}

// stat finds the object of a request.
func stat(ctx context.Context, b *localfs.Bucket, r *http.Request, name string) (localfs.Object, error) {
	g, err := generation(r)
	if err != nil {
		return localfs.Object{}, err
	}
	o, err := b.Stat(ctx, "", name, g)
	var of *localfs.Error
	if errors.As(err, &of) && of.Reason() == localfs.Changed {
		return o, errNoObject // old generations are not kept
	}
	if err != nil {
		return o, err
	}
	return o, check(r, o.Generation)
}

func (s *Service) get(ctx context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("alt") == "media" {
		return s.media(ctx, b, w, r)
	}
	name := r.PathValue("object")
	o, err := stat(ctx, b, r, name)
	if err != nil {
		return err
	}
	res, err := s.resource(r, b, name, o, true)
	if err != nil {
		return err
	}
	reply(w, res)
	return nil
}

// media sends the bytes of an object, or a range of them.
func (s *Service) media(ctx context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("object")
	o, err := stat(ctx, b, r, name)
	if err != nil {
		return err
	}
	d, err := s.digests.of(ctx, b, name, o)
	if err != nil {
		return err
	}
	f, err := b.File(name, o.Generation)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", o.ContentType)
	h.Set("ETag", `"`+strconv.FormatInt(o.Generation, 10)+`"`)
	h.Set("X-Goog-Generation", strconv.FormatInt(o.Generation, 10))
	h.Set("X-Goog-Metageneration", "1")
	h.Set("X-Goog-Storage-Class", "STANDARD")
	h.Set("X-Goog-Stored-Content-Encoding", "identity")
	h.Set("X-Goog-Stored-Content-Length", strconv.FormatInt(o.Size, 10))
	h.Add("X-Goog-Hash", "crc32c="+d.crc32c)
	h.Add("X-Goog-Hash", "md5="+d.md5)
	// No page may be made of an object: it could be one of another site's.
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox")
	http.ServeContent(w, r, "", o.Updated, f)
	return nil
}

func (s *Service) remove(ctx context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("object")
	o, err := stat(ctx, b, r, name)
	if err != nil {
		return err
	}
	if err := b.Remove(ctx, name, o.Generation); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// rewrite copies an object, whole and at once.
func (s *Service) rewrite(ctx context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	target, err := s.buckets.Bucket(r.PathValue("target"))
	if err != nil {
		return &fault{http.StatusNotFound, "notFound", "The specified bucket does not exist."}
	}
	body, _, err := b.Open(ctx, "", r.PathValue("object"), 0, 0)
	if err != nil {
		return err
	}
	defer body.Close()
	res, err := s.put(ctx, target, r, r.PathValue("copy"), body)
	if err != nil {
		return err
	}
	if strings.Contains(r.URL.EscapedPath(), "/copyTo/") {
		reply(w, res)
		return nil
	}
	reply(w, &storage.RewriteResponse{Kind: "storage#rewriteResponse", Done: true, ObjectSize: int64(res.Size),
		TotalBytesRewritten: int64(res.Size), Resource: res,
		ForceSendFields: []string{"ObjectSize", "TotalBytesRewritten"}})
	return nil
}

// put writes an object, and describes it.
func (s *Service) put(ctx context.Context, b *localfs.Bucket, r *http.Request, name string, content io.Reader) (*storage.Object, error) {
	u, err := b.Create(name)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(u, content); err != nil {
		return nil, errors.Join(err, u.Abort())
	}
	return s.commit(ctx, b, r, name, u)
}

// commit puts a written object in its place if the request's conditions hold.
func (s *Service) commit(ctx context.Context, b *localfs.Bucket, r *http.Request, name string, u *localfs.Upload) (*storage.Object, error) {
	var there int64
	if o, err := b.Stat(ctx, "", name, 0); err == nil {
		there = o.Generation
	}
	if err := check(r, there); err != nil {
		return nil, errors.Join(err, u.Abort())
	}
	o, err := u.Commit(ctx)
	if err != nil {
		return nil, err
	}
	return s.resource(r, b, name, o, true)
}
