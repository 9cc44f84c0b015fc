package bucket

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"

	"github.com/mallardml/mallard/connectors/localfs"
)

// digest is what Cloud Storage tells of an object's bytes, both in base64.
type digest struct{ crc32c, md5 string }

// digests keeps those of files that were read, by object and generation. It is safe for concurrent use.
type digests struct {
	mu    sync.Mutex
	known map[digestKey]digest
}

type digestKey struct {
	uri        string
	generation int64
}

// maxDigests bounds what is kept: beyond it all is forgotten.
const maxDigests = 1 << 16

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// of reads an object for its digest unless it is known.
func (d *digests) of(ctx context.Context, b *localfs.Bucket, name string, o localfs.Object) (digest, error) {
	key := digestKey{o.URI, o.Generation}
	d.mu.Lock()
	known, ok := d.known[key]
	d.mu.Unlock()
	if ok {
		return known, nil
	}
	body, _, err := b.Open(ctx, "", name, o.Generation, 0)
	if err != nil {
		return digest{}, err
	}
	crc, sum := crc32.New(castagnoli), md5.New()
	if _, err = io.Copy(io.MultiWriter(crc, sum), body); err != nil {
		_ = body.Close()
		return digest{}, err
	}
	if err := body.Close(); err != nil {
		return digest{}, err
	}
	known = digest{base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc.Sum32())),
		base64.StdEncoding.EncodeToString(sum.Sum(nil))}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= maxDigests {
		d.known = map[digestKey]digest{}
	}
	d.known[key] = known
	return known, nil
}
