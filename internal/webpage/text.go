// Package webpage finds what a page says in a message: proxies put whole pages of HTML where their server's words should stand.
package webpage

import (
	"html"
	"regexp"
	"strings"
)

var (
	title  = regexp.MustCompile(`(?is)<(?:title|h1)\b[^>]*>(.*?)</(?:title|h1)>`)
	begins = regexp.MustCompile(`(?i)<(?:!doctype\s+html|\?xml|html|head|body|title|h1|center|error)\b`)
	unseen = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(?:script|style|head)>|<!--.*?-->`)
	tag    = regexp.MustCompile(`(?s)<[^>]*>`)
)

// Title is the title of a page, or its first heading; "" where it has none.
func Title(s string) string {
	for _, m := range title.FindAllStringSubmatch(s, -1) {
		if t := plain(m[1]); t != "" {
			return t
		}
	}
	return ""
}

// Text shortens a message in which a page of HTML or XML begins to what stands before it and the page's title, or its text where it
// has no title. Any other message is given back as it is.
func Text(s string) string {
	at := begins.FindStringIndex(s)
	if at == nil {
		return s
	}
	page := s[at[0]:]
	words := Title(page)
	if words == "" {
		words = plain(unseen.ReplaceAllString(page, " "))
	}
	return strings.TrimSpace(strings.TrimSpace(s[:at[0]]) + " " + words)
}

// plain is the text between tags, on one line.
func plain(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(s, " "))), " ")
}
