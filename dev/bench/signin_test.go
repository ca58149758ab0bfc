package bench

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkSignIn compares asking for a link to sign in with limits and without, by eight
// clients of as many networks as there are links, each for an address of its own.
func BenchmarkSignIn(b *testing.B) {
	server, db := database(b)
	temporal := start(b, task{Serve: "temporal"})
	url := filled(b, server, db, "signin", 1000)
	asks := func(limits string) *side {
		p := start(b, task{Serve: "api", Temporal: temporal.Temporal, Database: url, RateLimits: limits})
		begun := time.Now().UnixNano() % 1_000_000
		return &side{http: p.HTTP, uses: []*process{p}, next: func(n int64) []byte {
			return request("POST", "/v1/login", fmt.Sprintf(`{"email":"ada%d.%d%s@company.example"}`, begun, n, limits), fmt.Sprintf("X-Forwarded-For: 10.%d.%d.1", n/250%250, n%250))
		}}
	}
	limited, unlimited := asks("on"), asks("")
	for b.Loop() {
		compare(b, limited, unlimited, 8, 6, time.Second)
	}
}
