package extension_test

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

// TestFullDiskChild runs in a mount namespace of its own, with a disk of one megabyte.
func TestFullDiskChild(t *testing.T) {
	dir := os.Getenv("MALLARD_TEST_DISK")
	if dir == "" {
		return // runs only as TestFullDisk's child
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		fmt.Println("no disk:", err)
		return
	}
	filler := filepath.Join(dir, "filler")
	fill := func() {
		t.Helper()
		f, err := os.Create(filler)
		if err != nil {
			t.Fatal(err)
		}
		for block := make([]byte, 4096); err == nil; {
			_, err = f.Write(block)
		}
		_ = f.Close() // the disk is full
	}
	cfg := config(t)
	cfg.Store.Path = filepath.Join(dir, "store")
	db := open(t, "", cfg)

	// No half model stays, and the error says what is wrong.
	fill()
	_, err := db.ExecContext(t.Context(), createModel("m", "text_classifier", t))
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("CREATE MODEL on a full disk: %v", err)
	}
	if n := one[int](t, db, "SELECT count(*) FROM ml_models()"); n != 0 {
		t.Errorf("%d models on a full disk", n)
	}
	if left, err := filepath.Glob(filepath.Join(cfg.Store.Path, "*")); err != nil || len(left) > 0 {
		t.Errorf("left in the store: %v, %v", left, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	exec(t, db, createModel("m", "text_classifier", t), "SELECT * FROM ML.PREDICT(MODEL m, (SELECT 'x' AS input))")

	// Answers that cannot be kept are given all the same, and asked again.
	s, remote := emulator(t, vertextest.Options{})
	remote.Store.Path = cfg.Store.Path
	file := open(t, filepath.Join(dir, "m.db"), remote)
	exec(t, file, createG)
	fill()
	const ask = "SELECT count(*) FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'q' || i || repeat('x', 2000) AS prompt FROM range(300) t(i)), STRUCT(TRUE AS flatten_json_output)) WHERE ml_generate_text_status = ''"
	if n := one[int](t, file, ask); n != 300 {
		t.Errorf("%d of 300 answers on a full disk", n)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, file, ask); n != 300 {
		t.Errorf("%d of 300 answers afterwards", n)
	}
	fmt.Println("full disk:", s.Count(), "requests")
}

// TestFullDisk: where the disk is full a statement fails or does without, and nothing half made stays.
func TestFullDisk(t *testing.T) {
	child := osexec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestFullDiskChild$")
	child.Env = append(os.Environ(), "MALLARD_TEST_DISK="+t.TempDir())
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := child.CombinedOutput()
	switch text := string(out); {
	case err != nil && len(out) == 0, strings.Contains(text, "no disk:"):
		t.Skipf("no disk can be made here: %v %s", err, text)
	case err != nil || !strings.Contains(text, "full disk:"):
		t.Errorf("%v\n%s", err, text)
	}
}
