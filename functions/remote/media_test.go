package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
)

const refType = "STRUCT(uri VARCHAR, version VARCHAR, authorizer VARCHAR, details JSON)"

// ref writes an ObjectRef.
func ref(uri, version, contentType string) string {
	details := "NULL"
	if contentType != "" {
		details = `'{"gcs_metadata":{"content_type":"` + contentType + `"}}'`
	}
	return fmt.Sprintf("{'uri': '%s', 'version': '%s', 'authorizer': 'us.c', 'details': %s}::%s", uri, version, details, refType)
}

// TestStructPrompts: the parts of a prompt on the wire, in order, texts joined (BigQuery's ML.GENERATE_TEXT, "Input").
func TestStructPrompts(t *testing.T) {
	stat := func(_ context.Context, o Object) (string, string, error) {
		if strings.Contains(o.URI, "gone") {
			return "", "", errors.New("it does not exist")
		}
		return "image/webp", "1", nil
	}
	load := func(_ context.Context, o Object) ([]byte, string, error) {
		if strings.Contains(o.URI, "large") {
			return nil, "", errors.New("it has too many bytes")
		}
		return []byte(o.URI), "", nil
	}
	runtime := func(uri, url string) string {
		return `'{"access_urls":{"read_url":"` + url + `"},"objectref":{"uri":"` + uri + `","details":{"gcs_metadata":{"content_type":"image/png"}}}}'::JSON`
	}
	const image = `{"fileData":{"mimeType":"image/jpeg","fileUri":"gs://b/o"}}`
	tests := []struct{ name, prompt, parts, status string }{
		{"text", "'a'", `[{"text":"a"}]`, ""},
		{"texts are joined", "{'x': 'a', 'y': ['b', 'c'], 'z': 'd'}", `[{"text":"abcd"}]`, ""},
		{"a tuple", "row('Describe ', " + ref("gs://b/o", "1", "image/jpeg") + ", ' well')", `[{"text":"Describe "},` + image + `,{"text":" well"}]`, ""},
		{"an array of objects", "row([" + ref("gs://b/o", "1", "image/jpeg") + ", " + ref("gs://b/o", "2", "image/jpeg") + "], 'same?')", "[" + image + "," + image + `,{"text":"same?"}]`, ""},
		{"an object alone", ref("gs://b/o", "1", "image/jpeg"), "[" + image + "]", ""},
		{"type from the bucket", ref("gs://b/x", "1", ""), `[{"fileData":{"mimeType":"image/webp","fileUri":"gs://b/x"}}]`, ""},
		{"type by the name", ref("gs://b/gone.PDF", "1", ""), `[{"fileData":{"mimeType":"application/pdf","fileUri":"gs://b/gone.PDF"}}]`, ""},
		{"no type", ref("gs://b/gone", "1", ""), "", "Invalid prompt: object gs://b/gone: it does not exist"},
		{"the API's spelling", ref("gs://b/o", "1", "video/quicktime"), `[{"fileData":{"mimeType":"video/mov","fileUri":"gs://b/o"}}]`, ""},
		{"a local file", "row('What?', " + ref("/a/b.png", "", "") + ")", `[{"text":"What?"},{"inlineData":{"mimeType":"image/png","data":"L2EvYi5wbmc="}}]`, ""},
		{"a file that is too large", ref("/a/large.png", "", ""), "", "Invalid prompt: object /a/large.png: it has too many bytes"},
		{"a file of unknown kind", ref("/a/b", "", ""), "", "Invalid prompt: object /a/b has no content type"},
		{"a runtime reference", "row('a', " + runtime("gs://b/p", "https://signed") + ")", `[{"text":"a"},{"fileData":{"mimeType":"image/png","fileUri":"gs://b/p"}}]`, ""},
		{"a runtime reference without URL", runtime("gs://b/p", ""), "", "Invalid prompt: object gs://b/p has no access_urls.read_url"},
		{"JSON that is none", `'{"a": 1}'::JSON`, `[{"text":"{\"a\": 1}"}]`, ""},
		{"text that looks like one stays text", `'{"access_urls":{"read_url":"u"},"objectref":{"uri":"gs://b/p"}}'`, `[{"text":"{\"access_urls\":{\"read_url\":\"u\"},\"objectref\":{\"uri\":\"gs://b/p\"}}"}]`, ""},
		{"two videos", "row(" + ref("gs://b/1.mp4", "1", "video/mp4") + ", " + ref("gs://b/2.mp4", "1", "video/mp4") + ")", "", "Invalid prompt: it has more than one video"},
		{"a NULL part", "row('a', NULL::VARCHAR)", "", "Invalid prompt: a part of it is NULL"},
		{"an object that is NULL", "row('a', NULL::" + refType + ")", "", "Invalid prompt: a part of it is NULL"},
		{"NULL", "NULL::VARCHAR", "", "Invalid prompt: it is NULL or empty."},
		{"empty", "row('', [])", "", "Invalid prompt: it is NULL or empty."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db := openDB(t)
			f := &fake{}
			f.text = func(string) string {
				return `{"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}]}`
			}
			s := textSpec(t, f, flat)
			s.Load, s.Stat = load, stat
			db.add(s)
			got := db.must("SELECT ml_generate_text_llm_result, ml_generate_text_status FROM " + over(s, "SELECT "+tt.prompt+" AS prompt"))
			if tt.status != "" {
				if got[0][0] != "NULL" || !strings.HasPrefix(got[0][1], tt.status) || f.n != 0 {
					t.Fatalf("got %v and %d requests, want status %s", got, f.n, tt.status)
				}
				return
			}
			if got[0][0] != "ok" || got[0][1] != "" || len(f.sent) != 1 {
				t.Fatalf("got %v", got)
			}
			sameJSON(t, f.sent[0], `{"contents":[{"role":"user","parts":`+tt.parts+`}],"generationConfig":{"maxOutputTokens":1024,"temperature":0,"topP":0.95}}`)
		})
	}
}

// TestInline: a provider that reads no objects gets the bytes of every one.
func TestInline(t *testing.T) {
	db := openDB(t)
	f := &fake{text: func(string) string { return `{"candidates":[{"content":{"parts":[{"text":"ok"}]}}]}` }}
	s := textSpec(t, f, flat)
	s.Inline = true
	s.Load = func(_ context.Context, o Object) ([]byte, string, error) { return []byte{0, 1, 2}, "image/png", nil }
	db.add(s)
	db.must("SELECT ml_generate_text_status FROM " + over(s, "SELECT row('a', "+ref("gs://b/o", "1", "image/jpeg")+") AS prompt"))
	if !strings.Contains(f.sent[0], `{"inlineData":{"data":"AAEC","mimeType":"image/jpeg"}}`) {
		t.Error(f.sent[0])
	}
}

// loader reads files that do not exist, slowly, and counts.
type loader struct {
	n, flight, most atomic.Int64
	size            int
}

func (l *loader) load(ctx context.Context, o Object) ([]byte, string, error) {
	l.n.Add(1)
	n := l.flight.Add(1)
	defer l.flight.Add(-1)
	for m := l.most.Load(); n > m && !l.most.CompareAndSwap(m, n); m = l.most.Load() {
	}
	select {
	case <-time.After(10 * time.Millisecond):
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	return append(make([]byte, l.size), o.URI...), "image/png", nil
}

// TestLoadsWhatIsAsked: LIMIT 5 over 5,000 local images reads five; a scan reads each once, side by side, and no more at a
// time than memory allows.
func TestLoadsWhatIsAsked(t *testing.T) {
	db := openDB(t)
	db.exec("CREATE TABLE o AS SELECT '/i/' || range || '.png' AS uri, 'image/png' AS content_type FROM range(5000)")
	answer := func(string) string { return `{"candidates":[{"content":{"parts":[{"text":"ok"}]}}]}` }
	cache := &memoryCache{}
	spec := func(f *fake, l *loader) *Spec {
		s := textSpec(t, f, flat, Option{Name: "prompt", Value: "What?"})
		s.Objects, s.Load, s.Cache = true, l.load, cache
		s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 32})
		return db.add(s)
	}
	f, l := &fake{text: answer}, &loader{}
	if got := db.must("SELECT ml_generate_text_status FROM " + over(spec(f, l), "FROM o") + " LIMIT 5"); len(got) != 5 {
		t.Fatalf("%d rows", len(got))
	}
	if l.n.Load() != 5 || f.n != 5 {
		t.Errorf("LIMIT 5 read %d images and sent %d requests", l.n.Load(), f.n)
	}
	f, l = &fake{text: answer}, &loader{}
	if got := db.must("SELECT count(*) FROM " + over(spec(f, l), "FROM o") + " WHERE ml_generate_text_status = ''"); got[0][0] != "5000" {
		t.Errorf("%s rows answered", got[0][0])
	}
	if l.n.Load() != 5000 || f.n != 4995 || l.most.Load() < 4 {
		t.Errorf("%d images were read, %d at once, and %d requests sent; want 5000, several, and 4995: five are in the cache", l.n.Load(), l.most.Load(), f.n)
	}
	if bound := int64(mediaMemory / perObject); l.most.Load() > bound {
		t.Errorf("%d images were read at once, want at most %d", l.most.Load(), bound)
	}
	// What an image shows may change under its name.
	f, l = &fake{text: answer}, &loader{size: 1}
	db.must("SELECT * FROM " + over(spec(f, l), "FROM o LIMIT 3"))
	if f.n != 3 {
		t.Errorf("%d of three changed images were asked", f.n)
	}
	// A version tells apart what the provider reads itself.
	f = &fake{text: answer}
	for i, v := range []string{"1", "1", "2"} {
		s := textSpec(t, f, flat)
		s.Cache = cache
		db.add(s)
		db.must("SELECT * FROM " + over(s, "SELECT "+ref("gs://b/o", v, "image/png")+" AS prompt"))
		if want := []int{1, 1, 2}[i]; f.n != want {
			t.Errorf("version %s: %d requests so far, want %d", v, f.n, want)
		}
	}
}

// TestAnswersOfVersions: an object that a provider reads itself may be replaced under its name. The answer about the old
// one is not given for the new one, however the row names it.
func TestAnswersOfVersions(t *testing.T) {
	db := openDB(t)
	var current atomic.Int64 // 0: nobody can tell
	var looked atomic.Int64
	stat := func(context.Context, Object) (string, string, error) {
		looked.Add(1)
		if n := current.Load(); n > 0 {
			return "image/png", fmt.Sprint(n), nil
		}
		return "", "", errors.New("forbidden")
	}
	const rows = " FROM range(50)"
	listed := func(seventh int) string { // the generation of the seventh
		return fmt.Sprintf("SELECT 'gs://b/' || range || '.png' AS uri, 'image/png' AS content_type, if(range = 7, %d, 1)::BIGINT AS generation"+rows, seventh)
	}
	const bare = "SELECT 'gs://b/' || range || '.png' AS uri, 'image/png' AS content_type" + rows
	refs := func(column, version, details string) string {
		return fmt.Sprintf("SELECT {'uri': 'gs://b/' || range || '.png', 'version': %s, 'authorizer': NULL, 'details': %s}::%s AS %s"+rows, version, details, refType, column)
	}
	const details = `'{"gcs_metadata":{"content_type":"image/png"}}'`
	type step struct {
		input   string
		current int64 // what Stat says
		sent    int   // requests
		looked  int64 // at objects
	}
	for _, tt := range []struct {
		name, column string
		objects      bool
		steps        []step
	}{
		{"an object table", "", true, []step{{listed(1), 9, 50, 0}, {listed(1), 9, 0, 0}, {listed(2), 9, 1, 0}, {listed(2), 0, 0, 0}}},
		{"an object table without its generation", "", true, []step{{bare, 1, 50, 50}, {bare, 1, 0, 50}, {bare, 2, 50, 50}, {bare, 0, 50, 50}, {bare, 0, 50, 50}}},
		{"references", "prompt", false, []step{{refs("prompt", "'1'", details), 9, 50, 0}, {refs("prompt", "'1'", details), 9, 0, 0}, {refs("prompt", "'2'", details), 9, 50, 0}}},
		{"references without a version", "prompt", false, []step{{refs("prompt", "NULL", "NULL"), 1, 50, 50}, {refs("prompt", "NULL", details), 1, 0, 50}, {refs("prompt", "NULL", details), 2, 50, 50}}},
	} {
		for _, fn := range []string{"ML.GENERATE_TEXT", "ML.GENERATE_EMBEDDING"} {
			t.Run(fn+" "+tt.name, func(t *testing.T) {
				cache := &memoryCache{}
				for i, st := range tt.steps {
					f := &fake{text: func(string) string { return `{"candidates":[{"content":{"parts":[{"text":"ok"}]}}]}` }, instance: func(string) string { return `{"imageEmbedding":[1,2]}` }}
					url, options := geminiURL, []Option{{Name: "prompt", Value: "What?"}}
					if !tt.objects || fn != "ML.GENERATE_TEXT" {
						options = nil
					}
					if fn != "ML.GENERATE_TEXT" {
						url = multimodalURL
					}
					s := specFor(t, fn, url, f, options...)
					s.Objects, s.Media, s.Versioned = tt.objects, true, strings.Contains(st.input, "AS generation")
					s.Cache, s.Stat = cache, stat
					db.add(s)
					current.Store(st.current)
					looked.Store(0)
					input := st.input
					if fn != "ML.GENERATE_TEXT" {
						input = strings.Replace(input, "AS prompt", "AS content", 1)
					}
					status := strings.ToLower(strings.Replace(fn, ".", "_", 1)) + "_status"
					db.o.Estimate = true
					db.must("SELECT * FROM " + over(s, input))
					e := db.last.Estimates()
					db.o.Estimate = false
					if st.looked == 0 && (len(e) != 1 || e[0].Cached != int64(50-st.sent) || e[0].Requests != int64(st.sent)) || f.n > 0 || looked.Load() > 0 {
						t.Errorf("step %d: the estimate is %+v, after %d requests and %d looks", i, e, f.n, looked.Load())
					}
					if got := db.must("SELECT count(*) FROM " + over(s, input) + " WHERE " + status + " = ''"); got[0][0] != "50" {
						t.Fatalf("step %d: %v rows answered", i, got)
					}
					if f.n != st.sent || looked.Load() != st.looked {
						t.Errorf("step %d: %d requests and %d looks at objects, want %d and %d", i, f.n, looked.Load(), st.sent, st.looked)
					}
				}
			})
		}
	}
}

// heavyService forgets what it is sent.
type heavyService struct {
	fake
	answered func()
}

func (h *heavyService) Call(context.Context, string, string, json.RawMessage, map[string]string) (json.RawMessage, error) {
	time.Sleep(20 * time.Millisecond)
	h.answered()
	return json.RawMessage(`{"candidates":[{"content":{"parts":[{"text":"ok"}]}}]}`), nil
}

// TestLoadedMemoryIsBounded: what is read and waits for a slow provider stays below the bound.
func TestLoadedMemoryIsBounded(t *testing.T) {
	db := openDB(t)
	db.exec("CREATE TABLE o AS SELECT '/i/' || range || '.png' AS uri, 'image/png' AS content_type FROM range(40)")
	var held, most atomic.Int64
	const size = 6 << 20
	svc := &heavyService{answered: func() { held.Add(-1) }}
	s := textSpec(t, svc, flat, Option{Name: "prompt", Value: "What?"})
	s.Objects, s.Connection = true, dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 64})
	s.Load = func(_ context.Context, o Object) ([]byte, string, error) {
		n := held.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		return make([]byte, size), "image/png", nil
	}
	db.add(s)
	if got := db.must("SELECT count(*) FROM " + over(s, "FROM o") + " WHERE ml_generate_text_status = ''"); got[0][0] != "40" {
		t.Errorf("%s rows answered", got[0][0])
	}
	if bound := int64(mediaMemory / perObject); most.Load() > bound {
		t.Errorf("%d images of %d bytes were in memory, want at most %d", most.Load(), size, bound)
	}
}

// TestLoadCancelled: a statement that ends while objects are read leaves nothing behind.
func TestLoadCancelled(t *testing.T) {
	db := openDB(t)
	db.exec("CREATE TABLE o AS SELECT '/i/' || range || '.png' AS uri, 'image/png' AS content_type FROM range(5000)")
	s := textSpec(t, &fake{latency: time.Hour}, flat, Option{Name: "prompt", Value: "What?"})
	l := &loader{}
	s.Objects, s.Load = true, l.load
	db.add(s)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, _, err := db.query(ctx, "SELECT * FROM "+over(s, "FROM o"))
	if d := time.Since(start); err == nil || d > 10*time.Second || l.flight.Load() != 0 {
		t.Errorf("%v after %v, %d reads under way", err, d, l.flight.Load())
	}
}
