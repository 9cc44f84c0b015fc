package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mallardml/mallard/connectors/gcs/gcstest"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

// service is a fake of an outside system. It runs in another process, so that the processor time of this one is the client's.
type service struct {
	Kind    string        // "vertex" or "bucket"
	Latency time.Duration // of every answer
	Every   int           // that answer of Vertex AI is a 429; 0 is none
	Objects int           // of the bucket
	Size    int           // of an object, in bytes
}

func (s service) handler() (http.Handler, error) {
	if s.Kind == "bucket" {
		return gcstest.NewBulk(s.Objects, s.Size, s.Latency), nil
	}
	o := vertextest.Options{LogSize: -1, Endpoint: lengths, Faults: []vertextest.Fault{{Kind: vertextest.Latency, Latency: s.Latency}}}
	if s.Every > 0 {
		o.Faults = append(o.Faults, vertextest.Fault{Kind: vertextest.Status, Status: http.StatusTooManyRequests, Every: s.Every})
	}
	return vertextest.New(o)
}

// lengths is a custom endpoint: a number for each text.
func lengths(_ context.Context, _ string, instances []any, _ any) ([]any, error) {
	out := make([]any, len(instances))
	for i, in := range instances {
		m, _ := in.(map[string]any)
		text, _ := m["content"].(string)
		out[i] = len(text)
	}
	return out, nil
}

// serve runs services until its input ends. It tells their addresses in one line, and for each line of input how many
// requests there were since the last.
func serve(list []service, in io.Reader, out io.Writer) error {
	var requests atomic.Int64
	var urls []string
	for _, s := range list {
		h, err := s.handler()
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		urls = append(urls, "http://"+l.Addr().String())
		go func() {
			_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				h.ServeHTTP(w, r)
			}))
		}()
	}
	if _, err := fmt.Fprintln(out, strings.Join(urls, " ")); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if _, err := fmt.Fprintln(out, requests.Swap(0)); err != nil {
			return err
		}
	}
	return nil
}

// services is the process that they run in.
type services struct {
	urls  []string
	in    io.WriteCloser
	out   *bufio.Reader
	close func()
}

func startServices(ctx context.Context, list ...service) (*services, error) {
	cmd, err := task{Serve: list}.command(ctx)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	s := &services{}
	if s.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.close = func() {
		_ = s.in.Close()
		_ = cmd.Wait()
	}
	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	if err == nil {
		s.urls = strings.Fields(line)
		if len(s.urls) != len(list) {
			err = errors.New("services: not all of them run")
		}
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("services: %w", err)
	}
	return s, nil
}

// requests tells how many there were since it was last asked.
func (s *services) requests() (n int, err error) {
	if _, err := fmt.Fprintln(s.in); err != nil {
		return 0, err
	}
	_, err = fmt.Fscanln(s.out, &n)
	return n, err
}
