package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// wheelPython is the Python whose wheels we ask for; the libraries inside are the same in all.
const wheelPython = "3.11"

// requirement pins version and hashes in the form of a requirements file.
func (p Package) requirement() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s==%s", p.project, p.version)
	for _, h := range p.hashes {
		fmt.Fprintf(&b, " \\\n    --hash=sha256:%s", h)
	}
	b.WriteByte('\n')
	return b.String()
}

// arguments are those of pip download.
func (p Package) arguments(requirements, dest string) []string {
	args := []string{"-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
		"--require-hashes",
		"--python-version", wheelPython, "--implementation", "cp"}
	for _, t := range p.tags {
		args = append(args, "--platform", t)
	}
	return append(args, "--dest", dest, "--requirement", requirements)
}

// download has pip fetch the wheel into tmp.
func (p Package) download(ctx context.Context, tmp string, o Options) (string, error) {
	python, err := findPython(o.Python)
	if err != nil {
		return "", err
	}
	requirements, dest, work := filepath.Join(tmp, "requirements.txt"), filepath.Join(tmp, "wheel"), filepath.Join(tmp, "work")
	if err := os.WriteFile(requirements, []byte(p.requirement()), 0o644); err != nil {
		return "", err
	}
	for _, d := range []string{dest, work} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return "", err
		}
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, python, p.arguments(requirements, dest)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), "TMPDIR="+work) // /tmp may be small, and here we see the download grow
	cmd.WaitDelay = 5 * time.Second
	stop := p.watch(tmp, o)
	err = cmd.Run()
	stop()
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", pipError(python, out.String(), err)
	}
	wheels, err := filepath.Glob(filepath.Join(dest, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip left %d wheels, not one: %s", len(wheels), lastLines(out.String(), 3))
	}
	return wheels[0], nil
}

func findPython(named string) (string, error) {
	if named != "" {
		exe, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("no Python at %s: %w", named, err)
		}
		return exe, nil
	}
	for _, name := range []string{"python3", "python"} {
		if exe, err := exec.LookPath(name); err == nil {
			return exe, nil
		}
	}
	return "", errors.New("python3 is not installed; it is only needed to run pip. Install python3 and python3-pip")
}

// pipError says what to do about the failures that users meet.
func pipError(python, out string, err error) error {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(out, w) {
				return true
			}
		}
		return false
	}
	advice := "Run it again, or see pip's own settings (pip config list)"
	switch {
	case has("No module named pip"):
		return fmt.Errorf("%s has no pip. Install it (Debian: apt install python3-pip; others: %s -m ensurepip)", python, python)
	case has("No space left on device"):
		advice = "Free some room on the disk"
	case has("DO NOT MATCH THE HASHES"):
		advice = "What the package index or mirror sent is not the pinned file; it was not used"
	case has("NewConnectionError", "name resolution", "ProxyError", "ConnectTimeout", "ReadTimeout", "Network is unreachable", "SSLError"):
		advice = "The package index could not be reached: check the network, or pip's proxy and index settings (pip config list)"
	case has("No matching distribution", "Could not find a version"):
		advice = "The package index has no such file: check the network, or pip's index settings (pip config list); a very old pip does not " +
			"know the file's platform (pip install --upgrade pip)"
	}
	return fmt.Errorf("pip failed (%w): %s. %s", err, lastLines(out, 3), advice)
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, " / ")
}

// watch shows on a terminal how much has come.
func (p Package) watch(tmp string, o Options) (stop func()) {
	if o.Progress == nil || !o.Terminal {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(o.Progress, "\r\x1b[K")
				return
			case <-tick.C:
				fmt.Fprintf(o.Progress, "\r%d of about %d MB\x1b[K", folderSize(tmp)/1e6, p.megabytes)
			}
		}
	}()
	return func() { close(done); <-gone }
}

func folderSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil // files come and go meanwhile
	})
	return n
}
