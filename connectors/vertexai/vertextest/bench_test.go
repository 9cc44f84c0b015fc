package vertextest_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

// What client and fake cost on top of the latency: 1,280 calls of 50 ms, 64 at once, would take 1 s.
func BenchmarkCallsOf50ms(b *testing.B) {
	for _, tr := range transports {
		b.Run(tr, func(b *testing.B) {
			s := serve(b, vertextest.Options{LogSize: -1, Faults: []vertextest.Fault{{Kind: vertextest.Latency, Latency: 50 * time.Millisecond}}})
			c := dial(b, s, tr)
			b.ReportAllocs()
			for b.Loop() {
				var wg sync.WaitGroup
				start := time.Now()
				for range 64 {
					wg.Go(func() {
						for range 20 {
							if _, err := c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("Why?"), nil); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(time.Since(start).Seconds(), "over-ideal")
			}
		})
	}
}
