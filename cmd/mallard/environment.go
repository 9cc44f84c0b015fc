package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/mallardml/mallard/internal/server"
	"github.com/mallardml/mallard/internal/server/gateway"
)

// splitProgram cuts what follows -- off a command line: a program and its arguments.
func splitProgram(args []string) (own, program []string) {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i], args[i+1:]
	}
	return args, nil
}

// printEnvironment asks a running server for the variables that lead programs to it, and prints them for a shell.
func printEnvironment(ctx context.Context, s server.Options, t terminal) error {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Listen+server.EnvironmentPath, nil)
	if err != nil {
		return err
	}
	if s.Token != "" {
		r.Header.Set("Authorization", "Bearer "+s.Token)
	}
	transport := &http.Transport{} // and no proxy: the environment may name a server that has ended
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("no server at %s: %w; start one with mallard serve, or name it with -listen HOST:PORT", s.Listen, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("the server at %s wants its -token", s.Listen)
	}
	var all []gateway.Variable
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&all); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("what answers at %s is no mallard serve of this version: %s", s.Listen, answer.Status)
	}
	_, err = io.WriteString(t.out, gateway.Export(all))
	return err
}

// runProgram runs a program that finds the server, and gives its exit code. The server ends with it, and it with ctx.
func runProgram(ctx context.Context, on *server.Server, program []string, t terminal) (code int, err error) {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		defer stop()
		served <- on.Run(serving)
	}()
	c := exec.CommandContext(serving, program[0], program[1:]...)
	c.Stdin, c.Stdout, c.Stderr = t.in, t.out, t.err
	c.Env = gateway.Environ(os.Environ(), on.Environment())
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	err = c.Run()
	stop()
	fault := <-served
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if code = exit.ExitCode(); code < 0 { // a signal ended it
			code = exitFailed
		}
		return code, fault
	}
	return exitDone, errors.Join(err, fault)
}
