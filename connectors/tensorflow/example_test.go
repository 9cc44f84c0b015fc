package tensorflow_test

import (
	"fmt"
	"log"

	"github.com/mallardml/mallard/connectors/tensorflow"
)

func ExampleInspect() {
	model, err := tensorflow.Inspect("../../testdata/models/swivel_like") // reads the files: no TensorFlow is opened
	if err != nil {
		log.Fatal(err)
	}
	_, signature, err := model.Select(nil, "")
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range append(signature.Inputs, signature.Outputs...) {
		fmt.Println(p.Name, p.DType, p.Shape)
	}
	fmt.Println(signature.Unsafe, signature.Stateless)
	// Output:
	// content string [-1]
	// embedding float32 [-1 20]
	// [] true
}
