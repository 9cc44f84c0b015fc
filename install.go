package mallard

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/mallardml/mallard/internal/googlesql/installed"
	"github.com/mallardml/mallard/internal/install"
)

// Installable lists what [Install] takes: "tensorflow", the libraries that run models of TensorFlow, and "googlesql", the
// analyzer that reads GoogleSQL.
func Installable() []string { return []string{"tensorflow", "googlesql"} }

// Install fetches what Mallard uses and does not bring along into the user's cache folder, where it is looked for; `mallard
// doctor -install` does the same. It runs pip with pinned versions and hashes, whatever package index or mirror pip is set to,
// and needs python3 with pip (PYTHON names another interpreter). It does nothing when all is there. Lines about its progress go
// to progress; nil is silent. Several processes may call it at once.
func Install(ctx context.Context, name string, progress io.Writer) error {
	packages, err := install.Lookup(name)
	if err != nil {
		return err
	}
	o := install.Options{Python: os.Getenv("PYTHON"), Progress: progress}
	if f, ok := progress.(*os.File); ok {
		o.Terminal = term.IsTerminal(int(f.Fd()))
	}
	for _, p := range packages {
		if _, err := install.Fetch(ctx, p, o); err != nil {
			return err
		}
	}
	if name == "googlesql" {
		return installed.Prepare(progress)
	}
	return nil
}
