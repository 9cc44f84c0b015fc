package dialect

// dataRefs finds the references to the pseudo-column data; bare asks for those without a qualifier in expressions too.
func (p *parser) dataRefs(bare bool) []*DataRef { return nil }
