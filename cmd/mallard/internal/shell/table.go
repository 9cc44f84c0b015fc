package shell

import (
	"context"
	"strings"
)

// dotCommands are the shell's own, DuckDB's first of all.
func dotCommands() []dotCommand {
	return append(formCommands(), []dotCommand{
		{".bail", "on|off", "Stop a script at the first error", 1, 1, (*Shell).setBail},
		{".cd", "FOLDER", "Make FOLDER the working directory", 1, 1, (*Shell).cd},
		{".changes", "on|off", "Print how many rows a statement changed",
			1, 1, toggle(".changes", func(s *Shell) *bool { return &s.changes })},
		{".echo", "on|off", "Print what runs", 1, 1, toggle(".echo", func(s *Shell) *bool { return &s.echo })},
		{".edit", "[FILE]", "Write a statement in $EDITOR, beginning with the last one, or edit FILE and run it", 0, 1, (*Shell).edit},
		{".excel", "", "Open the next result in the system's spreadsheet", 0, 0, (*Shell).excel},
		{".exit", "[CODE]", "Leave the shell with CODE, by default 0, in a script 1 if something failed", 0, 1, (*Shell).exit},
		{".help", "[COMMAND]", "Show this list", 0, 2, (*Shell).help},
		{".log", "FILE|off", "Add each statement and its error to FILE, or to stderr or stdout", 1, 1, (*Shell).logTo},
		{".multiline", "", "Show a statement over several lines, as it always is",
			0, 0, (*Shell).multiline},
		{".once", "[FILE]", "As .output, for the next statement", 0, 1 << 20, (*Shell).onceTo},
		{".open", "[--new] [--readonly] [FILE]", "Open another database, without FILE one in memory", 0, 3, (*Shell).open},
		{".output", "[FILE]", "Write results to FILE or to |PROGRAM, to $EDITOR with -e, to a spreadsheet with -x, without FILE to the screen",
			0, 1 << 20,
			(*Shell).output},
		{".pager", "on|off|auto|PROGRAM", "Show what does not fit with a program, $PAGER or less", 0, 1 << 20, (*Shell).setPager},
		{".print", "[TEXT...]", "Print TEXT", 0, 1 << 20, (*Shell).printText},
		{".progress_bar", "on|off", "Show how far a statement is on a terminal",
			1, 1, toggle(".progress_bar", func(s *Shell) *bool { return &s.progress })},
		{".prompt", "[MAIN [MORE]]", "Show MAIN before a statement and MORE before its further lines; {database} stands for the open one",
			0, 2, (*Shell).prompts},
		{".quit", "[CODE]", "Leave the shell, as .exit", 0, 1, (*Shell).exit},
		{".read", "FILE", "Run the statements of FILE", 1, 1, (*Shell).read},
		{".safe_mode", "", "Keep statements and commands from files and programs, for good", 0, 0, (*Shell).safeMode},
		{".shell", "COMMAND", "Run COMMAND in the system's shell, as .system", 1, 1, (*Shell).system},
		{".show", "", "Show what is set", 0, 0, (*Shell).showSettings},
		{".timer", "on|off", "Print how long a statement took", 1, 1, toggle(".timer", func(s *Shell) *bool { return &s.timer })},
		{".version", "", "Show the versions", 0, 0, (*Shell).version},
	}...)
}

// formCommands are those that change how results look.
func formCommands() []dotCommand {
	return []dotCommand{
		{".columns", "", "Make rows of a duckbox's columns",
			0, 0, func(s *Shell, _ context.Context, _ []string) error { s.format.Upright = true; return nil }},
		{".decimal_sep", "[SEP]", "Part a duckbox's fractions with SEP, or none",
			0, 1, separatorOf(".decimal_sep", func(f *Format) *byte { return &f.Decimal })},
		{".headers", "on|off", "Print the names of the columns or not", 1, 1, (*Shell).headers},
		{".highlight", "on|off", "Colour what is typed", 1, 1, toggle(".highlight", func(s *Shell) *bool { return &s.highlight })},
		{".highlight_errors", "on|off", "Colour errors",
			1, 1, toggle(".highlight_errors", func(s *Shell) *bool { return &s.errorColors })},
		{".highlight_results", "on|off", "Colour results",
			1, 1, toggle(".highlight_results", func(s *Shell) *bool { return &s.resultColors })},
		{".large_number_rendering", "all|footer|off", "Where a duckbox has large numbers in words", 1, 1, (*Shell).largeNumbers},
		{".last", "", "Show the last result again, and all of it", 0, 0, (*Shell).showLast},
		{".maxrows", "[N]", "Rows that a duckbox shows, 0 for all (default 40)", 0, 1, (*Shell).maxRows},
		{".maxwidth", "[N]", "Columns of the screen that a duckbox takes, 0 for all of them", 0, 1, (*Shell).maxWidth},
		{".mode", "[MODE [TABLE]]", "Form of output: " + strings.Join(modeNames(), ", ") + "; insert makes statements for TABLE",
			0, 2, (*Shell).mode},
		{".nullvalue", "TEXT", "Print TEXT for NULL", 1, 1, (*Shell).nullValue},
		{".rows", "", "Leave a duckbox's rows as they are",
			0, 0, func(s *Shell, _ context.Context, _ []string) error { s.format.Upright = false; return nil }},
		{".separator", "TEXT [END]", "Part the columns of csv, list and the like with TEXT, and end their rows with END",
			1, 2, (*Shell).separator},
		{".thousand_sep", "[SEP]", "Part a duckbox's thousands with SEP, or none",
			0, 1, separatorOf(".thousand_sep", func(f *Format) *byte { return &f.Thousands })},
		{".width", "[N...]", "Least widths of the columns of a table, negative ones to the right", 0, 1 << 20, (*Shell).width},
	}
}

// missing are commands of DuckDB's shell that are not here, with the reason.
var missing = map[string]string{
	".binary":            "output is bytes on every system",
	".display_colors":    "the colours are the terminal's own eight; NO_COLOR takes them away",
	".highlight_colors":  "the colours are the terminal's own eight, which its settings change",
	".highlight_mode":    "the colours are those that can be read on dark and on light backgrounds",
	".read_line_version": "there is one editor",
	".render_completion": "what may follow is shown when Tab is pressed, not before",
	".render_errors":     "errors always have the picture of their place",
	".singleline":        "a statement is always shown over its lines",
	".startup_text":      "the first lines are left out by a script and -batch",
	".ui_command":        "there is no web interface",
}

func modeNames() []string {
	names := make([]string, len(Modes))
	for i, m := range Modes {
		names[i] = string(m)
	}
	return names
}

// multiline is what the editor always does.
func (s *Shell) multiline(context.Context, []string) error { return nil }
