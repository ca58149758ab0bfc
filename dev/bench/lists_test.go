package bench

import (
	"testing"
	"time"
)

// BenchmarkLists compares what is listed among 100,000 subscriptions with the same among
// 1,000.
func BenchmarkLists(b *testing.B) {
	server, db := database(b)
	temporal := start(b, task{Serve: "temporal"})
	large := start(b, task{Serve: "api", Temporal: temporal.Temporal, Database: filled(b, server, db, "large", 100_000)})
	small := start(b, task{Serve: "api", Temporal: temporal.Temporal, Database: filled(b, server, db, "small", 1000)})
	for name, path := range map[string]string{
		"licences":            "/v1/licenses",
		"subscriptions":       "/v1/operator/subscriptions",
		"subscriptions-email": "/v1/operator/subscriptions?email=" + emailOf(500), "subscriptions-domain": "/v1/operator/subscriptions?domain=company5.example",
		"invoices": "/v1/invoices",
	} {
		b.Run(name, func(b *testing.B) {
			asks := func(p *process) *side {
				return &side{http: p.HTTP, uses: []*process{p}, next: func(int64) []byte {
					return request("GET", path, "", "Authorization: Bearer "+operatorKey)
				}}
			}
			for b.Loop() {
				compare(b, asks(large), asks(small), 1, 4, 500*time.Millisecond)
			}
		})
	}
}
