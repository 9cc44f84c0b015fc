package extension

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dispatch"
)

// remoteSummary tells a person what a statement asked of remote models, as in `10,000 rows went through remote models: 40 from the
// cache, 12 failed (RESOURCE EXHAUSTED 12: Quota exceeded). 112 requests (12 retries), 40,210 tokens, cost 0.0123.`
func remoteSummary(p dispatch.Progress, cancelled bool) string {
	if p.Done == 0 && p.Requests == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s went through remote models", amount.Of(p.Done, "row"))
	var parts []string
	if p.Cached > 0 {
		parts = append(parts, amount.Grouped(p.Cached)+" from the cache")
	}
	if p.Repeated > 0 {
		parts = append(parts, amount.Grouped(p.Repeated)+" the same as others")
	}
	var failed int64
	var causes []string
	for cause, n := range p.Failed {
		failed += n
		text := fmt.Sprintf("%s %s", cause, amount.Grouped(n))
		if why := strings.TrimSuffix(p.Why[cause], "."); why != "" {
			text += ": " + why
		}
		causes = append(causes, text)
	}
	sort.Strings(causes)
	if failed > 0 {
		parts = append(parts, fmt.Sprintf("%s failed (%s)", amount.Grouped(failed), strings.Join(causes, "; ")))
	}
	if len(parts) > 0 {
		b.WriteString(": " + strings.Join(parts, ", "))
	}
	fmt.Fprintf(&b, ". %s", amount.Of(p.Requests, "request"))
	if p.Retries > 0 {
		fmt.Fprintf(&b, " (%s)", amount.Of(p.Retries, "retry"))
	}
	if p.Tokens > 0 {
		fmt.Fprintf(&b, ", %s", amount.Of(p.Tokens, "token"))
	}
	if p.Money > 0 {
		b.WriteString(", cost " + amount.Money(p.Money))
	}
	b.WriteByte('.')
	if cancelled && p.Kept > 0 {
		fmt.Fprintf(&b, " The cache has kept %s: the same query asks only for the rest.", amount.Of(p.Kept, "answer"))
	}
	if errors.Is(p.CacheError, dispatch.ErrReadOnly) {
		fmt.Fprintf(&b, " Note: %v.", p.CacheError)
	} else if p.Lost > 0 && p.Kept+p.Cached > 0 {
		fmt.Fprintf(&b, " The cache could not keep %s: %v.", amount.Of(p.Lost, "answer"), p.CacheError)
	} else if p.CacheError != nil {
		fmt.Fprintf(&b, " The cache was not used: %v.", p.CacheError)
	}
	if p.Unversioned > 0 {
		fmt.Fprintf(&b, " The cache has not kept %s, which will be asked again: nobody tells the version of such an object as %s. "+
			"An object table, an ObjectRef with its version, or the permission storage.objects.get tells it.",
			amount.Of(p.Unversioned, "answer"), p.Object)
	}
	return b.String()
}
