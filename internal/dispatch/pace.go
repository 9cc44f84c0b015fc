package dispatch

import (
	"context"
	"math"
	"sync"
	"time"
)

// pacer spaces the requests to one endpoint of a connection. Two bounds are the user's, requests and tokens per minute;
// the third is learned from 429 answers: the rate goes down to what got through when too many are refused, and up again
// with each answer. A few refusals are left to the retries: under a fifth they cost less than slowing down.
type pacer struct {
	mu       sync.Mutex
	requests bucket // of the user
	tokens   bucket // of the user

	rate   float64 // requests per second; 0 while nothing was learned
	next   time.Time
	pause  time.Time // nothing is sent before
	streak int       // pauses without an answer between
	bound  bool      // the rate held the last request up

	since   time.Time // requests of before are not counted
	first   time.Time // of the requests counted
	sent    int
	ok      int
	refused int
}

// The window in which refusals are judged: soon when most are refused, otherwise when a share means something.
const (
	fewAnswers  = 5
	manyAnswers = 50   // while the rate is bounded
	moreAnswers = 150  // before it is: of 50 at a tenth, one in a hundred times a fifth is refused
	tolerated   = 0.2  // share of refusals that is left to the retries
	probing     = 0.12 // the same while the rate is bounded: growing until there are refusals is on purpose
	growth      = 1.002
	crawling    = 1.05
)

// bucket is a token bucket that may run into debt: what a request really took is known afterwards.
type bucket struct {
	perSecond float64 // 0 for no bound
	burst     float64
	level     float64
	at        time.Time
}

func newBucket(perMinute int64) bucket {
	r := float64(perMinute) / 60
	return bucket{perSecond: r, burst: max(1, r), level: max(1, r)}
}

// wait takes n and returns how long to wait for it.
func (b *bucket) wait(now time.Time, n float64) time.Duration {
	if b.perSecond == 0 {
		return 0
	}
	if !b.at.IsZero() {
		b.level = min(b.burst, b.level+now.Sub(b.at).Seconds()*b.perSecond)
	}
	b.at = now
	need := min(n, b.burst) // a request larger than the burst passes when the bucket is full
	var d time.Duration
	if b.level < need {
		d = time.Duration((need - b.level) / b.perSecond * float64(time.Second))
	}
	b.level -= n
	return d
}

// back gives back what was taken and not used.
func (b *bucket) back(n float64) { b.level = min(b.burst, b.level+n) }

func newPacer(requestsPerMinute, tokensPerMinute int64) *pacer {
	return &pacer{requests: newBucket(requestsPerMinute), tokens: newBucket(tokensPerMinute)}
}

// wait returns when a request of about n tokens may be sent. One that is given up while it waits takes nothing: it may have
// been large, and the next statement would wait in its place.
func (p *pacer) wait(ctx context.Context, n int) error {
	p.mu.Lock()
	now := time.Now()
	until := now.Add(max(p.requests.wait(now, 1), p.tokens.wait(now, float64(n))))
	var space time.Duration
	if p.rate > 0 {
		if p.bound = p.next.After(until); p.bound {
			until = p.next
		}
		space = time.Duration(float64(time.Second) / p.rate)
		p.next = until.Add(space)
	}
	p.mu.Unlock()
	for {
		p.mu.Lock()
		if p.pause.After(until) {
			until = p.pause
		}
		p.mu.Unlock()
		if err := sleep(ctx, time.Until(until)); err != nil {
			p.mu.Lock()
			p.requests.back(1)
			p.tokens.back(float64(n))
			p.next = p.next.Add(-space)
			p.mu.Unlock()
			return err
		}
		p.mu.Lock()
		ready := !p.pause.After(time.Now())
		if ready {
			p.sent++
		}
		p.mu.Unlock()
		if ready {
			return nil
		}
	}
}

// took corrects the estimate of a request's tokens.
func (p *pacer) took(estimated int, real int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens.level -= float64(real) - float64(estimated)
}

// answered judges an answer to a request that was sent at some time. delay is how long its own retry waits.
func (p *pacer) answered(sent time.Time, refused bool, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !refused {
		p.streak = 0
		if p.bound {
			p.rate *= growth
			if p.rate < 1 { // few answers come: they must tell more
				p.rate *= crawling
			}
		}
	}
	if sent.Before(p.since) {
		return
	}
	if p.ok+p.refused == 0 || sent.Before(p.first) {
		p.first = sent
	}
	if refused {
		p.refused++
	} else {
		p.ok++
	}
	n := p.ok + p.refused
	share := float64(p.refused) / float64(n)
	// Refusals may come back sooner than answers: the first of them are a share of what was sent.
	early := float64(p.refused) / float64(max(p.sent, n))
	now := time.Now()
	limit, enough := tolerated, moreAnswers
	if p.rate > 0 {
		limit, enough = probing, manyAnswers
	}
	switch {
	case p.refused >= fewAnswers && early > 0.5, p.rate > 0 && p.rate < 1 && refused:
		taken := now.Sub(p.first).Seconds()
		through := max(float64(p.ok)/max(taken, 0.001), float64(max(p.sent, n)-p.refused)/max(taken, 1))
		if p.rate > 0 {
			through = min(p.rate/2, through)
		}
		p.slow(now, through)
		// The provider has had enough: a pause for all, longer each time that it had no effect.
		p.streak++
		backoff := min(time.Duration(float64(time.Second)*math.Pow(2, float64(min(p.streak, 6)-1))), 32*time.Second)
		if until := now.Add(max(delay, backoff)); until.After(p.pause) {
			p.pause = until
		}
		p.since = p.pause
	case n >= enough && share > limit:
		through := float64(p.ok) / max(now.Sub(p.first).Seconds(), 0.001)
		if p.rate > 0 {
			through = min(p.rate, through)
		}
		p.slow(now, through*0.9)
		p.since = now
	case n >= enough:
		if p.rate == 0 { // half is kept: the last of a wave may all be refusals
			p.sent, p.ok, p.refused = p.sent/2, p.ok/2, p.refused/2
			p.first = now.Add(-now.Sub(p.first) / 2)
			break
		}
		p.sent = max(p.sent-n, 0) // those in flight
		p.ok, p.refused = 0, 0
	}
}

func (p *pacer) slow(now time.Time, rate float64) {
	p.rate, p.next = max(rate, 0.1), now
	p.sent, p.ok, p.refused = 0, 0, 0
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
