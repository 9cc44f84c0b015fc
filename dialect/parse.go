package dialect

// Parse reads one statement of src. Positions in the node are offsets in src. An error is an *[Error].
func Parse(src string, st Statement) (Node, error) { return nil, nil }
