package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/mallardml/mallard/connectors/internal/transport"
	"github.com/mallardml/mallard/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// get asks in the background; its result comes through the channel.
func get(c *transport.Transport, url string) <-chan error {
	done := make(chan error, 1)
	go func() {
		res, err := (&http.Client{Transport: c}).Get(url)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			err = errors.Join(err, res.Body.Close())
		}
		done <- err
	}()
	return done
}

// Close ends a request whose answer never comes, and one in the middle of its answer.
func TestCloseInUse(t *testing.T) {
	for _, path := range []string{"/silent", "/midway"} {
		t.Run(path[1:], func(t *testing.T) {
			arrived := make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/midway" {
					_, _ = w.Write([]byte("half"))
					_ = http.NewResponseController(w).Flush()
				}
				close(arrived)
				<-r.Context().Done() // the client has gone
			}))
			defer s.Close()
			c := transport.New(&http.Transport{})
			done := get(c, s.URL+path)
			<-arrived
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if err := <-done; err == nil {
				t.Error("the request was answered")
			}
		})
	}
}

// Close ends a dial that would wait for long, and waits for one that cannot be stopped.
func TestCloseWhileDialling(t *testing.T) {
	dialling := make(chan struct{})
	c := transport.New(&http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	done := get(c, "http://mallard.invalid")
	<-dialling
	_ = c.Close()
	if err := <-done; !errors.Is(err, transport.ErrClosed) {
		t.Error(err)
	}

	dialling = make(chan struct{})
	here, there := net.Pipe()
	defer there.Close()
	c = transport.New(&http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		return here, nil
	}})
	done = get(c, "http://mallard.invalid")
	<-dialling
	_ = c.Close()
	if err := <-done; !errors.Is(err, transport.ErrClosed) {
		t.Error(err)
	}
	if _, err := here.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the connection that came too late is open: %v", err)
	}
}

// Idle connections end too, and a closed transport opens none.
func TestCloseIdle(t *testing.T) {
	var open sync.WaitGroup
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Done()
		}
	}
	s.Start()
	defer s.Close()
	c := transport.New(&http.Transport{})
	for range 2 {
		if err := <-get(c, s.URL); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close()
	open.Wait()
	if err := <-get(c, s.URL); !errors.Is(err, transport.ErrClosed) {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
