package dispatch

import (
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// ConnectionOptions set up a connection. Zero fields take their defaults.
type ConnectionOptions struct {
	Name string
	// Origin tells apart connections that send one endpoint to different places, such as their base_url. It is part of the
	// cache's keys: an emulator's answers are not the model's.
	Origin            string
	Concurrency       int // requests in flight; 0 is DefaultConcurrency
	RequestsPerMinute int64
	TokensPerMinute   int64
	Timeout           time.Duration // of one request; default 3m
	Budget            Budget
	Retry             Retry
	// Limits override the table of limits, by the model's name at its provider or a beginning of it.
	Limits map[string]Limits
	Prices Prices
}

// Retry says how long a request that may yet succeed is tried again.
type Retry struct {
	Attempts int           // in all; default 8
	Base     time.Duration // the first delay is random below it, later ones below its doubles; default 1s
	Cap      time.Duration // of a delay; default 32s
	Deadline time.Duration // from the first attempt to the last; default 5m
}

// Or gives the bounds with zero fields taken from d.
func (r Retry) Or(d Retry) Retry {
	if r.Attempts > 0 {
		d.Attempts = r.Attempts
	}
	if r.Base > 0 {
		d.Base = r.Base
	}
	if r.Cap > 0 {
		d.Cap = r.Cap
	}
	if r.Deadline > 0 {
		d.Deadline = r.Deadline
	}
	return d
}

var defaultRetry = Retry{Attempts: 8, Base: time.Second, Cap: 32 * time.Second, Deadline: 5 * time.Minute}

// Connection is what all statements that send over one named connection share: the bound on requests in flight, the
// pacing and the budget. It is safe for concurrent use and must not be copied.
type Connection struct {
	// Meter counts what was sent over the connection since the process started.
	Meter Meter

	o     ConnectionOptions
	slots *semaphore.Weighted // first come, first served

	mu     sync.Mutex
	pacers map[string]*pacer // by endpoint: quotas are per model and region
}

// DefaultConcurrency is how many requests a connection has in flight where the configuration does not say.
const DefaultConcurrency = 32

// NewConnection gives a connection; it needs no closing.
func NewConnection(o ConnectionOptions) *Connection {
	if o.Concurrency <= 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Minute
	}
	o.Retry = o.Retry.Or(defaultRetry)
	return &Connection{
		Meter: Meter{Name: "connection " + o.Name, Budget: o.Budget}, o: o,
		slots: semaphore.NewWeighted(int64(o.Concurrency)), pacers: map[string]*pacer{},
	}
}

// Options are what the connection was set up with, defaults in place.
func (c *Connection) Options() ConnectionOptions { return c.o }

// Name is the connection's name.
func (c *Connection) Name() string { return c.o.Name }

func (c *Connection) pacer(endpoint string) *pacer {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pacers[endpoint]
	if p == nil {
		p = newPacer(c.o.RequestsPerMinute, c.o.TokensPerMinute)
		c.pacers[endpoint] = p
	}
	return p
}

// Limits are the connection's own for a model.
func (c *Connection) Limits(model string) Limits {
	best, found := Limits{}, -1
	for name, l := range c.o.Limits {
		if len(name) > found && strings.HasPrefix(strings.ToLower(model), strings.ToLower(name)) {
			best, found = l, len(name)
		}
	}
	return best
}
