// Package editor reads what a person types or pastes at a terminal, one statement of one or several lines at a time.
//
// It exists because of one promise that the line editors we looked at do not give: nothing that is typed or pasted is lost,
// joined or put in another order, whatever its size and speed, and whether it comes before, during or after a statement. So
//   - the terminal stays in its raw mode from [New] to Close. Between the modes the kernel drops or alters what waits, and in
//     its line mode it holds 4096 bytes at most.
//   - a goroutine reads all the time, also while a statement runs; what it reads waits in memory.
//   - bytes become text in whole graphemes: a letter and its combining accents, or joined emoji, are one thing to the cursor,
//     and stay the bytes that they were.
//   - the screen is drawn when nothing more waits, not once per key.
//
// A newline that is pasted is Enter, as in DuckDB's shell: each complete statement of a paste runs. Ctrl-C drops what was typed
// ahead, as the kernel would.
package editor
