package main

import (
	"runtime/debug"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

const help = `Mallard is DuckDB with BigQuery's machine learning statements.

  mallard [OPTIONS] [DATABASE] [SQL...]  run SQL, a script on stdin, or a shell
  mallard test [OPTIONS] PATH...         run .test files
  mallard doctor [-install] [-online]    say what works, what not, what to do
  mallard config init|check|show         make, check or show the configuration
  mallard serve [OPTIONS] [DATABASE]     a BigQuery on this machine
  mallard emulate [OPTIONS]              a Vertex AI on this machine
  mallard model export|import ...        carry a model to another database
  mallard beam [OPTIONS]                 a statement over many files (Beam)
  mallard help [COMMAND]                 this, or the help of a command
  mallard version                        show the versions
  mallard completion bash|fish|zsh       what a system's shell completes
  mallard man                            the manual page

DATABASE is a file, made if it is missing; without one, or with :memory:, the
database is in memory. A new one whose name has neither a dot nor a slash is
asked about, in a script refused: write ./sales for one that is called so.

What to run
  -c SQL             run SQL and leave; may be repeated
  -f FILE            run a file and leave; may be repeated
  -init FILE         run a file first, and not ~/.duckdbrc and ~/.mallardrc
  -cmd SQL           run SQL first; may be repeated
                     -c, -cmd, -f and -init stop at the first error
  -bail              so does standard input, which else goes on
  -echo              print what runs
  -no-stdin          leave after the flags
  -batch             serve no person, though there is a terminal
  -interactive       serve one, though there is none
  -no-init           do not read ~/.duckdbrc and ~/.mallardrc
  -readonly          open the database without writing to it
  -safe              keep statements and commands from files and programs
  -unsigned -unredacted -dark-mode -light-mode -storage-version VERSION
                     as for DuckDB's shell
  -progress          show progress also where stderr is no terminal

How results look
  -duckbox           a table (the default): 40 rows of it, cut to the terminal
  -csv               comma-separated, with the names first
  -json              one JSON array        -jsonlines   one object a line
  -markdown          a Markdown table      -line        one value a line
  -list              values with | between them
  -box -column -table -tabs -ascii -html -latex -quote -insert -tcl -trash
                     all as DuckDB's shell prints them
  -noheader          no names of columns   -header      with them (the default)
  -separator TEXT    TEXT between the values of -csv, -list and the like
  -newline TEXT      TEXT behind their rows
  -nullvalue TEXT    TEXT for NULL

Mallard's own
  -config FILE       the configuration; else $MALLARD_CONFIG, ./mallard.toml,
                     mallard/config.toml in your configuration folder
  -dialect D         duckdb, bigquery or auto (default): how SQL is read
  -tutorials         with what BigQuery's tutorials name: their buckets, small
                     tables of bigquery-public-data, and a Vertex AI in the
                     process that every connection asks (its answers are an
                     echo and made-up vectors)
  -version           show the versions
  -help              show this

Flags may have one dash or two. Results go to stdout, messages to stderr.
Exit code: 0 done, 1 a statement failed, 2 wrong usage, or that of .exit CODE;
141 when nobody reads the results any more (| head): what follows does not run.
`

const testHelp = `mallard test runs .test files, in the form of DuckDB's own tests.

  mallard test [OPTIONS] PATH...

PATH is a file, or a folder whose .test files run, each with a fresh database.

  -var NAME=VALUE    what ${NAME} stands for in the files; may be repeated
  -replay FILE       models answer from FILE, a record that
                     mallard emulate -record wrote
  -update            write what came into the files as wanted
  -config FILE       the configuration
  -dialect D         duckdb, bigquery or auto (default): how SQL is read

Exit code: 0 all passed or were skipped, 1 one failed, 2 wrong usage.
`

const doctorHelp = `mallard doctor says what works, what does not, and what to do about it.

  mallard doctor [-install [tensorflow|googlesql]] [-online] [-config FILE]

  -install           fetch TensorFlow's libraries and GoogleSQL's analyzer first, or the one
                     that is named
  -online            ask each connection one word, and each bucket of a declared
                     model for its first objects
  -config FILE       the configuration

Exit code: 0 all that most statements need is there, 1 something is missing.
`

// helpOf gives the help of a command, or of the shell.
func helpOf(command string) string {
	switch command {
	case "test":
		return testHelp
	case "doctor":
		return doctorHelp
	case "config":
		return configHelp
	case "completion":
		return completionHelp
	case "emulate":
		return emulateHelp
	case "beam":
		return beamHelp
	case "model":
		return modelHelp
	case "serve":
		return serveHelp
	}
	return help
}

// version is set by `make build`; `go install` leaves it to the build information.
var version string

// versionText gives e.g. `Mallard v0.1.0, DuckDB v1.5.6`.
func versionText() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); v == "" && ok && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	if v == "" {
		v = "(development)"
	}
	return "Mallard " + v + ", DuckDB " + mapping.LibraryVersion()
}
