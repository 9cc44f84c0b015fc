package remote

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// mediaFake answers videos with two segments, everything else with one embedding.
func mediaFake() *fake {
	return &fake{instance: func(in string) string {
		switch {
		case strings.Contains(in, `{"video"`):
			return `{"videoEmbeddings":[{"startOffsetSec":0,"endOffsetSec":16,"embedding":[1]},{"startOffsetSec":16,"endOffsetSec":32,"embedding":[2]}]}`
		case strings.Contains(in, `{"text"`):
			return `{"textEmbedding":[4]}`
		}
		return `{"imageEmbedding":[3]}`
	}}
}

// A LIMIT pays for the rows that it shows, of whatever media; only rows that may be videos are asked to be counted.
func TestSegmentsLimit(t *testing.T) {
	images := "SELECT 'gs://b/' || range || '.png' AS uri, 'image/png' AS content_type FROM range(4000)"
	mixed := "SELECT 'gs://b/' || range || if(range % 1000 = 0, '.mp4', '.png') AS uri, if(range % 1000 = 0, 'video/mp4', 'image/png') AS content_type FROM range(4000)"
	refs := "SELECT {'uri': 'gs://b/' || range || '.png', 'version': '1', 'authorizer': '', 'details': NULL::JSON} AS content FROM range(4000)"
	bare := "SELECT {'uri': 'gs://b/' || range, 'version': '1', 'authorizer': '', 'details': NULL::JSON} AS content FROM range(40)"
	tests := []struct {
		give    string // %s is the call
		input   string
		objects bool
		asks    int // rows asked, at most
		rows    int
	}{
		{"SELECT * FROM %s", images, true, 4000, 4000},
		{"SELECT * FROM %s LIMIT 5", images, true, 5, 5},
		{"SELECT ml_generate_embedding_status, uri FROM %s LIMIT 7", images, true, 7, 7},
		{"SELECT count(*) FROM %s", images, true, 0, 1},
		{"SELECT * FROM %s WHERE uri = 'gs://b/77.png'", images, true, 1, 1},
		{"SELECT * FROM (SELECT * FROM %s LIMIT 3) JOIN range(2) ON true", images, true, 3, 6},
		{"SELECT * FROM %s LIMIT 5", mixed, true, 3 + 4, 5}, // three videos in the first chunk, of whose segments the first are shown
		{"SELECT * FROM %s", mixed, true, 4000, 4004},
		{"SELECT * FROM %s LIMIT 5", refs, false, 5, 5},
		{"SELECT * FROM %s LIMIT 5", "SELECT 'text ' || range AS content FROM range(4000)", false, 5, 5},
		{"SELECT * FROM %s LIMIT 5", bare, false, 40, 5}, // nothing tells what they are before they are asked
		{"SELECT * FROM %s", bare, false, 40, 40},
	}
	for _, tt := range tests {
		t.Run(tt.give+" "+tt.input, func(t *testing.T) {
			db, f := openDB(t), mediaFake()
			s := specFor(t, "ML.GENERATE_EMBEDDING", multimodalURL, f)
			s.Objects, s.Media = tt.objects, true
			s.Stat = func(context.Context, Object) (string, string, error) { return "image/png", "1", nil }
			db.add(s)
			rows := db.must(fmt.Sprintf(tt.give, over(s, tt.input)))
			if len(rows) != tt.rows {
				t.Errorf("%d rows, want %d", len(rows), tt.rows)
			}
			if f.requests() > tt.asks {
				t.Errorf("%d requests, want at most %d", f.requests(), tt.asks)
			}
			if d := f.twice(); len(d) > 0 {
				t.Errorf("%d asked twice, such as %q", len(d), d[0])
			}
			if u := db.last.Meter.Total(); u.Rows > int64(tt.asks) {
				t.Errorf("%d rows counted, want at most %d: the segments of a row are one", u.Rows, tt.asks)
			}
		})
	}
}

// A name decides where nothing else does; an object that is something else by its content type says so, and loses no segment.
func TestSegmentsByName(t *testing.T) {
	db, f := openDB(t), mediaFake()
	s := specFor(t, "ML.GENERATE_EMBEDDING", multimodalURL, f)
	s.Media = true
	s.Stat = func(_ context.Context, o Object) (string, string, error) {
		return map[string]string{"gs://b/1.png": "video/mp4", "gs://b/2": "video/mp4", "gs://b/3.mp4": "image/png"}[o.URI], "1", nil
	}
	db.add(s)
	rows := db.must("SELECT ml_generate_embedding_result, ml_generate_embedding_status, content.uri FROM " +
		over(s, "SELECT {'uri': unnest(['gs://b/1.png', 'gs://b/2', 'gs://b/3.mp4', NULL])} AS content"))
	want := `[] | Object gs://b/1.png is a video by its content type and none by its name; give the content type with it, as OBJ.FETCH_METADATA does. | gs://b/1.png
[1] |  | gs://b/2
[2] |  | gs://b/2
[3] |  | gs://b/3.mp4
[] | Invalid content: a part of it is NULL | NULL`
	if got := text(rows); got != want {
		t.Errorf("rows:\n%s", got)
	}
}
