package gateway

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Variable is a variable of the environment that leads a program to the server.
type Variable struct {
	Name, Value string
	// Reader is who reads it, for people.
	Reader string
	// Append says that what the variable holds already stays, behind a comma.
	Append bool
}

// The files of clients.
const (
	rootsFile       = "roots.pem"
	credentialsFile = "credentials.json"
	tokenFile       = "token"
	bqFile          = "bigqueryrc"
)

// Variables are what programs need. With them they find the server though they were written for Google.
func (g *Gateway) Variables() []Variable {
	at := "http://" + g.o.Address
	file := func(name string) string { return filepath.Join(g.folder, name) }
	proxy := at
	if g.o.Token != "" {
		proxy = "http://" + url.UserPassword("mallard", g.o.Token).String() + "@" + g.o.Address
	}
	all := []Variable{
		{Name: "BIGQUERY_EMULATOR_HOST", Value: at, Reader: "google-cloud-bigquery for Python, and what builds on it: where REST is"},
		{Name: "GOOGLE_APPLICATION_CREDENTIALS", Value: file(credentialsFile), Reader: "every client library of Google's: who asks"},
		{Name: "GOOGLE_CLOUD_PROJECT", Value: g.o.Project, Reader: "client libraries: the project"},
		{Name: "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", Value: file(rootsFile), Reader: "gRPC of Python, C++, Ruby, PHP and Node: whom TLS trusts"},
		{Name: "REQUESTS_CA_BUNDLE", Value: file(rootsFile), Reader: "requests for Python: whom TLS trusts"},
		{Name: "SSL_CERT_FILE", Value: file(rootsFile), Reader: "Go, OpenSSL, httpx: whom TLS trusts"},
		{Name: "CURL_CA_BUNDLE", Value: file(rootsFile), Reader: "curl: whom TLS trusts"},
		{Name: "HTTPLIB2_CA_CERTS", Value: file(rootsFile), Reader: "bq: whom TLS trusts"},
		{Name: "NODE_EXTRA_CA_CERTS", Value: file(rootsFile), Reader: "Node: whom TLS trusts"},
		{Name: "https_proxy", Value: proxy, Reader: "most programs: the way to googleapis.com, where " + strings.Join(short(g.o.Hosts), ", ") +
			" are served here"},
		{Name: "HTTPS_PROXY", Value: proxy, Reader: "those that read it in capitals"},
		{Name: "grpc_proxy", Value: proxy, Reader: "gRPC: the same"},
		{Name: "no_proxy", Value: "localhost,127.0.0.1,::1", Append: true, Reader: "most programs: what needs no proxy"},
		{Name: "BIGQUERYRC", Value: file(bqFile), Reader: "bq: where REST is, and the project"},
		{Name: "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", Value: file(tokenFile), Reader: "bq and gcloud: who asks"},
		{Name: "CLOUDSDK_CORE_PROJECT", Value: g.o.Project, Reader: "gcloud: the project"},
		{Name: "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", Value: file(rootsFile), Reader: "gcloud: whom TLS trusts"},
	}
	for _, h := range g.o.Hosts {
		if h == "storage.googleapis.com" {
			all = append(all, Variable{Name: "STORAGE_EMULATOR_HOST", Value: at, Reader: "google-cloud-storage: where buckets are"})
		}
	}
	return all
}

// short names hosts without what they have in common, regions of a service once.
func short(hosts []string) (all []string) {
	seen := map[string]bool{}
	for _, h := range hosts {
		h = strings.TrimSuffix(h, ".googleapis.com")
		if region := strings.TrimSuffix(h, "-aiplatform"); region != h {
			h = "aiplatform"
		}
		if !seen[h] {
			seen[h] = true
			all = append(all, h)
		}
	}
	return all
}

// Export writes variables as lines for a shell.
func Export(all []Variable) string {
	var b strings.Builder
	for _, v := range all {
		value := "'" + strings.ReplaceAll(v.Value, "'", `'\''`) + "'"
		if v.Append {
			value += fmt.Sprintf(`"${%s:+,$%s}"`, v.Name, v.Name)
		}
		fmt.Fprintf(&b, "# %s\nexport %s=%s\n", v.Reader, v.Name, value)
	}
	return b.String()
}

// Environ gives an environment with the variables in place of its own.
func Environ(environ []string, all []Variable) []string {
	set := map[string]string{}
	for _, v := range all {
		set[v.Name] = v.Value
	}
	var out []string
	for _, e := range environ {
		name, had, _ := strings.Cut(e, "=")
		for _, v := range all {
			if v.Append && v.Name == name && had != "" {
				set[name] += "," + had
			}
		}
		if _, ok := set[name]; !ok {
			out = append(out, e)
		}
	}
	for _, v := range all {
		out = append(out, v.Name+"="+set[v.Name])
	}
	return out
}

// write makes the files of clients, for this user alone.
func (g *Gateway) write() error {
	token := g.o.Token
	if token == "" {
		token = "local"
	}
	return errors.Join(
		g.writeFile(credentialsFile, g.account.file),
		g.writeFile(tokenFile, []byte(token)),
		g.writeFile(bqFile, fmt.Appendf(nil, "api = http://%s\nproject_id = %s\n", g.o.Address, g.o.Project)),
		g.writeRoots(),
	)
}

// writeRoots writes whom programs are to trust: whom the system does, and the authority.
func (g *Gateway) writeRoots() error {
	return g.writeFile(rootsFile, append(systemRoots(), g.authority.pem()...))
}

// writeFile replaces a file in one step: a program may read it at any time.
func (g *Gateway) writeFile(name string, text []byte) error {
	f, err := os.CreateTemp(g.folder, name+".*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(g.folder, name))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// remove takes the files away.
func (g *Gateway) remove() (err error) {
	for _, name := range []string{rootsFile, credentialsFile, tokenFile, bqFile} {
		if e := os.Remove(filepath.Join(g.folder, name)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	_ = os.Remove(g.folder) // unless there is something else in it
	return err
}

// rootFiles are where systems keep the certificates that they trust, in one file.
var rootFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// systemRoots gives the certificates that the system trusts, or those of the file that the environment names in their stead.
func systemRoots() []byte {
	files := rootFiles
	if own := os.Getenv("SSL_CERT_FILE"); own != "" {
		files = append([]string{own}, files...)
	}
	for _, name := range files {
		if filepath.Base(name) == rootsFile {
			continue // that of a server like this one: its authority is not the system's
		}
		text, err := os.ReadFile(name)
		if err == nil && x509.NewCertPool().AppendCertsFromPEM(text) {
			if text[len(text)-1] != '\n' {
				text = append(text, '\n')
			}
			return text
		}
	}
	return nil
}
