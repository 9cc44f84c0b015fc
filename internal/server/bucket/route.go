package bucket

import (
	"fmt"
	"net/http"

	"google.golang.org/api/storage/v1"

	"github.com/mallardml/mallard/connectors/localfs"
)

// route says who answers what. {object} is one part of the path, since clients write its slashes as %2F.
func (s *Service) route() {
	in := func(pattern string, h handler) {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			b, err := s.buckets.Bucket(r.PathValue("bucket"))
			if err != nil {
				err = &fault{http.StatusNotFound, "notFound", "The specified bucket does not exist."}
			} else {
				err = h(r.Context(), b, w, r)
			}
			if err != nil {
				writeFault(w, r, err)
			}
		})
	}
	s.mux.HandleFunc("GET /storage/v1/b", func(w http.ResponseWriter, _ *http.Request) { s.listBuckets(w) })
	s.mux.HandleFunc("POST /storage/v1/b", s.insertBucket)
	in("GET /storage/v1/b/{bucket}", s.getBucket)
	in("GET /storage/v1/b/{bucket}/storageLayout", s.layout)
	in("GET /storage/v1/b/{bucket}/o", s.list)
	in("GET /storage/v1/b/{bucket}/o/{object}", s.get)
	in("DELETE /storage/v1/b/{bucket}/o/{object}", s.remove)
	in("POST /storage/v1/b/{bucket}/o/{object}/rewriteTo/b/{target}/o/{copy}", s.rewrite)
	in("POST /storage/v1/b/{bucket}/o/{object}/copyTo/b/{target}/o/{copy}", s.rewrite)
	in("GET /download/storage/v1/b/{bucket}/o/{object}", s.media)
	in("POST /upload/storage/v1/b/{bucket}/o", s.upload)
	in("PUT /upload/storage/v1/b/{bucket}/o", s.resume)
	in("DELETE /upload/storage/v1/b/{bucket}/o", s.cancel)
	for _, name := range s.buckets.Names() {
		s.mux.HandleFunc("GET /"+name+"/{object...}", func(w http.ResponseWriter, r *http.Request) {
			b, err := s.buckets.Bucket(name)
			if err == nil {
				err = s.media(r.Context(), b, w, r)
			}
			if err != nil {
				writeFault(w, r, err)
			}
		})
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeFault(w, r, &fault{http.StatusBadRequest, "invalid", fmt.Sprintf("%s %s is not served: buckets that are folders are listed, read, "+
			"written, copied and deleted from.", r.Method, r.URL.Path)})
	})
}

func described(b *localfs.Bucket) *storage.Bucket {
	return &storage.Bucket{Kind: "storage#bucket", Id: b.Name(), Name: b.Name(), Location: "US", LocationType: "multi-region",
		StorageClass: "STANDARD", Metageneration: 1, ProjectNumber: 1}
}

func (s *Service) listBuckets(w http.ResponseWriter) {
	all := &storage.Buckets{Kind: "storage#buckets"}
	for _, name := range s.buckets.Names() {
		if b, err := s.buckets.Bucket(name); err == nil {
			all.Items = append(all.Items, described(b))
		}
	}
	reply(w, all)
}
