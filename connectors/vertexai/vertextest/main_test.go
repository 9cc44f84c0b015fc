package vertextest_test

import (
	"testing"

	"github.com/mallardml/mallard/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
