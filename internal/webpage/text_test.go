package webpage_test

import (
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/webpage"
)

func TestText(t *testing.T) {
	for give, want := range map[string]string{
		"":                        "",
		"a < b and c > d":         "a < b and c > d",
		"use <model> as the name": "use <model> as the name",
		"<!DOCTYPE html>\n<html><head><title>502 Bad\n Gateway</title></head><body><center><h1>502</h1></center></body></html>":  "502 Bad Gateway",
		"<html>\r\n<head><title></title></head><body><h1>Sorry &amp; bye</h1><p>x</p></body></html>":                             "Sorry & bye",
		"upstream said: <HTML><HEAD><TITLE>Error 1033</TITLE></HEAD><BODY>long</BODY></HTML>":                                    "upstream said: Error 1033",
		"<html><head><style>p{color:red}</style><script>go()</script></head><body><!-- no --><p>Log <b>in</b></p></body></html>": "Log in",
		"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>It is gone.</Message></Error>":                               "NoSuchKey It is gone.",
		"<html></html>":               "",
		"<html><body>cut in <b":       "cut in <b",
		"<title>never closed":         "never closed",
		"<center>nginx</center><hr/>": "nginx",
	} {
		if got := webpage.Text(give); got != want {
			t.Errorf("%q: %q, want %q", give, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a <html><title>b</title>")
	f.Fuzz(func(t *testing.T, s string) {
		if got := webpage.Text(s); len(got) > len(s)+1 && !strings.Contains(s, "&") {
			t.Errorf("%q grew to %q", s, got)
		}
	})
}
