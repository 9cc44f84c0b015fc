package tensorflow

import "testing"

// TestShorten takes apart messages as TensorFlow 2.21 writes them.
func TestShorten(t *testing.T) {
	tests := []struct{ name, give, msg, node string }{
		{"plain", "Could not find SavedModel .pb", "Could not find SavedModel .pb", ""},
		{"node", "StringToNumberOp could not correctly convert string: duck\n\t [[{{node parse_number}}]]", "StringToNumberOp could not correctly convert string: duck", "parse_number"},
		{"function", "assertion failed: [x] [-1]\n\t [[{{function_node __inference_serve_23}}{{node not_negative/Assert}}]]\n\t [[StatefulPartitionedCall/_4]]",
			"assertion failed: [x] [-1]", "not_negative/Assert"},
		{"two roots", "2 root error(s) found.\n  (0) INVALID_ARGUMENT: bad string\n\t [[{{node a}}]]\n  (1) INVALID_ARGUMENT: bad string\n\t [[{{node a}}]]\n\t [[b/_3]]\n0 successful operations.\n0 derived errors ignored.",
			"bad string", "a"},
		{"in front", "{{function_node __wrapped__Sqrt_device_}} {{node m/Sqrt}} bad value [Op:Sqrt] name: ", "bad value name:", "m/Sqrt"},
		{"brackets of the message", "Incompatible shapes: [2,3] vs. [4]\n\t [[{{node add}}]]", "Incompatible shapes: [2,3] vs. [4]", "add"},
		{"unknown op", "Op type not registered 'CaseFoldUTF8' in binary running on vm. Make sure the Op and Kernel are registered in the binary running in this process.",
			"Op type not registered 'CaseFoldUTF8' in binary running on vm.", ""},
		{"trace", "boom\n\t [[{{node n}}]]\n\nOriginal stack trace for 'n':\n  File \"x.py\", line 1", "boom", "n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if msg, node := shorten(tt.give); msg != tt.msg || node != tt.node {
				t.Errorf("%q, %q, want %q, %q", msg, node, tt.msg, tt.node)
			}
		})
	}
}
