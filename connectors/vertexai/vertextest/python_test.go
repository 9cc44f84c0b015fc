package vertextest_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

// Google's own Python client is the judge of the fake: it is written by those who run the service.
func TestPythonClient(t *testing.T) {
	python := os.Getenv("MALLARD_TEST_PYTHON")
	if python == "" {
		t.Skip("MALLARD_TEST_PYTHON names no Python with google-cloud-aiplatform")
	}
	s := serve(t, vertextest.Options{Endpoints: map[string]vertextest.Predictor{"7": double}})
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/client_test.py", s.URL())
	// The client asks for a project and a credentials file otherwise, and must not find the developer's.
	cmd.Env = append(os.Environ(), "GOOGLE_CLOUD_PROJECT=test", "GOOGLE_APPLICATION_CREDENTIALS=", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
