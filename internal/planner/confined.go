package planner

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/failure"
)

// harmless are statements of DuckDB's own that are run where statements are confined: they say where names without a dataset are
// looked for.
var harmless = regexp.MustCompile(`(?i)^(USE|SET\s+search_path\s*=)\s`)

// confine refuses what DuckDB alone knows, such as COPY and ATTACH, where statements come from those whose files there are not:
// GoogleSQL has nothing that writes a file but what is checked.
func (pl *Planner) confine(text string, st dialect.Statement, node dialect.Node) error {
	if !pl.Config.BigQuery.Confined || st.Lang != dialect.DuckDB || harmless.MatchString(text) {
		return nil
	}
	verb := ""
	switch s := node.(type) {
	case *dialect.Query:
		verb = s.Verb
	case *dialect.ImportDatabase:
		verb = "IMPORT"
	default:
		return nil
	}
	return failure.As(failure.ErrNoExternalAccess, fmt.Errorf("%s is a statement of DuckDB's own, which is not run here", verb))
}

// Export implements [translator.Database]: gs://NAME/… of a bucket of the configuration is a file in its folder.
func (d described) Export(uri string, overwrite bool) (string, error) {
	confined := d.Config.BigQuery.Confined
	rest, ok := strings.CutPrefix(uri, "gs://")
	bucket, pattern, _ := strings.Cut(rest, "/")
	folder, known := config.BucketDirs(d.Config)[bucket]
	switch {
	case !ok && confined:
		return "", failure.As(failure.ErrNoExternalAccess, fmt.Errorf("EXPORT DATA writes to gs:// alone here, and not to %q", uri))
	case ok && !known && confined:
		return "", failure.As(failure.ErrNoExternalAccess, fmt.Errorf("there is no bucket %q to export to; serve a folder as one", bucket))
	case ok && !known:
		return "", failure.As(failure.ErrNoExternalAccess,
			fmt.Errorf("there is no bucket %q to export to; name a folder for it under [buckets] of the configuration", bucket))
	case !ok:
		if files, err := filepath.Glob(uri); !overwrite && err == nil && len(files) > 0 {
			return "", notEmpty(uri)
		}
		return firstFile(uri), nil
	}
	object := firstFile(pattern)
	name := filepath.FromSlash(object)
	if !fs.ValidPath(object) || object == "." || !filepath.IsLocal(name) || strings.ContainsAny(object, "\x00\\") {
		return "", failure.As(failure.ErrNoExternalAccess,
			fmt.Errorf("EXPORT DATA cannot write %q: a path in a bucket has no empty parts, . and ..", uri))
	}
	if !overwrite {
		if files, err := objectsOf(folder, pattern); err != nil || len(files) > 0 {
			return "", cmp.Or(err, notEmpty(uri))
		}
	}
	file := filepath.Join(folder, name)
	if err := makeFolders(folder, filepath.Dir(name)); err != nil {
		return "", fmt.Errorf("EXPORT DATA to %q: %w", uri, err)
	}
	if err := stays(folder, file); err != nil {
		return "", fmt.Errorf("EXPORT DATA to %q: %w", uri, err)
	}
	return file, nil
}

// firstFile is the name of the only file of an export.
func firstFile(uri string) string { return strings.Replace(uri, "*", "000000000000", 1) }

func notEmpty(uri string) error {
	return fmt.Errorf("EXPORT DATA to %q: there are files already; overwrite = true replaces them", uri)
}

// makeFolders makes those of an object's name, which in a bucket need not be made. They stay in the bucket's folder.
func makeFolders(folder, name string) (err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return root.MkdirAll(name, 0o755)
}

// stays is an error for a file that links lead out of the folder.
func stays(folder, file string) error {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return err
	}
	in, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(root, in); err != nil || !filepath.IsLocal(rel) {
		return failure.As(failure.ErrNoExternalAccess, fmt.Errorf("a link leads out of the bucket's folder"))
	}
	if st, err := os.Lstat(file); err == nil && !st.Mode().IsRegular() {
		return failure.As(failure.ErrNoExternalAccess, fmt.Errorf("there is something else than a file"))
	}
	return nil
}

// Import gives the files of a URI that LOAD DATA and CREATE EXTERNAL TABLE read. In the folder of a bucket a star stands for any text, as
// in BigQuery; elsewhere the names are patterns as shells have them.
func (pl *Planner) Import(uri string) ([]string, error) {
	rest, ok := strings.CutPrefix(uri, "gs://")
	bucket, object, _ := strings.Cut(rest, "/")
	folder, known := config.BucketDirs(pl.Config)[bucket]
	switch {
	case !ok && pl.Config.BigQuery.Confined:
		return nil, failure.As(failure.ErrNoExternalAccess, fmt.Errorf("files are read from gs:// alone here, and not from %q", uri))
	case !ok && strings.Contains(uri, "://"):
		return nil, fmt.Errorf("files are read from gs:// and this machine, and not from %q", uri)
	case !ok:
		files, err := filepath.Glob(uri)
		if err == nil && len(files) == 0 {
			err = fmt.Errorf("Not found: Files %s", uri)
		}
		return files, err
	case !known:
		return nil, fmt.Errorf("there is no bucket %q to load from; name a folder for it under [buckets] of the configuration", bucket)
	}
	files, err := objectsOf(folder, object)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("Not found: URI %s", uri)
	}
	return files, err
}

// objectsOf finds the files of a bucket's folder whose names match a pattern. No link leads out of the folder.
func objectsOf(folder, pattern string) (files []string, err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	matches := regexp.MustCompile("^(?s:" + strings.Join(parts, ".*") + ")$")
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !matches.MatchString(name) {
			return err
		}
		if st, err := root.Stat(name); err == nil && st.Mode().IsRegular() {
			files = append(files, filepath.Join(folder, filepath.FromSlash(name)))
		}
		return nil
	})
	return files, err
}
