package objecttable

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParsePattern(t *testing.T) {
	for _, tt := range []struct {
		give string
		want pattern
		err  string
	}{
		{"gs://bucket/*", pattern{"gs", "bucket", "", "", true}, ""},
		{"gs://bucket/dir/fed*.csv", pattern{"gs", "bucket", "dir/fed", ".csv", true}, ""},
		{"gs://bucket/a b/it's ü/../x", pattern{"gs", "bucket", "a b/it's ü/../x", "", false}, ""},
		{"file:///data/*.jpg", pattern{"file", "", "/data/", ".jpg", true}, ""},
		{"posters/*", pattern{"file", "", "posters/", "", true}, ""},
		{"../a.jpg", pattern{"file", "", "../a.jpg", "", false}, ""},
		{"gs://bucket/*/*", pattern{}, "more than one *"},
		{"gs://buck*et/x", pattern{}, "may not stand in the bucket's name"},
		{"gs://bucket", pattern{}, "write gs://bucket/* for all"},
		{"gs://", pattern{}, "bucket's name is missing"},
		{"gs:///x", pattern{}, "bucket's name is missing"},
		{"gs://Bucket/x", pattern{}, "no bucket's name"},
		{"gs://bucket/a//b*", pattern{}, "repeated slashes"},
		{"gs://bucket/dir/", pattern{}, "write gs://bucket/dir/* for all objects below it"},
		{"gs://bucket/", pattern{}, "names a folder"},
		{"file://data/*", pattern{}, "must be absolute"},
		{"s3://bucket/*", pattern{}, "use gs://bucket/object"},
		{"", pattern{}, "empty"},
		{"a\xffb", pattern{}, "not valid text"},
	} {
		got, err := ParsePattern(tt.give)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: %+v, %v", tt.give, got, err)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	f.Add("gs://bucket/a*b")
	f.Add("file:///x")
	f.Fuzz(func(t *testing.T, uri string) {
		p, err := ParsePattern(uri)
		if err != nil {
			return
		}
		again := p.Prefix
		if p.Wild {
			again += "*" + p.Suffix
		}
		switch {
		case p.Scheme == "gs":
			again = "gs://" + p.Bucket + "/" + again
		case strings.HasPrefix(uri, "file://"):
			again = "file://" + again
		}
		if again != uri {
			t.Fatalf("%q became %q", uri, again)
		}
		if !p.Match(p.Scheme, p.Bucket, p.Prefix+p.Suffix) {
			t.Fatalf("%+v does not match its shortest name", p)
		}
	})
}

func FuzzParseSpec(f *testing.F) {
	f.Add(`{"uris":["gs://bucket/*"]}`)
	f.Add(`["a","b"]`)
	f.Add("gs://bucket/*")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpec(text)
		if err != nil {
			return
		}
		again, err := ParseSpec(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%s became %s: %v", s, again, err)
		}
	})
}

func opt(name string, v any, pos int) Option {
	if s, ok := v.([]string); ok {
		var list []Value
		for i, x := range s {
			list = append(list, Value{V: x, Pos: pos + 10*i + 5, End: pos + 10*i + 9})
		}
		v = list
	}
	return Option{Name: name, Value: Value{V: v, Pos: pos + 3, End: pos + 4}, Pos: pos, End: pos + 4}
}

func TestNewTable(t *testing.T) {
	simple, uris := opt("OBJECT_METADATA", "simple", 0), opt("uris", []string{"gs://bucket/*"}, 100)
	got, err := NewTable([]Option{simple, uris, opt("max_staleness", "30 MINUTE", 200), opt("metadata_cache_mode", "AUTOMATIC", 300),
		opt("description", "x", 400), opt("labels", []Value{{V: []Value{{V: "k"}, {V: "v"}}}}, 500)}, "conn", 1, 2)
	want := &Table{URIs: []string{"gs://bucket/*"}, ObjectMetadata: "SIMPLE", MaxStaleness: 1800, CacheMode: "AUTOMATIC", Authorizer: "conn", Description: "x", Labels: [][2]string{{"k", "v"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, tt := range []struct {
		name     string
		give     []Option
		pos, end int
		want     string
	}{
		{"none", nil, 1, 2, "object_metadata is missing"},
		{"no uris", []Option{simple}, 1, 2, "uris is missing"},
		{"unknown", []Option{simple, opt("urls", 1, 7)}, 7, 11, "Unknown option: urls. Object tables have object_metadata, uris"},
		{"other table", []Option{opt("format", "CSV", 7)}, 7, 11, "read_csv"},
		{"twice", []Option{simple, opt("object_metadata", "SIMPLE", 7)}, 7, 11, "given twice"},
		{"metadata", []Option{opt("object_metadata", "FULL", 7)}, 10, 11, "must be 'SIMPLE'"},
		{"no list", []Option{simple, opt("uris", "gs://b/*", 7)}, 10, 11, "must be a list"},
		{"empty list", []Option{simple, opt("uris", []Value{}, 7)}, 10, 11, "must be a list"},
		{"number", []Option{simple, opt("uris", []Value{{V: int64(1), Pos: 20, End: 21}}, 7)}, 20, 21, "not a text"},
		{"second uri", []Option{simple, opt("uris", []string{"gs://bucket/*", "gs://b*/*"}, 7)}, 22, 26, "URI 'gs://b*/*': a * may not stand in the bucket's name. Name each"},
		{"staleness", []Option{simple, uris, opt("max_staleness", "5 MINUTE", 7)}, 10, 11, "between 30 minutes and 7 days"},
		{"staleness", []Option{simple, uris, opt("max_staleness", "8 DAYS", 7)}, 10, 11, "between 30 minutes and 7 days"},
		{"staleness", []Option{simple, uris, opt("max_staleness", "99999999999999999999 DAYS", 7)}, 10, 11, "must be an interval"},
		{"no mode", []Option{simple, uris, opt("max_staleness", "INTERVAL 1 HOUR", 7)}, 7, 11, "needs metadata_cache_mode"},
		{"no staleness", []Option{simple, uris, opt("metadata_cache_mode", "MANUAL", 7)}, 7, 11, "needs max_staleness"},
		{"mode", []Option{simple, uris, opt("metadata_cache_mode", "OFTEN", 7)}, 10, 11, "'AUTOMATIC' or 'MANUAL'"},
	} {
		_, err := NewTable(tt.give, "", 1, 2)
		var e *OptionError
		if !errors.As(err, &e) || e.Pos != tt.pos || e.End != tt.end || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v", tt.name, err)
		}
	}
}
