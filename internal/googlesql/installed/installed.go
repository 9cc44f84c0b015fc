package installed

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/native"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/wasm"
	"github.com/mallardml/mallard/internal/install"
)

// EnvLibrary names the environment variable that points to the native library, or is "wasm" for the other one.
const EnvLibrary = "MALLARD_GOOGLESQL"

// HowToGet is what to do without an analyzer.
const HowToGet = "Run `mallard doctor -install googlesql`, which fetches it with pip, or call mallard.Install"

// ErrNone says that there is no analyzer.
var ErrNone = errors.New("GoogleSQL's analyzer is not installed")

// Source is an analyzer that was found.
type Source struct {
	From   string     // where it was found: MALLARD_GOOGLESQL, configuration, Maven, cache
	Native string     // the library or the jar; empty for the other one
	WASM   wasm.Files // the files of the other one
}

// String says what it is and where.
func (s Source) String() string {
	if s.Native != "" {
		return fmt.Sprintf("native, %s (from %s)", s.Native, s.From)
	}
	return fmt.Sprintf("WebAssembly, %s (from %s)", s.WASM.Module, s.From)
}

// Find looks for an analyzer: at the library that MALLARD_GOOGLESQL or the configuration names, in Maven's local repository,
// in the cache folder. A library that is named is not passed over. The error is [ErrNone] when there is nothing.
func Find(library string) (Source, error) {
	for _, named := range []Source{{From: EnvLibrary, Native: os.Getenv(EnvLibrary)}, {From: "configuration", Native: library}} {
		switch named.Native {
		case "":
			continue
		case "wasm":
			return FindWASM()
		}
		if st, err := os.Stat(named.Native); err != nil || !st.Mode().IsRegular() {
			return Source{}, fmt.Errorf("%s says %s, where there is no file: name liblocal_service_jni.so, or the jar that holds it", named.From,
				named.Native)
		}
		abs, err := filepath.Abs(named.Native)
		if err != nil {
			return Source{}, err
		}
		named.Native = abs
		return named, nil
	}
	if s, err := FindNative(); !errors.Is(err, ErrNone) {
		return s, err
	}
	return FindWASM()
}

// FindNative looks for the native library where nobody names one, in Maven's local repository.
func FindNative() (Source, error) {
	if jar := mavenJar(); jar != "" {
		return Source{From: "Maven", Native: jar}, nil
	}
	return Source{}, fmt.Errorf("%w: there is no %s %s in Maven's local repository", ErrNone, artifact, version)
}

// FindWASM looks for what package install fetches, in the cache folder.
func FindWASM() (Source, error) {
	packages, err := install.Lookup("googlesql")
	if err != nil {
		return Source{}, fmt.Errorf("%w, and cannot be: %w", ErrNone, err)
	}
	s := Source{From: "cache"}
	for _, p := range packages {
		dir, err := p.Dir()
		if err != nil {
			return Source{}, err
		}
		if !p.Complete(dir) {
			return Source{}, fmt.Errorf("%w: there is no %s in %s. %s", ErrNone, p.Name, dir, HowToGet)
		}
		switch p.Name {
		case install.ZetaSQL:
			s.WASM.Module = p.File(dir)
			s.WASM.Cache = filepath.Join(filepath.Dir(dir), "compiled")
		case install.Wasmtime:
			s.WASM.Runtime = p.File(dir)
		case install.TZData:
			s.WASM.Zoneinfo = dir
		}
	}
	return s, nil
}

// Prepare compiles the analyzer that is found, so that no statement has to wait for it.
func Prepare(progress io.Writer) error {
	s, err := Find("")
	if err == nil {
		_, err = s.Open(func(line string) {
			if progress != nil {
				fmt.Fprintln(progress, line)
			}
		})
	}
	return err
}

// Open starts the analyzer, or gives the one that runs. progress hears of what takes long; it may be nil.
func (s Source) Open(progress func(string)) (analyzer.Service, error) {
	if s.Native == "" {
		return wasm.Open(s.WASM, progress)
	}
	library := s.Native
	var err error
	if strings.HasSuffix(strings.ToLower(library), ".jar") {
		library, err = unpacked(library)
	} else {
		err = checkLibrary(library)
	}
	if err != nil {
		return nil, fmt.Errorf("GoogleSQL's library: %w", err)
	}
	return native.Open(library)
}
