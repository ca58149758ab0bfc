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
	temporal := start(b, task{Serve: "temporal"})
	product := start(b, task{Serve: "api", Temporal: temporal.Temporal, Database: filled(b, server, db, "checks", 45_000)})
	question := func(n int64) string {
		return fmt.Sprintf(`{"v":1,"license":"%s","product":"calendar-pro","version":"2.4.2","licensee":"","sites":["app.powerbi.com"],"user":"%08x","env":1}`,
			licenseOf(int(n)), n%16) // a licence always has the same user
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
			ours := asks("/v1/licenses/check", product)
			for asked := int64(0); asked < licences; asked = ours.asked { // what is asked for the first time is read
				ours.turn(b, 8, time.Second)
			}
			for end, counted := time.Now().Add(2*time.Minute), int64(0); counted < licences && time.Now().Before(end); time.Sleep(time.Second) {
				must(b, db.QueryRowContext(b.Context(), "SELECT COUNT(*) FROM license_usage").Scan(&counted)) // whoever asks for the first time is written down
			}
			ours = asks("/v1/licenses/check", product) // counted anew
			theirs := asks("/", bare)
			begun, before := time.Now(), s.status(b)
			for b.Loop() {
				compare(b, ours, theirs, 8, 10, 2*time.Second)
			}
			b.ReportMetric(float64(s.status(b)["Questions"]-before["Questions"])/time.Since(begun).Seconds(), "SQL/s")
		})
	}
}
