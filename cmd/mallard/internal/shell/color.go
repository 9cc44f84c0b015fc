package shell

// style says how what is drawn for a person looks. The zero value is plain.
type style struct{ on bool }

// Escape sequences of the looks, for dark and for light backgrounds alike.
const (
	bold  = "\x1b[1m"
	gray  = "\x1b[90m"
	red   = "\x1b[31m"
	reset = "\x1b[0m"
)

// in gives a text in a look.
func (s style) in(look, text string) string {
	if !s.on || text == "" || look == "" {
		return text
	}
	return look + text + reset
}

// style is how results look where they go.
func (s *Shell) style() style { return style{s.resultColors && s.toTerminal()} }

// Colored tells whether the environment lets a terminal have colours: NO_COLOR is not set, and the terminal is not a dumb one.
func Colored(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}
