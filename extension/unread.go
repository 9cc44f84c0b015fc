package extension

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/objecttable"
)

// unread counts the values that are NULL because an object could not be read or decoded, and the objects that have no row
// because their name is not UTF-8. It is safe for concurrent use.
type unread struct {
	mu      sync.Mutex
	reasons map[string]int
	first   error
	skipped int
	name    string // of the first of these
}

func (u *unread) skip(uri string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.skipped++; u.skipped == 1 {
		u.name = uri
	}
}

// left tells a person what has no row, as in `2 objects are left out, …`; it is empty when there is nothing.
func (u *unread) left() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.skipped == 0 {
		return ""
	}
	verb := "are"
	if u.skipped == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s %s left out, since a STRING must be UTF-8 and the name is not: rename the file. The first: %q",
		amount.Of(u.skipped, "object"), verb, u.name)
}

func (u *unread) note(_ string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.reasons == nil {
		u.reasons, u.first = map[string]int{}, err
	}
	u.reasons[objecttable.Reason(err)]++
}

// String tells a person, as in `3 values are NULL: not found 2, forbidden 1. The first: gs://b/x: not found`; it is empty
// when there are none.
func (u *unread) String() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.first == nil {
		return ""
	}
	total := 0
	var parts []string
	for reason, n := range u.reasons {
		total += n
		parts = append(parts, fmt.Sprintf("%s %d", reason, n))
	}
	sort.Strings(parts)
	verb := "are"
	if total == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s %s NULL, since objects could not be read or decoded: %s. The first: %v",
		amount.Of(total, "value"), verb, strings.Join(parts, ", "), u.first)
}
