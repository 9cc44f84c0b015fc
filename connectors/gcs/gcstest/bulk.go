package gcstest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/http"
	"sort"
	"strconv"
	"time"
)

// Bulk is a Cloud Storage of many equal objects that answers as fast as can be, for measuring clients: it lists and sends
// objects in JSON's protocol and knows nothing else. It is safe for concurrent use.
type Bulk struct {
	n    int
	body []byte
	sum  string
	wait time.Duration
}

// NewBulk makes one of n objects of size bytes each. wait goes before each answer, as a network has it.
func NewBulk(n, size int, wait time.Duration) *Bulk {
	b := &Bulk{n: n, body: bytes.Repeat([]byte{7}, size), wait: wait}
	crc := binary.BigEndian.AppendUint32(nil, crc32.Checksum(b.body, crc32.MakeTable(crc32.Castagnoli)))
	b.sum = base64.StdEncoding.EncodeToString(crc)
	return b
}

// Name is object i's name, in any bucket. Its generation is 1.
func (b *Bulk) Name(i int) string { return fmt.Sprintf("img/%06d.jpg", i) }

// ServeHTTP lists or sends objects.
func (b *Bulk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(b.wait)
	v := r.URL.Query()
	if v.Get("alt") == "media" {
		w.Header().Set("X-Goog-Hash", "crc32c="+b.sum)
		w.Header().Set("X-Goog-Generation", "1")
		w.Header().Set("Content-Length", strconv.Itoa(len(b.body)))
		_, _ = w.Write(b.body)
		return
	}
	number := func(name string, none int) int { // of the first object that is not before a name
		if name == "" {
			return none
		}
		return sort.Search(b.n, func(i int) bool { return b.Name(i) >= name })
	}
	first, end := number(v.Get("startOffset"), 0), number(v.Get("endOffset"), b.n)
	if t := v.Get("pageToken"); t != "" {
		first = number(t, 0)
	}
	size := 1000
	if m, err := strconv.Atoi(v.Get("maxResults")); err == nil && m > 0 {
		size = min(m, 1000)
	}
	var out bytes.Buffer
	out.WriteString(`{"kind":"storage#objects","items":[`)
	stop := min(first+size, end)
	for i := first; i < stop; i++ {
		if i > first {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `{"name":"%s","bucket":"bucket","generation":"1","size":"%d",`+
			`"contentType":"image/jpeg","md5Hash":"R7zlx09Yn0hn29V+nKn4CA==","updated":"2024-02-03T04:05:06.789Z"}`, b.Name(i), len(b.body))
	}
	out.WriteString("]")
	if stop < end {
		fmt.Fprintf(&out, `,"nextPageToken":"%s"`, b.Name(stop))
	}
	out.WriteString("}")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(out.Bytes())
}
