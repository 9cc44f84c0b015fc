//go:build !unix

package editor

import "io"

// canSuspend tells whether the terminal can be given away.
const canSuspend = false

// attention waits for the terminal. It cannot be called away here.
type attention struct{}

func newAttention(io.Reader) (*attention, error) { return &attention{}, nil }

func (*attention) call()       {}
func (*attention) close()      {}
func (*attention) await() bool { return true }
