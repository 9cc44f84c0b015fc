package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/quote"
)

const modelHelp = `mallard model carries models between databases and machines.

  mallard model export [OPTIONS] NAME     write a model into an archive
  mallard model import [OPTIONS] ARCHIVE [NAME]
                                          make a model of an archive; NAME is
                                          that of the file else

An archive is one file with the model's files, its options and their digest.

  -database FILE     the database (needed)
  -o ARCHIVE         where export writes; NAME.mallard else
  -config FILE       the configuration

Exit code: 0 done, 1 it failed, 2 wrong usage.
`

// runModel is `mallard model`.
func runModel(ctx context.Context, args []string, t terminal) int {
	fs := flag.NewFlagSet("mallard model", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var database, out, config string
	fs.StringVar(&database, "database", "", "")
	fs.StringVar(&out, "o", "", "")
	fs.StringVar(&config, "config", "", "")
	var words []string
	for err := error(nil); len(args) > 0; args = args[1:] {
		if err = fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(t.out, modelHelp)
			return exitDone
		} else if err != nil {
			return wrongUsage(t, flagError(err, []string{"-database", "-o", "-config"}))
		}
		if args = fs.Args(); len(args) == 0 {
			break
		}
		words = append(words, args[0])
	}
	statement, err := modelStatement(words, out)
	if err == nil && database == "" {
		err = errors.New("give the -database FILE that has, or gets, the model")
	}
	if err != nil {
		return wrongUsage(t, err)
	}
	cfg, _, err := (&options{config: config}).loadConfig()
	if err == nil && words[0] == "export" { // else a database would be made that has no models
		_, err = os.Stat(database)
	}
	if err == nil {
		err = runOne(ctx, database, cfg, statement, t)
	}
	if err != nil {
		fmt.Fprintf(t.err, "mallard: %v\n", err)
		return exitFailed
	}
	return exitDone
}

func wrongUsage(t terminal, err error) int {
	fmt.Fprintf(t.err, "mallard: %v\nmallard help model shows what there is.\n", err)
	return exitUsage
}

// modelStatement is what `mallard model` runs.
func modelStatement(words []string, out string) (string, error) {
	path := func(name string) (string, error) {
		parts, err := catalog.SplitName(name)
		return quote.Path(parts...), err
	}
	switch {
	case len(words) == 2 && words[0] == "export":
		name, err := path(words[1])
		if out == "" {
			out = words[1] + ".mallard"
		}
		return "EXPORT MODEL " + name + " OPTIONS(URI=" + quote.Text(out) + ")", err
	case (len(words) == 2 || len(words) == 3) && words[0] == "import" && out == "":
		name := strings.TrimSuffix(filepath.Base(words[1]), ".mallard")
		if len(words) == 3 {
			name = words[2]
		}
		name, err := path(name)
		return "CREATE MODEL " + name + " OPTIONS(MODEL_PATH=" + quote.Text(words[1]) + ")", err
	}
	return "", errors.New("write mallard model export NAME -o ARCHIVE, or mallard model import ARCHIVE [NAME]")
}

// runOne runs one statement of DuckDB's dialect and says what it did.
func runOne(ctx context.Context, database string, cfg *mallard.Config, statement string, t terminal) (err error) {
	connector, err := mallard.NewConnector(database, mallard.Options{Config: cfg, Dialect: mallard.DuckDB})
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(mallard.WithNotices(ctx, func(s string) { fmt.Fprintln(t.err, s) }), statement)
	var placed *mallard.Error
	if errors.As(err, &placed) {
		return errors.New(placed.Render("mallard model"))
	}
	return err
}
