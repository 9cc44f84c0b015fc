// Command fetch brings the TensorFlow libraries, GoogleSQL's analyzer, or one of
// the real models of the demo and the tests, into the user's cache folder; a
// model also into the folder of -dir. It imports little, since a test run compiles
// it besides what it compiles for the race detector: the first statement compiles
// GoogleSQL's analyzer, while those of other processes wait for it.
//
//	go run ./cmd/fetch tensorflow
//	go run ./cmd/fetch guesslang -dir build/models/guesslang
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/mallardml/mallard/internal/install"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	flags := flag.NewFlagSet("fetch", flag.ContinueOnError)
	dir := flags.String("dir", "", "folder to fill (default: below the user's cache folder)")
	python := flags.String("python", os.Getenv("PYTHON"), "Python that has pip (default: python3)")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: fetch %s [-dir DIR] [-python EXE]\n", strings.Join(install.Names(), "|"))
		flags.PrintDefaults()
	}
	var names []string
	for len(args) > 0 { // flags may stand before or after the name
		if err := flags.Parse(args); err != nil {
			return 2
		}
		if args = flags.Args(); len(args) > 0 {
			names = append(names, args[0])
			args = args[1:]
		}
	}
	if len(names) != 1 {
		flags.Usage()
		return 2
	}
	packages, err := install.Lookup(names[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if *dir != "" && len(packages) > 1 {
		fmt.Fprintf(os.Stderr, "fetch %s: it has several parts, which go into the cache folder; leave -dir out\n", names[0])
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, p := range packages {
		o := install.Options{Dir: *dir, Python: *python, Progress: os.Stderr, Terminal: term.IsTerminal(int(os.Stderr.Fd()))}
		if _, err := install.Fetch(ctx, p, o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}
