package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const beamHelp = `mallard beam runs a statement over the files of a relation on Apache Beam.

  mallard beam -f FILE | -c SQL -input FILES -output FOLDER [OPTIONS]

It is a command of its own, mallard-beam, beside this one or on the PATH, and
takes its flags: mallard beam -help shows them. docs/scale.md is its page.
To build it, in a checkout:  make beam
`

// runBeam hands over to mallard-beam, a program of its own, so that this one need not hold Apache Beam.
func runBeam(ctx context.Context, args []string, t terminal) int {
	program := "mallard-beam"
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), program)
		if info, err := os.Stat(beside); err == nil && !info.IsDir() {
			program = beside
		}
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.in, t.out, t.err
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &ended) && ended.ExitCode() >= 0:
		return ended.ExitCode()
	case errors.Is(err, exec.ErrNotFound):
		fmt.Fprintln(t.err, "mallard: there is no mallard-beam beside this program or on the PATH; `make beam` builds it in a checkout of "+
			"Mallard, and docs/scale.md says what it does")
	default:
		fmt.Fprintf(t.err, "mallard: mallard-beam: %v\n", err)
	}
	return exitFailed
}
