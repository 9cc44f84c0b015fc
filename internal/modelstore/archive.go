package modelstore

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/modelspec"
)

// An archive is a frozen model as one file: a tar that is not compressed, so that it holds no more than its own size. Its first entry says
// what the model is and lists the files, which follow in that order below files/. What it says of the model are options for reading
// the files, as CREATE MODEL has them; the files themselves are inspected as those of a stranger.

// ArchiveSuffix ends the name of an archive.
const ArchiveSuffix = ".mallard"

const (
	archiveFormat = "mallard-model/1"
	archiveHead   = "model.json"
	archiveFiles  = "files/"
	maxHead       = 16 << 20 // bytes of the first entry
)

// Archived is what an archive says of its model.
type Archived struct {
	Format      string            `json:"format"`
	Type        string            `json:"type"`   // the MODEL_TYPE
	Digest      string            `json:"digest"` // of the files
	Signature   string            `json:"signature,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Outputs     []string          `json:"outputs,omitempty"`
	BatchSize   int               `json:"batch_size,omitempty"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Files       []ArchivedFile    `json:"files"`
}

// ArchivedFile is one of its files.
type ArchivedFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Archive writes the model of a spec, whose files are in the store, into a file; it appears whole, or not at all.
func (s Store) Archive(ctx context.Context, spec *modelspec.Spec, to string) (err error) {
	if spec.Remote() {
		return errors.New("a remote model has no files; run its CREATE MODEL where it is wanted")
	}
	if len(spec.CustomOps) > 0 {
		return errors.New("it needs libraries of custom_ops, which are programs and go into no archive; install them where the model is " +
			"wanted, and run its CREATE MODEL there")
	}
	dir, err := s.Open(ctx, spec.Digest)
	if err != nil {
		return err
	}
	files, err := listModel(dir)
	if err != nil {
		return err
	}
	head := Archived{Format: archiveFormat, Type: spec.Type, Digest: spec.Digest, Signature: spec.Signature, Tags: spec.Tags,
		BatchSize: spec.BatchSize, Description: spec.Description, Labels: spec.Labels}
	for _, p := range spec.Outputs {
		name := p.Name
		if p.Binary {
			name += " BYTES"
		}
		head.Outputs = append(head.Outputs, name)
	}
	for _, f := range files {
		head.Files = append(head.Files, ArchivedFile{f.name, f.size})
	}
	f, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(writeArchive(ctx, f, dir, head), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), to)
}

func writeArchive(ctx context.Context, out io.Writer, dir string, head Archived) error {
	w := tar.NewWriter(out)
	b, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: archiveHead, Size: int64(len(b)), Mode: 0o644}); err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	for _, file := range head.Files {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: archiveFiles + file.Name, Size: file.Size, Mode: 0o644}); err != nil {
			return err
		}
		if err := copyInto(ctx, w, filepath.Join(dir, filepath.FromSlash(file.Name))); err != nil {
			return err
		}
	}
	return w.Close()
}

func copyInto(ctx context.Context, w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, &ctxReader{ctx, f})
	return err
}

// ReadHead gives what an archive says of its model, without its files.
func ReadHead(file string) (*Archived, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readHead(tar.NewReader(f))
}

func readHead(r *tar.Reader) (*Archived, error) {
	h, err := r.Next()
	if err != nil || h.Name != archiveHead || h.Typeflag != tar.TypeReg || h.Size > maxHead {
		return nil, errors.New("it is no archive of a model; EXPORT MODEL writes one")
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("it is cut short: %w", err)
	}
	var head Archived
	switch err := json.Unmarshal(b, &head); {
	case err != nil:
		return nil, fmt.Errorf("its record cannot be read: %w", err)
	case head.Format != archiveFormat:
		return nil, fmt.Errorf("its record has the format %q, and %q is read; export the model again", head.Format, archiveFormat)
	case !digestForm.MatchString(head.Digest):
		return nil, errors.New("its record has no digest of its files")
	case len(head.Files) > maxModelFiles:
		return nil, fmt.Errorf("it lists %s; at most %d are read", amount.Of(len(head.Files), "file"), maxModelFiles)
	case head.BatchSize < 0 || head.BatchSize > modelspec.MaxBatch:
		return nil, fmt.Errorf("its record gives a run %s", amount.Of(head.BatchSize, "row"))
	}
	for _, f := range head.Files {
		// What follows a colon names a stream of a file on Windows, and a backslash parts names there.
		if !fs.ValidPath(f.Name) || f.Name == "." || strings.ContainsAny(f.Name, ":\\\x00") || f.Size < 0 {
			return nil, fmt.Errorf("it lists a file %q of %d bytes, which belongs into no model's folder", f.Name, f.Size)
		}
	}
	return &head, nil
}

// Unpack reads an archive into a folder of the store and checks its files against their digest. done removes the folder.
func (s Store) Unpack(ctx context.Context, file string) (dir string, head *Archived, done func(), err error) {
	done = func() {}
	f, err := os.Open(file)
	if err != nil {
		return "", nil, done, err
	}
	defer f.Close()
	r := tar.NewReader(f)
	if head, err = readHead(r); err != nil {
		return "", nil, done, err
	}
	if dir, err = s.begin(); err != nil {
		return "", nil, done, err
	}
	done = func() { _ = os.RemoveAll(dir) }
	if err = unpackFiles(ctx, r, dir, head); err == nil {
		var got string
		if got, err = Digest(ctx, dir); err == nil && got != head.Digest {
			err = fmt.Errorf("its files are not those of its record: their digest is %s, and not %s", got, head.Digest)
		}
	}
	if err != nil {
		done()
		return "", nil, func() {}, err
	}
	return dir, head, done, nil
}

// unpackFiles writes the files that the record lists, and refuses an archive with anything else: links, folders, other names, other sizes.
func unpackFiles(ctx context.Context, r *tar.Reader, dir string, head *Archived) error {
	for _, f := range head.Files {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("the file %q of its record is missing", f.Name)
		case err != nil:
			return fmt.Errorf("it is damaged: %w", err)
		case h.Typeflag != tar.TypeReg || h.Name != archiveFiles+f.Name || h.Size != f.Size:
			return fmt.Errorf("its entry %q of type %q and %s is not the file %q of %s of its record",
				h.Name, h.Typeflag, amount.Of(h.Size, "byte"), f.Name, amount.Of(f.Size, "byte"))
		}
		to := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return fmt.Errorf("the file %q: %w", f.Name, err)
		}
		if _, err = io.Copy(out, &ctxReader{ctx, r}); err != nil {
			err = fmt.Errorf("it is cut short: %w", err)
		}
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
	if h, err := r.Next(); !errors.Is(err, io.EOF) {
		if err != nil {
			return fmt.Errorf("it is damaged: %w", err)
		}
		return fmt.Errorf("its entry %q is not in its record", h.Name)
	}
	return nil
}
