//go:build unix

package shell

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what the process has used of the processors.
func cpuTime() times {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return times{}
	}
	return times{known: true, user: time.Duration(u.Utime.Nano()), sys: time.Duration(u.Stime.Nano())}
}
