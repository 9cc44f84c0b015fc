package objecttable

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// pattern is a URI of an object table: one object, or with one * all whose names begin and end in some way. The * goes
// across slashes, as in BigQuery (https://cloud.google.com/bigquery/docs/external-data-cloud-storage#wildcard-support).
type pattern struct {
	Scheme string // "gs" or "file"
	Bucket string // empty for files
	Prefix string // before the *, or the whole name
	Suffix string // after the *
	Wild   bool   // there is a *
}

// patternError is a URI that is not a pattern.
type patternError struct {
	URI  string
	Msg  string
	Hint string
}

// Error is the text for people.
func (e *patternError) Error() string { return fmt.Sprintf("URI '%s': %s; %s", e.URI, e.Msg, e.Hint) }

// ParsePattern reads gs://bucket/name, file:///path or a plain path, each with at most one *.
func ParsePattern(uri string) (pattern, error) {
	bad := func(msg, hint string) (pattern, error) { return pattern{}, &patternError{uri, msg, hint} }
	scheme, rest, found := strings.Cut(uri, "://")
	p := pattern{Scheme: scheme}
	switch {
	case uri == "":
		return bad("it is empty", "write gs://bucket/folder/* or a path")
	case !utf8.ValidString(uri) || strings.ContainsRune(uri, 0):
		return bad("it is not valid text", "names are UTF-8 without zero bytes")
	case !found:
		p.Scheme, rest = "file", uri
	case scheme == "gs":
		p.Bucket, rest, found = strings.Cut(rest, "/")
		switch {
		case p.Bucket == "":
			return bad("the bucket's name is missing", "write gs://bucket/folder/*")
		case strings.Contains(p.Bucket, "*"):
			return bad("a * may not stand in the bucket's name", "name each bucket in its own URI")
		case !found:
			return bad("it names a bucket, no objects", "write gs://"+p.Bucket+"/* for all of its objects")
		case !bucketName(p.Bucket):
			return bad("that is no bucket's name", "bucket names have 3 to 222 lower-case letters, digits, dashes, underscores and dots")
		}
	case scheme == "file":
		if !strings.HasPrefix(rest, "/") {
			return bad("the path must be absolute", "write file:///path, or the path alone")
		}
	default:
		return bad("objects of "+scheme+":// cannot be read", "use gs://bucket/object, file:///path or a plain path")
	}
	if strings.Contains(rest, "//") {
		return bad("repeated slashes are not supported", "write one slash")
	}
	if strings.Count(rest, "*") > 1 {
		return bad("it has more than one *", "a * matches across folders: one at the end or before the extension is enough, or list several URIs")
	}
	p.Prefix, p.Suffix, p.Wild = strings.Cut(rest, "*")
	if !p.Wild && (rest == "" || strings.HasSuffix(rest, "/")) {
		return bad("it names a folder, no objects", "write "+uri+"* for all objects below it")
	}
	return p, nil
}

func bucketName(s string) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= 222
}

// Match says whether an object of that place is one of the pattern's.
func (p pattern) Match(scheme, bucket, name string) bool {
	if scheme != p.Scheme || bucket != p.Bucket {
		return false
	}
	if !p.Wild {
		return name == p.Prefix
	}
	return len(name) >= len(p.Prefix)+len(p.Suffix) && strings.HasPrefix(name, p.Prefix) && strings.HasSuffix(name, p.Suffix)
}

// SplitURI takes an object's URI apart: gs://bucket/name, file:///path or a plain path, whose scheme is file. Unlike a
// pattern's, a name may hold stars and repeated slashes: objects' names do.
func SplitURI(uri string) (scheme, bucket, name string, err error) {
	scheme, rest, found := strings.Cut(uri, "://")
	switch {
	case uri == "":
		return "", "", "", fmt.Errorf("an object's URI is empty; write gs://bucket/object, file:///path or a path")
	case !found:
		return "file", "", uri, nil
	case scheme == "gs":
		bucket, name, _ = strings.Cut(rest, "/")
		if bucket == "" || name == "" {
			return "", "", "", fmt.Errorf("%s: the URI names no object; write gs://bucket/object", uri)
		}
		return scheme, bucket, name, nil
	case scheme == "file":
		return scheme, "", rest, nil
	}
	return "", "", "", errUnknownScheme(scheme, uri)
}
