package remote

import (
	"strings"
	"testing"
)

// TestSample: a request that is refused for all of its rows costs few more; a good row among bad ones is answered all the same.
func TestSample(t *testing.T) {
	tests := []struct {
		name              string
		good              map[int]bool // rows that are not refused
		least, most       int          // requests
		answered, unasked int          // rows
	}{
		{"no row is good", nil, 18, 18, 0, 184},
		{"one row of each sample is good", map[int]bool{50: true, 150: true}, 190, 450, 2, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows := prompts(200)
			good := map[string]bool{}
			for i := range tt.good {
				good[rows[i].(string)] = true
			}
			f := &fake{latency: mockLatency, fault: func(_ int, asked []string) error {
				for _, r := range asked {
					fine := false
					for g := range good {
						fine = fine || strings.Contains(r, `"`+g+`"`)
					}
					if !fine {
						return &httpError{400, "", 0, "unknown input `txt`"}
					}
				}
				return nil
			}}
			inTime(t, func() *Spec {
				s := specFor(t, "ML.GENERATE_EMBEDDING", embeddingURL, f)
				s.Limits.Rows = 100
				return s
			}, func(t *testing.T, st *Statement, s *Spec) {
				answered, unasked := 0, 0
				for i, v := range run(t, st, s, rows) {
					switch {
					case v.status == "":
						answered++
						if !tt.good[i] {
							t.Errorf("row %d is answered", i)
						}
					case !strings.Contains(v.status, "unknown input `txt`"):
						t.Errorf("row %d: status %q", i, v.status)
					case strings.Contains(v.status, "not sent alone: its request was refused, and 8 of its rows failed like this"):
						unasked++
					}
				}
				if answered != tt.answered || unasked > tt.unasked || tt.answered == 0 && unasked != tt.unasked {
					t.Errorf("%d rows are answered, want %d; %d were not asked, want %d", answered, tt.answered, unasked, tt.unasked)
				}
			})
			if f.n < tt.least || f.n > tt.most {
				t.Errorf("%d requests, want %d to %d", f.n, tt.least, tt.most)
			}
		})
	}
}
