package shell

// CommandNames lists the shell's own dot-commands.
func CommandNames() (names []string) {
	for _, c := range dotCommands() {
		names = append(names, c.name)
	}
	return names
}
