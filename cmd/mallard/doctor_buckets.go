package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/serving"
	"github.com/mallardml/mallard/objecttable"
)

// errSeen ends a listing.
var errSeen = errors.New("one page is enough")

// buckets says of each folder that stands for a bucket whether it is there, and with -online of each other bucket of a declared model
// whether it can be listed.
func buckets(ctx context.Context, o *options, cfg *mallard.Config) (list []finding) {
	folders := config.BucketDirs(cfg)
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		f := finding{subject: "bucket", state: name + ": the folder " + folders[name]}
		if info, err := os.Stat(folders[name]); err != nil || !info.IsDir() {
			f.todo = "there is no such folder: make it, or correct [buckets] in the configuration"
		}
		list = append(list, f)
	}
	far := map[string]bool{}
	for _, m := range cfg.Models {
		rest, ok := strings.CutPrefix(m.Path, "gs://")
		name, _, _ := strings.Cut(rest, "/")
		if _, folder := folders[name]; ok && !folder {
			far[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(far)) {
		f := finding{subject: "bucket", state: name + ": of Cloud Storage"}
		if o.online {
			f.asked(listed(ctx, cfg, name), "it can be listed", "it cannot be listed")
		}
		list = append(list, f)
	}
	return list
}

// listed lists the first objects of a bucket.
func listed(ctx context.Context, cfg *mallard.Config, bucket string) (err error) {
	ctx, stop := context.WithTimeout(ctx, onlineTimeout)
	defer stop()
	stores := serving.NewStores(cfg, func(context.Context) error { return nil })
	defer func() { err = errors.Join(err, stores.Close()) }()
	store, err := stores.Store(ctx, "gs", "")
	if err != nil {
		return err
	}
	err = store.List(ctx, bucket, "", "", []string{"name"}, func([]objecttable.Object) error { return errSeen })
	if errors.Is(err, errSeen) {
		return nil
	}
	return err
}
