package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// BenchmarkChecks compares licence checks with a bare server that answers the same bytes
// to the same questions. SQL is what the database was asked meanwhile, for both turns.
func BenchmarkChecks(b *testing.B) {
	server, db := database(b)
	s := &shop{db: db}
	product := start(b, task{Serve: "api", Database: filled(b, server, db, "checks", 45_000)})
	question := func(n int64) string {
		return fmt.Sprintf(`{"v":1,"license":"%s","product":"calendar-pro","version":"2.4.2","licensee":"","sites":["app.powerbi.com"],"user":"%08x","env":1}`,
			licenseOf(int(n)), n%16)
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://"+product.HTTP+"/v1/licenses/check", bytes.NewReader([]byte(question(0))))
	must(b, err)
	bare := start(b, task{Serve: "bare", Answer: string(get(b, r))})
	pin(b, product, bare)
	for _, licences := range []int64{1, 1000, 45_000} {
		b.Run(fmt.Sprint(licences, "-licences"), func(b *testing.B) {
			asks := func(path string, p *process) *side {
				return &side{http: p.HTTP, uses: []*process{p}, next: func(n int64) []byte {
					return request("POST", path, question(n%licences))
				}}
			}
			ours, theirs := asks("/v1/licenses/check", product), asks("/", bare)
			for asked := int64(0); asked < licences; asked = ours.asked { // what is asked for the first time is read
				ours.turn(b, 8, time.Second)
			}
			ours, theirs = asks("/v1/licenses/check", product), asks("/", bare)
			begun, before := time.Now(), s.status(b)
			for b.Loop() {
				compare(b, ours, theirs, 8, 10, 2*time.Second)
			}
			b.ReportMetric(float64(s.status(b)["Questions"]-before["Questions"])/time.Since(begun).Seconds(), "SQL/s")
		})
	}
}
