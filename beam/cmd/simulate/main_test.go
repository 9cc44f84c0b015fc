package main

import (
	"math"
	"testing"
)

// TestSimulation: without faults it is the arithmetic of equal shards, all work is done once, and faults cost what they cost.
func TestSimulation(t *testing.T) {
	p := plan{workers: 10, shards: 100, bundle: 1, seconds: 3, start: 5, staged: true}
	if r := p.run(1); math.Abs(r.total-35) > 1e-6 || math.Abs(r.ideal-35) > 1e-6 || r.wasted != 0 {
		t.Errorf("%+v", r)
	}
	p.shards = 101
	if r := p.run(1); math.Abs(r.total-38) > 1e-6 {
		t.Errorf("one more shard: %+v", r)
	}
	p.deaths, p.fails = 60, 0.1
	if r := p.run(1); math.Abs(r.busy-303) > 1e-6 || r.wasted == 0 || r.total < 38 {
		t.Errorf("with faults the work that counts is the same: %+v", r)
	}
	// Ten shards in one bundle on a worker that dies within: a slow end that single shards do not have.
	p.deaths, p.fails, p.slow, p.slower = 0, 0, 0.2, 5
	single := p.run(2)
	p.bundle = 10
	if many := p.run(2); many.total <= single.total {
		t.Errorf("bundles of 10: %+v; single shards: %+v", many, single)
	}
}
