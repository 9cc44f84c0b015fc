package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/provider"
)

// onlineTimeout bounds how long a provider is waited for.
const onlineTimeout = 30 * time.Second

// connections says of each connection where it goes, whether its credentials are there, and with -online whether the
// provider answers. No secret is read into a finding.
func connections(ctx context.Context, o *options, cfg *mallard.Config) (list []finding) {
	if len(cfg.Connections) == 0 {
		return []finding{{subject: "connections", state: "none; TensorFlow models and local files need none"}}
	}
	if c, ok := cfg.Connections["default"]; ok {
		list = append(list, finding{subject: "storage", state: "gs:// through connection default, " + cmp.Or(c.StorageEndpoint, "Cloud Storage")})
	} else {
		list = append(list, finding{subject: "storage",
			state: "gs:// without credentials, for public buckets: there is no [connections.default]"})
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Connections)) {
		p, err := config.Provider(name, cfg.Connections[name])
		if err != nil {
			list = append(list, finding{subject: "connection", state: name, todo: err.Error(), fatal: true})
			continue
		}
		f := finding{subject: "connection", state: name + ": " + p.Describe()}
		if f.todo = p.Lacks(); f.todo == "" && o.online {
			f.asked(ping(ctx, p), "it answers", "it does not answer")
		}
		list = append(list, f)
	}
	return list
}

// asked adds what came of a question that the user wanted to be put: a failure is one of theirs.
func (f *finding) asked(err error, yes, no string) {
	if err == nil {
		f.state += "; " + yes
		return
	}
	f.state += "; " + no
	f.todo, f.fatal = err.Error(), true
}

func ping(ctx context.Context, p provider.Provider) error {
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	return p.Ping(ctx)
}

// cacheFolder says whether the folder for history, TensorFlow and models can be written.
func cacheFolder() finding {
	dir, err := os.UserCacheDir()
	if err == nil {
		dir = filepath.Join(dir, "mallard")
		if err = os.MkdirAll(dir, 0o700); err == nil {
			var f *os.File
			if f, err = os.CreateTemp(dir, ".doctor-*"); err == nil {
				err = errors.Join(f.Close(), os.Remove(f.Name()))
			}
		}
	}
	if err != nil {
		return finding{"cache folder", err.Error(),
			"set HOME or XDG_CACHE_HOME to a folder that can be written, or [store] path in the configuration", false}
	}
	return finding{subject: "cache folder", state: dir + " can be written"}
}
