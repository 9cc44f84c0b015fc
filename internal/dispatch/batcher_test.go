package dispatch

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// rowsOf are n rows in a batcher, each of size tokens.
func rowsOf(q *batcher, n, tokens int) {
	for i := range n {
		q.items = append(q.items, &item{payload: fmt.Sprintf("%04d", i), tokens: tokens})
	}
}

// ask queues rows from and below to, as awaiting them does where the cache has none.
func ask(q *batcher, from, to int) {
	for _, it := range q.items[from:to] {
		if it.state != asked {
			it.to(asked)
			q.queue = append(q.queue, it)
		}
	}
	q.awaited(from, to-1, to-from)
}

// sizes are the rows of the batches that there are to send now.
func sizes(q *batcher) (all []int) {
	for {
		s := q.next(noon)
		if s.send == nil {
			return all
		}
		all = append(all, len(s.send.items))
	}
}

// TestCut: how many rows go into a request, by the bounds on rows, tokens and bytes. A row that exceeds a bound by itself goes
// alone, and a bound of -1 is none.
func TestCut(t *testing.T) {
	tests := []struct {
		name   string
		limits Limits
		tokens int // of a row; it has 4 bytes
		want   string
	}{
		{"rows", Limits{Rows: 4, Tokens: -1, Bytes: -1}, 1, "[4 4 2]"},
		{"one", Limits{Rows: 1, Tokens: -1, Bytes: -1}, 1, "[1 1 1 1 1 1 1 1 1 1]"},
		{"tokens", Limits{Rows: 100, Tokens: 30, Bytes: -1}, 10, "[3 3 3 1]"},
		{"bytes", Limits{Rows: 100, Tokens: -1, Bytes: 20}, 10, "[5 5]"},
		{"rows of too many tokens", Limits{Rows: 100, Tokens: 5, Bytes: -1}, 10, "[1 1 1 1 1 1 1 1 1 1]"},
	}
	for _, tt := range tests {
		q := newBatcher(tt.limits, 8, false)
		rowsOf(&q, 10, tt.tokens)
		ask(&q, 0, 10)
		if got := fmt.Sprint(sizes(&q)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestReadAhead: nothing is asked that nobody awaits before a whole chunk was awaited; behind one, half a chunk is, and more with
// each chunk that follows; never again once rows are skipped.
func TestReadAhead(t *testing.T) {
	q := newBatcher(Limits{Rows: 100, Tokens: -1, Bytes: -1}, 1, false)
	rowsOf(&q, 20*ChunkRows, 1)
	total := func() (n int) {
		for _, size := range sizes(&q) {
			n += size
		}
		return n
	}
	ask(&q, 0, 5)
	if n := total(); n != 5 {
		t.Errorf("five rows are awaited, %d are asked", n)
	}
	ask(&q, 5, ChunkRows) // not a whole chunk
	if n := total(); n != ChunkRows-5 {
		t.Errorf("%d rows are awaited, %d are asked", ChunkRows-5, n)
	}
	ask(&q, ChunkRows, 2*ChunkRows)
	ahead := total() - ChunkRows
	if ahead < ChunkRows || ahead > ChunkRows+200 || q.ahead != ahead {
		t.Errorf("after a whole chunk %d rows are read ahead, and counted as %d", ahead, q.ahead)
	}
	if n := total(); n != 0 {
		t.Errorf("%d more without anybody awaiting more", n)
	}
	q.awaited(0, 10*ChunkRows, 10)
	ask(&q, 5*ChunkRows, 6*ChunkRows)
	if n := total(); n != ChunkRows {
		t.Errorf("behind a filter %d rows are asked for a chunk", n)
	}
}

// TestLookFirst: rows that come next are looked up before they are read ahead; until then nothing is taken from the queue. Equal
// rows are taken once.
func TestLookFirst(t *testing.T) {
	q := newBatcher(Limits{Rows: 3000, Tokens: -1, Bytes: -1}, 1, true)
	rowsOf(&q, 2*ChunkRows, 1)
	for i := range 100 { // equal rows share an item
		q.items = append(q.items, q.items[ChunkRows+i])
	}
	ask(&q, 0, ChunkRows)
	s := q.next(noon)
	if len(s.look) != ChunkRows || s.send != nil || len(q.queue) != ChunkRows {
		t.Fatalf("%d rows are looked up, %d are in the queue", len(s.look), len(q.queue))
	}
	for i, it := range s.look {
		if it.to(missed); i == 7 {
			it.to(asked) // was awaited meanwhile, and is queued
			q.queue = append(q.queue, it)
		}
	}
	s = q.next(noon)
	seen := map[*item]bool{}
	for s.send != nil {
		for _, it := range s.send.items {
			if seen[it] || it.state != asked {
				t.Fatalf("row %s: state %v, sent before: %t", it.payload, it.state, seen[it])
			}
			seen[it] = true
		}
		s = q.next(noon)
	}
	if len(seen) != 2*ChunkRows || q.ahead != ChunkRows-1 || len(s.look) != 0 {
		t.Errorf("%d rows were sent, %d of them ahead", len(seen), q.ahead)
	}
}

// TestUnreadAlone: a row whose objects are unread goes alone, and only so many at a time.
func TestUnreadAlone(t *testing.T) {
	q := newBatcher(Limits{Rows: 10, Tokens: -1, Bytes: -1}, 1, false)
	rowsOf(&q, 20, 1)
	for _, it := range q.items[2:] {
		it.objects = true
	}
	ask(&q, 0, 20)
	if got := fmt.Sprint(sizes(&q)); got != "[2 1 1 1 1]" || q.preparing != 4 {
		t.Errorf("batches of %s, %d are being read", got, q.preparing)
	}
	q.preparing--
	if got := fmt.Sprint(sizes(&q)); got != "[1]" {
		t.Errorf("with one place free: %s", got)
	}
}

// TestAgain: a batch is sent again when it is ready and not before, before what is new; halves of one that was too large bound the
// size of all that follow, and of those that wait.
func TestAgain(t *testing.T) {
	q := newBatcher(Limits{Rows: 8, Tokens: -1, Bytes: -1}, 8, false)
	rowsOf(&q, 24, 1)
	ask(&q, 0, 24)
	first, second := q.next(noon).send, q.next(noon).send
	second.ready = noon.Add(time.Second)
	q.push(second)
	q.halve(first, true, noon)
	if got := fmt.Sprint(sizes(&q)); got != "[4 4 4 4]" {
		t.Errorf("halves and the rest: %s", got)
	}
	s := q.next(noon)
	if s.send != nil || !s.at.Equal(noon.Add(time.Second)) {
		t.Fatalf("before its time: %+v", s)
	}
	s = q.next(s.at)
	if len(s.send.items) != 4 || s.send.tokens != 4 || len(q.again) != 1 || q.again[0].tokens != 4 {
		t.Errorf("the one that waited has %d rows of %d tokens, and left %d batches", len(s.send.items), s.send.tokens, len(q.again))
	}
}

// TestDrain: what waits is given back once, and nothing is read ahead afterwards.
func TestDrain(t *testing.T) {
	q := newBatcher(Limits{Rows: 10, Tokens: -1, Bytes: -1}, 8, false)
	rowsOf(&q, 3*ChunkRows, 1)
	ask(&q, 0, ChunkRows)
	q.push(q.next(noon).send)
	if n := len(q.drain()); n != ChunkRows {
		t.Errorf("%d rows came back", n)
	}
	if got := sizes(&q); got != nil {
		t.Errorf("%v batches after that", got)
	}
}
