package dispatch

import (
	"fmt"
	"time"
)

// action is what becomes of a batch whose request failed.
type action uint8

const (
	refuse action = iota // its rows get the status
	retry                // it is sent again
	halve                // its halves are sent
	stop                 // its rows get the status, and so do all that were not sent yet
	abort                // the query fails
)

// decision is an action with what it needs.
type decision struct {
	action
	status string    // of the rows
	at     time.Time // of the next attempt
	words  string    // of a refusal while nothing succeeded: enough of the same end the asking
	limit  int       // how many are enough
}

// trial is what deciding needs to know of a batch and its call.
type trial struct {
	rows     int
	attempts int
	first    time.Time
	answered bool // a request of the call succeeded
	retry    Retry
}

// decide says what becomes of the rows of a failed request. It is a pure function: dice, from 0 to 1, is its chance.
func decide(f Fault, t trial, now time.Time, dice float64) decision {
	if f.Fatal != nil {
		d := decision{action: abort, status: f.Status(1)}
		if t.answered {
			d.action = refuse
			if f.Reason == "UNAUTHENTICATED" { // a token that ran out: the rest would fail, too
				d.action = stop
			}
		}
		return d
	}
	late := ""
	if f.Retryable {
		delay := t.delay(f, dice)
		if t.attempts < t.retry.Attempts && now.Add(delay).Sub(t.first) <= t.retry.Deadline {
			return decision{action: retry, at: now.Add(delay)}
		}
		if f.RetryAfter > 0 {
			late = fmt.Sprintf(" (come back in %s)", f.RetryAfter.Round(time.Second))
		}
	}
	if f.Split && t.rows > 1 {
		return decision{action: halve}
	}
	d := decision{action: refuse, status: f.Status(t.attempts) + late}
	if !t.answered {
		d.words, d.limit = f.Reason+": "+f.Detail+late, hopelessAfter(f)
	}
	return d
}

// delay is how long the next attempt waits: by chance, below a bound that doubles, and no less than the provider asks for.
func (t trial) delay(f Fault, dice float64) time.Duration {
	r := t.retry
	bound := min(r.Cap, r.Base<<min(t.attempts-1, 20))
	if f.Throttled && t.answered { // the pacing sees to the rate; a row that had bad luck need not wait long
		bound = min(bound, r.Base)
		if t.attempts > 3 { // that is more than bad luck
			bound = min(r.Cap, 4*r.Base)
		}
	}
	delay := time.Duration(dice * float64(bound))
	if delay < f.RetryAfter { // not all at the same moment
		delay = f.RetryAfter + delay/4
	}
	return delay
}

// hopelessAfter is how many single rows must fail in the same words, while none succeeds, before the rest is not asked
// any more: when a server is down after all retries, and when a refusal is about more than the row.
func hopelessAfter(f Fault) int {
	if f.Retryable {
		return 16
	}
	return 64
}
