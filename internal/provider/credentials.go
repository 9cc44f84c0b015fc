package provider

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// host shows a base URL without what may be secret in it.
func host(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return "no base_url"
	}
	return u.Scheme + "://" + u.Host
}

// wellKnown is where gcloud leaves the application default credentials.
func wellKnown() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("APPDATA"), "gcloud", "application_default_credentials.json")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".config", "gcloud", "application_default_credentials.json")
}

// unreadable says what is wrong with a file of credentials. What it holds goes nowhere.
func unreadable(key, file string, isJSON bool) string {
	b, err := os.ReadFile(file)
	switch {
	case file == "":
		return "set " + key
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %v", key, err)
	case len(strings.TrimSpace(string(b))) == 0:
		return fmt.Sprintf("%s is empty: %s", key, file)
	case isJSON && !json.Valid(b):
		return fmt.Sprintf("%s is no JSON: %s; download the key again", key, file)
	}
	return ""
}
