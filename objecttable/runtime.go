package objecttable

import (
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/mallardml/mallard/internal/image"
)

// Options are limits of a Runtime. The zero value has the defaults.
type Options struct {
	// MaxMemory is how many bytes of objects are held at once besides what queries keep; default 128 MiB.
	MaxMemory int64
	// MaxChunk is how many bytes of objects one vector of object_bytes may hold, or of decoded images one of the image
	// functions: chunks of an object table's scan stay within a quarter of MaxMemory, but sorted, joined or stored rows
	// come 2,048 at a time, and images grow when they are decoded. Default 2 GiB.
	MaxChunk int64
	// MaxObject is the size of the largest object that object_bytes reads; default 100 MB.
	MaxObject int64
	// Concurrency is how many objects are read at once, over all queries; default 32.
	Concurrency int
	// Images bounds decoding.
	Images image.Limits
}

// Runtime is what the SQL functions of one database share. It is safe for concurrent use.
type Runtime struct {
	o     Options
	host  Host
	cache cache
	slots chan struct{}
	held  *semaphore.Weighted
	ahead ahead
	bufs  sync.Pool
}

// chunkBytes is the most that the objects of one chunk of a scan may have together.
func (r *Runtime) chunkBytes() int64 { return r.o.MaxMemory / 4 }

func errNoCache(name string) error {
	return fmt.Errorf("object table %s keeps no metadata: create it with max_staleness and metadata_cache_mode, or just query it", name)
}
