package native

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestMeter: what counts is the time that the library's threads get, in the parts of those who ask.
func TestMeter(t *testing.T) {
	start := func(speed float64) (*meter, func()) { // a library whose threads get so much of a processor together
		begin := time.Now()
		told := true
		m := &meter{threads: func() (map[int]time.Duration, bool) {
			half := time.Duration(float64(time.Since(begin)) * speed / 2)
			return map[int]time.Duration{1: half, 2: half}, told
		}}
		return m, func() { told = false }
	}
	spent := func(c *charge) bool {
		synctest.Wait()
		select {
		case <-c.spent:
			return true
		default:
			return false
		}
	}
	check := func(name string, c *charge, want bool) {
		t.Helper()
		if got := spent(c); got != want {
			t.Errorf("%s: spent is %t after %v", name, got, c.used)
		}
	}
	synctest.Test(t, func(t *testing.T) { // a machine that has no time for us
		m, _ := start(0.01)
		c := m.begin(2 * time.Second)
		time.Sleep(3 * time.Minute)
		check("a starved call", c, false)
		time.Sleep(30 * time.Second)
		check("a starved call that goes on", c, true)
		m.end(c)
		time.Sleep(2 * period)
	})
	synctest.Test(t, func(t *testing.T) { // a quiet one
		m, _ := start(1)
		c := m.begin(2 * time.Second)
		time.Sleep(1900 * time.Millisecond)
		check("a call in time", c, false)
		time.Sleep(300 * time.Millisecond)
		check("a hostile call", c, true)
		late := m.begin(2 * time.Second) // beside one that nobody stops
		time.Sleep(3 * time.Second)
		check("a call beside a hostile one", late, false)
		m.end(late)
		m.end(c)
		time.Sleep(2 * period)
	})
	synctest.Test(t, func(t *testing.T) { // many short ones beside one
		m, _ := start(1)
		c := m.begin(2 * time.Second)
		for range 350 {
			short := m.begin(2 * time.Second)
			time.Sleep(10 * time.Millisecond)
			m.end(short)
		}
		check("a call beside short ones", c, false)
		m.end(c)
		time.Sleep(2 * period)
	})
	synctest.Test(t, func(t *testing.T) { // a system that does not tell
		m, hide := start(0)
		hide()
		c := m.begin(2 * time.Second)
		time.Sleep(2200 * time.Millisecond)
		check("a call by the clock", c, true)
		m.end(c)
		time.Sleep(2 * period)
	})
}
