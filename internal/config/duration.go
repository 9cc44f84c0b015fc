package config

import (
	"fmt"
	"time"
)

// Duration is a time span that TOML spells as Go does: "30s", "5m", "720h". "" is 0, the default of its key.
type Duration time.Duration

// UnmarshalText reads what [time.ParseDuration] reads.
func (d *Duration) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no duration; write 30s, 5m or 720h", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) {
	if d == 0 {
		return nil, nil
	}
	return []byte(time.Duration(d).String()), nil
}

// bare reports a duration of a file that was written as a number without a unit: TOML's integers arrive as nanoseconds.
func (d Duration) bare() bool { return d > 0 && d < Duration(10*time.Microsecond) }
