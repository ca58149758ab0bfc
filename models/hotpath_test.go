package models

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/checks"
)

// counted counts the statements that a store sends from now on.
func counted(t testing.TB, s *Store) *atomic.Int64 {
	n := &atomic.Int64{}
	count := func(*gorm.DB) { n.Add(1) }
	for _, err := range []error{
		s.db.Callback().Query().Before("gorm:query").Register("count", count),
		s.db.Callback().Row().Before("gorm:row").Register("count", count),
		s.db.Callback().Raw().Before("gorm:raw").Register("count", count),
		s.db.Callback().Create().Before("gorm:create").Register("count", count),
		s.db.Callback().Update().Before("gorm:update").Register("count", count),
		s.db.Callback().Delete().Before("gorm:delete").Register("count", count),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// sold puts a licence for up to 20 users there, as Post would.
func sold(t testing.TB, s *Store) (license licensing.LicenseID) {
	c, err := billing.ParseCatalogue([]byte(catalogue))
	must(t, err)
	_, err = s.ApplyCatalogue(t.Context(), c, false)
	must(t, err)
	sub := subscriptionRow{ID: billing.SubscriptionID(NewID("sub")), Number: 1, Status: billing.Active, Product: "calendar-pro"}
	must(t, s.db.Create(&sub).Error)
	row := licenseRow{
		ID: licensing.LicenseID(NewID("lic")), Subscription: sub.ID, Product: "calendar-pro", Sites: []string{}, Status: billing.Active, ActivationKey: NewID("key"),
		ValidUntil: opening.AddDate(0, 1, 0), PeriodEnd: opening.AddDate(0, 1, 0), Covers: 20, Quantity: 1,
		Plan: billing.PlanRef{ID: upTo20, Type: licensing.Users, Tier: "1-20", Cycle: billing.Monthly},
	}
	must(t, s.db.Create(&row).Error)
	return row.ID
}

// checking asks the API over a store about licences, at one instant.
func checking(t testing.TB, s *Store) (ask func(license licensing.LicenseID, more ...string) (status int, body string)) {
	key, err := licensing.GenerateKey(strings.NewReader(strings.Repeat("k", 32)))
	must(t, err)
	now, log := func() time.Time { return opening }, slog.New(slog.DiscardHandler)
	h, err := api.New(api.Config{
		Checks:     checks.New(s, licensing.KeyRing{Current: key}, func(context.Context, billing.SubscriptionID) {}, log, now),
		RateLimits: true, Metrics: uncounted{}, Log: log, Now: now,
	})
	must(t, err)
	return func(license licensing.LicenseID, more ...string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/v1/licenses/check", strings.NewReader(`{"v":1,"license":"`+string(license)+`","product":"calendar-pro","user":"u1"`+strings.Join(more, "")+`}`))
		r.Header.Set("Content-Type", "text/plain")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
}

func TestACheckOfWhatIsKeptSendsNoStatement(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		license, none := sold(t, s), NewID("lic")
		ask := checking(t, s)
		check := func(id licensing.LicenseID, code string) {
			t.Helper()
			if status, body := ask(id); status != http.StatusOK || !strings.Contains(body, `"code":"`+code+`"`) {
				t.Fatalf("%d %s, want %s", status, body, code)
			}
		}
		statements := counted(t, s)
		check(license, "ACTIVE")
		check(licensing.LicenseID(none), "UNKNOWN_LICENSE")
		if statements.Load() == 0 {
			t.Fatal("nothing is counted")
		}
		statements.Store(0)
		for range 200 {
			check(license, "ACTIVE")
			check(licensing.LicenseID(none), "UNKNOWN_LICENSE")
			check("no licence's id", "UNKNOWN_LICENSE")
		}
		if n := statements.Load(); n != 0 {
			t.Errorf("600 checks sent %d statements", n)
		}
	})
}

// Another process suspends a licence in a transaction that ends only after the database was
// asked for changes.
func TestAChangeIsSeenThoughItsTransactionEndsLate(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		license := sold(t, s)
		c := checks.New(s, licensing.KeyRing{}, nil, slog.New(slog.DiscardHandler), time.Now)
		status := func() (licensing.Code, bool) {
			t.Helper()
			l, known := c.Cached(license)
			if !known {
				var err error
				l, err = c.Read(t.Context(), license)
				must(t, err)
			}
			return l.Status(opening), known
		}
		status()
		must(t, c.Follow(t.Context()))
		status()
		must(t, s.tx(t.Context(), func(tx *gorm.DB) error {
			if err := tx.Model(&licenseRow{}).Where("id = ?", license).Update("suspended", true).Error; err != nil {
				return err
			}
			return c.Follow(t.Context())
		}))
		if code, known := status(); code != licensing.Active || !known {
			t.Errorf("before it was told of, it is %s, kept: %v", code, known)
		}
		must(t, c.Follow(t.Context()))
		if code, _ := status(); code != licensing.Suspended {
			t.Errorf("afterwards it is %s", code)
		}
		must(t, c.Follow(t.Context()))
		if _, known := status(); !known {
			t.Error("it is read again though nothing has changed since")
		}
	})
}

func TestALicenceIsReadInOneStatement(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		license := sold(t, s)
		statements := counted(t, s)
		must(t, s.db.Model(&licenseRow{}).Where("id = ?", license).Select("Tally").Updates(&licenseRow{Tally: licensing.Tally{Week: licensing.WeekOf(s.db.NowFunc())}}).Error)
		statements.Store(0)
		l, err := s.License(t.Context(), license)
		must(t, err)
		if n := statements.Load(); n != 1 || l.Number != 1 || l.Activation != licensing.ActivationNone || l.ChangedAt.IsZero() {
			t.Errorf("%d statements read number %d, activation %q, changed %v", n, l.Number, l.Activation, l.ChangedAt)
		}
	})
}

func BenchmarkACheckOfWhatIsKept(b *testing.B) {
	s := open(b, databases[0].url(b))
	must(b, s.Migrate(b.Context()))
	license := sold(b, s)
	ask := checking(b, s)
	ask(license)
	statements := counted(b, s)
	b.ReportAllocs()
	for b.Loop() {
		ask(license)
	}
	b.ReportMetric(float64(statements.Load())/float64(b.N), "statements/op")
}

// Each one is signed, where those without a nonce share a lease.
func BenchmarkACheckWithANonce(b *testing.B) {
	s := open(b, databases[0].url(b))
	must(b, s.Migrate(b.Context()))
	license := sold(b, s)
	ask := checking(b, s)
	for b.Loop() {
		ask(license, `,"nonce":"0123456789abcdef"`)
	}
}

// uncounted are metrics that nobody reads.
type uncounted struct{}

func (uncounted) Request(string, string, int, time.Duration) {}

func (uncounted) Check(string) {}
