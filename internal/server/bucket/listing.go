package bucket

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/api/storage/v1"

	"github.com/mallardml/mallard/connectors/localfs"
)

// maxListed is how many objects a page has at most, and without maxResults.
const maxListed = 1000

// digestedSize is the largest file that is read for its digests while it is listed.
const digestedSize = 16 << 20

// listing is what a page of a bucket's objects is asked for.
type listing struct {
	prefix, delimiter, start, end, after string
	glob                                 *regexp.Regexp // nil: every name
	limit                                int
}

func readListing(q url.Values) (l listing, err error) {
	l = listing{prefix: q.Get("prefix"), delimiter: q.Get("delimiter"), start: q.Get("startOffset"), end: q.Get("endOffset"), limit: maxListed}
	if text := q.Get("maxResults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return l, invalid("maxResults is no number.")
		}
		if n > 0 {
			l.limit = min(n, maxListed)
		}
	}
	if token := q.Get("pageToken"); token != "" {
		b, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return l, invalid("pageToken is none of this server's.")
		}
		l.after = string(b)
	}
	if g := q.Get("matchGlob"); g != "" {
		if l.glob, err = glob(g); err != nil {
			return l, invalid("matchGlob cannot be read: %v", err)
		}
	}
	return l, nil
}

var errPageFull = errors.New("the page is full")

func (s *Service) list(ctx context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	l, err := readListing(r.URL.Query())
	if err != nil {
		return err
	}
	all := &storage.Objects{Kind: "storage#objects"}
	last, count := "", 0
	err = b.List(ctx, "", l.prefix, "", nil, func(page []localfs.Object) error {
		for _, o := range page {
			name := strings.TrimPrefix(o.URI, "gs://"+b.Name()+"/")
			group := l.group(name)
			if l.end != "" && name >= l.end {
				return errPageFull
			}
			if name < l.start || l.after != "" && (name <= l.after || group != "" && group == l.after) || l.glob != nil &&
				!l.glob.MatchString(name) {
				continue
			}
			if n := len(all.Prefixes); group != "" && n > 0 && all.Prefixes[n-1] == group {
				continue
			}
			if count == l.limit {
				all.NextPageToken = base64.URLEncoding.EncodeToString([]byte(last))
				return errPageFull
			}
			count++
			if group != "" {
				all.Prefixes, last = append(all.Prefixes, group), group
				continue
			}
			res, err := s.resource(r, b, name, o, o.Size <= digestedSize)
			var of *localfs.Error
			if errors.As(err, &of) {
				count--
				continue // removed or replaced since
			}
			if err != nil {
				return err
			}
			all.Items, last = append(all.Items, res), name
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return err
	}
	reply(w, all)
	return nil
}

// group is the prefix that stands for all names that share it, or "".
func (l *listing) group(name string) string {
	if l.delimiter == "" {
		return ""
	}
	i := strings.Index(name[len(l.prefix):], l.delimiter)
	if i < 0 {
		return ""
	}
	return name[:len(l.prefix)+i+len(l.delimiter)]
}

// glob reads a pattern of https://cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob: ** also
// crosses slashes.
func glob(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > 1024 {
		return nil, errors.New("it is longer than 1024 bytes")
	}
	var re strings.Builder
	re.WriteString(`(?s)\A`)
	braces := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**"):
			re.WriteString(".*")
			i++
		case c == '*':
			re.WriteString("[^/]*")
		case c == '?':
			re.WriteString("[^/]")
		case c == '[' && strings.IndexByte(pattern[i:], ']') > 1:
			end := i + strings.IndexByte(pattern[i:], ']')
			set := strings.ReplaceAll(pattern[i+1:end], `\`, `\\`)
			if rest, not := strings.CutPrefix(set, "!"); not {
				set = "^" + rest
			}
			re.WriteString("[" + set + "]")
			i = end
		case c == '{':
			braces++
			re.WriteString("(?:")
		case c == ',' && braces > 0:
			re.WriteString("|")
		case c == '}' && braces > 0:
			braces--
			re.WriteString(")")
		default:
			re.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	re.WriteString(`\z`)
	return regexp.Compile(re.String())
}
