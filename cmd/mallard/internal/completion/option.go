package completion

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/functiontable"
)

var (
	optionStart = regexp.MustCompile(`(?:^|,)\s*(\w*)$`)
	valueStart  = regexp.MustCompile(`(\w+)\s*=\s*(\w*)$`)
	takers      = []struct {
		start *regexp.Regexp
		is    functiontable.Statement
	}{
		{regexp.MustCompile(`(?is)^\s*CREATE\b.*\bMODEL\b.*\bREMOTE\b`), functiontable.CreateRemoteModel},
		{regexp.MustCompile(`(?is)^\s*CREATE\b.*\bMODEL\b`), functiontable.CreateModel},
		{regexp.MustCompile(`(?is)^\s*ALTER\s+MODEL\b`), functiontable.AlterModel},
		{regexp.MustCompile(`(?is)^\s*CREATE\b.*\bEXTERNAL\s+TABLE\b`), functiontable.CreateObjectTable},
	}
)

// optionsGiven gives the options of the statement, where the cursor is in its OPTIONS(…), and what of them is typed.
func (p *place) optionsGiven() (all []functiontable.Option, inside int) {
	n := len(p.calls)
	if n == 0 || !strings.EqualFold(p.calls[n-1].name, "OPTIONS") {
		return nil, 0
	}
	inside = p.calls[n-1].inside
	for _, t := range takers {
		if t.start.MatchString(p.text[:inside]) {
			return functiontable.Options(t.is), inside
		}
	}
	return nil, 0
}

// option is the one whose value begins at the end of a part of the text.
func (p *place) option(text string) (o functiontable.Option, at []int, ok bool) {
	all, inside := p.optionsGiven()
	if all == nil {
		return o, nil, false
	}
	if at = valueStart.FindStringSubmatchIndex(text[inside:]); at == nil {
		return o, nil, false
	}
	i := slices.IndexFunc(all, func(o functiontable.Option) bool { return strings.EqualFold(o.Name, text[inside+at[2]:inside+at[3]]) })
	if i < 0 {
		return o, nil, false
	}
	return all[i], []int{inside + at[4]}, true
}

// options gives the options that are missing, and behind the sign of equality what one may be.
func (p *place) options(context.Context) (list []shell.Suggestion) {
	if o, at, ok := p.option(p.text); ok {
		for _, v := range o.Values {
			list = append(list, shell.Suggestion{Text: v, Note: o.Type + ", " + o.Doc})
		}
		return matching(p.text[at[0]:], at[0], list)
	}
	all, inside := p.optionsGiven()
	at := optionStart.FindStringSubmatchIndex(p.text[inside:])
	if all == nil || at == nil {
		return nil
	}
	given := anyWord.FindAllString(strings.ToLower(p.text[inside:inside+at[2]]), -1)
	for _, o := range all {
		if !slices.Contains(given, o.Name) {
			list = append(list, shell.Suggestion{Text: o.Name + " = ", Note: o.Type + ", " + o.Doc})
		}
	}
	return matching(p.text[inside+at[2]:], inside+at[2], list)
}
