package mallard_test

import (
	"context"
	"fmt"
	"os"

	"github.com/mallardml/mallard"
)

func ExampleInstall() {
	// mallard.Install(ctx, "googlesql", os.Stderr) fetches the analyzer of GoogleSQL, once. What there is to fetch:
	for _, name := range mallard.Installable() {
		fmt.Println(name)
	}
	fmt.Println(mallard.Install(context.Background(), "java", os.Stderr))
	// Output:
	// tensorflow
	// googlesql
	// fetch java: no such package; there are tensorflow, googlesql, guesslang, basic-pitch, minilm
}

func ExampleInstallable() {
	fmt.Println(mallard.Installable())
	// Output: [tensorflow googlesql]
}
