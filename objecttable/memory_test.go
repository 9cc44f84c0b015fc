package objecttable

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// boundedQueries read 1.5 GB of objects, 1 MB each. %s is the object table.
var boundedQueries = map[string]string{
	"aggregate": "SELECT sum(octet_length(object_bytes(uri, generation, ''))) FROM %s",
	"bare uri":  "SELECT sum(octet_length(object_bytes(uri))) FROM %s",
	"view":      "CREATE VIEW v AS SELECT uri, object_bytes(uri) AS b FROM %s; SELECT sum(octet_length(b)) FROM v",
	"filter":    "SELECT sum(octet_length(object_bytes(uri, generation))) FROM %s WHERE content_type = 'image/jpeg'",
	"group by":  "SELECT sum(n)::BIGINT FROM (SELECT right(uri, 1), sum(octet_length(object_bytes(uri, generation))) AS n FROM %s WHERE size > 10 GROUP BY ALL)",
	"join":      "SELECT sum(octet_length(object_bytes(a.uri, generation))) FROM %s a JOIN (SELECT 'gs://bucket/' || format('{:06d}', i) AS uri FROM range(100000) t(i)) b USING (uri)",
	"order by":  "SELECT sum(n)::BIGINT FROM (SELECT uri, octet_length(object_bytes(uri, generation)) AS n FROM %s WHERE size > 10 ORDER BY uri DESC LIMIT 1500)",
	"create":    "CREATE TABLE x AS SELECT uri, octet_length(object_bytes(uri, generation)) AS n FROM %s WHERE size > 10; SELECT sum(n)::BIGINT FROM x",
}

const memoryChild = "MALLARD_TEST_MEMORY_QUERY"

// TestMemoryChild is one query in its own process, for TestMemory.
func TestMemoryChild(t *testing.T) {
	q, ok := os.LookupEnv(memoryChild)
	if !ok {
		t.Skip("run by TestMemory")
	}
	db := openDB(t, Options{})
	db.SetMaxOpenConns(1)
	db.host.stores["gs"] = &memStore{n: 1500, size: 1_000_000}
	if _, err := db.Exec("SET enable_caching_operators = false"); err != nil {
		t.Fatal(err)
	}
	db.want("1500000000", fmt.Sprintf(q, Spec{Table: Table{URIs: []string{"gs://bucket/*"}}}.SQL()))
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(text))
}

// What is read within an object table's own scan is bounded, whatever else the query does.
func TestMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil || testing.Short() {
		t.Skip("needs /proc, and some seconds")
	}
	for name, q := range boundedQueries {
		t.Run(name, func(t *testing.T) {
			c := exec.Command(os.Args[0], "-test.run=^TestMemoryChild$", "-test.count=1")
			c.Env = append(os.Environ(), memoryChild+"="+q)
			out, err := c.CombinedOutput()
			m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(out)
			if err != nil || m == nil {
				t.Fatalf("%v\n%s", err, out)
			}
			kb, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d MB", kb/1000)
			if kb > 600_000 {
				t.Errorf("it took %d MB of memory for 1,500 objects of 1 MB", kb/1000)
			}
		})
	}
}

// What cannot be bounded is refused before the machine runs out of memory.
func TestMaxChunk(t *testing.T) {
	db := openDB(t, Options{MaxChunk: 1 << 20})
	db.host.stores["gs"] = &memStore{n: 300, size: 10_000}
	const listed = "SELECT uri FROM mallard_objects('gs://bucket/*') ORDER BY uri DESC"
	db.wantError("objects of more than 1,048,576 bytes in 200 rows", "SELECT sum(octet_length(object_bytes(uri))) FROM ("+listed+" LIMIT 200)")
	db.want("1000000", "SELECT sum(octet_length(object_bytes(uri))) FROM ("+listed+" LIMIT 100)")
	if n := len(db.host.noted()); n > 0 || !strings.Contains(fmt.Sprint(db.host.failed), "too many to hold") {
		t.Error(n, db.host.failed)
	}
}

// Images grow when they are decoded, and again when people look at them.
func TestMaxChunkOfImages(t *testing.T) {
	db := openDB(t, Options{MaxChunk: 100_000})
	const photo = "(SELECT object_bytes('../internal/image/testdata/photo.png') AS b FROM range(%d))" // 37 × 45: 5,011 bytes decoded, 39,960 as BigQuery's STRUCT
	db.want("19", fmt.Sprintf("SELECT count(ml_decode_image(b)) FROM "+photo, 19))
	db.wantError("decoded images of more than 100,000 bytes in 20 rows", fmt.Sprintf("SELECT count(ml_decode_image(b)) FROM "+photo, 20))
	db.want("200", fmt.Sprintf("SELECT count(ml_decode_image(b, 5, 5, false)) FROM "+photo, 20)+" CROSS JOIN range(10)")
	db.want("2", fmt.Sprintf("SELECT count(ml_image_struct(ml_decode_image(b))) FROM "+photo, 2))
	db.wantError("make them small as they are decoded", fmt.Sprintf("SELECT count(ml_image_struct(ml_decode_image(b))) FROM "+photo, 3))
}
