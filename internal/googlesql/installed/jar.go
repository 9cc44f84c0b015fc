package installed

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/mallardml/mallard/internal/private"
)

// The native library: of com.google.zetasql:zetasql-jni-channel-linux.
const (
	version     = "2025.12.1"
	artifact    = "zetasql-jni-channel-linux"
	jarHash     = "c64cf548fe66c497956b87c0870ce35274bbf218e852ea0df516c20860b49377"
	inJar       = "zetasql/local_service/liblocal_service_jni.so"
	libraryHash = "0034fc7afca487529980a9f39c0fdd4823c6a1fe734305d8eb01e8e7791e0c1e"
)

// mavenJar gives the jar in Maven's local repository, if it is there.
func mavenJar() string {
	home, err := os.UserHomeDir()
	if err != nil || runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		return ""
	}
	jar := filepath.Join(home, ".m2", "repository", "com", "google", "zetasql", artifact, version, artifact+"-"+version+".jar")
	if st, err := os.Stat(jar); err != nil || !st.Mode().IsRegular() {
		return ""
	}
	if dir, err := folder(); err != nil || once(dir, jar, jarHash) != nil {
		return ""
	}
	return jar
}

// folder is where the library of a jar is unpacked to, and what was checked is kept.
func folder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("GoogleSQL's library: there is no cache folder (%w)", err)
	}
	dir := filepath.Join(cache, "mallard", "googlesql", "native-"+version)
	return dir, private.Folder(dir)
}

// unpacked gives the library of a jar, which is unpacked once.
func unpacked(jar string) (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	library := filepath.Join(dir, filepath.Base(inJar))
	unlock, err := private.Lock(library + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := once(dir, jar, jarHash); err != nil {
		return "", err
	}
	if private.Once(dir, library, func() error { return private.Whole(library) }) == nil {
		return library, nil
	}
	z, err := zip.OpenReader(jar)
	if err != nil {
		return "", fmt.Errorf("%s: %w", jar, err)
	}
	defer z.Close()
	f, err := z.Open(inJar)
	if err != nil {
		return "", fmt.Errorf("%s: %w", jar, err)
	}
	defer f.Close()
	if err := private.Write(library, f); err != nil {
		return "", fmt.Errorf("unpack %s: %w", jar, err)
	}
	return library, nil
}

// checkLibrary tells the library from others.
func checkLibrary(library string) error {
	dir, err := folder()
	if err != nil {
		return check(library, libraryHash) // without a place to keep it, each time
	}
	return once(dir, library, libraryHash)
}

func once(dir, file, want string) error {
	return private.Once(dir, file, func() error { return check(file, want) })
}

func check(file, want string) error {
	sum, err := private.Hash(file)
	if err != nil {
		return err
	}
	if sum != want {
		return fmt.Errorf("%s is damaged or of another version than %s %s: its hash is %s, not %s", file, artifact, version, sum, want)
	}
	return nil
}
