package bench

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/engine"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/visual"
)

// filled is the URL of a database of that name with so many paid subscriptions and their
// licences, and what is sold; each hundred subscriptions have one domain.
func filled(b *testing.B, server string, db *sql.DB, name string, subscriptions int) (databaseURL string) {
	b.Helper()
	exec := func(sql string, args ...any) {
		b.Helper()
		_, err := db.ExecContext(b.Context(), sql, args...)
		must(b, err)
	}
	exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4; USE " + name)
	u, err := url.Parse(server)
	must(b, err)
	u.Path = "/" + name
	c := task{Database: u.String()}.config()
	must(b, engine.Migrate(b.Context(), c))
	store, err := engine.OpenStore(c)
	must(b, err)
	defer store.Close()
	catalogue, err := billing.ParseCatalogue(billing.DefaultCatalogue())
	must(b, err)
	_, err = store.ApplyCatalogue(b.Context(), catalogue, false)
	must(b, err)
	product, err := store.Product(b.Context(), "calendar-pro")
	must(b, err)
	for _, p := range visual.Packages() {
		build, err := engine.InspectPackage(c, p.Data)
		must(b, err)
		must(b, store.PutVersion(b.Context(), p.Product, billing.Version{Version: p.Version, Changelog: p.Changelog, Build: build}, p.Data))
	}

	plan, now := product.Plans[0], billing.Instant(time.Now())
	end := now.AddDate(0, 1, 0)
	planJSON, err := json.Marshal(plan.Ref())
	must(b, err)
	const at = "2006-01-02 15:04:05"
	for first := 0; first < subscriptions; first += 1000 {
		var accounts, subs, licenses []string
		for n := first; n < min(first+1000, subscriptions); n++ {
			sub, license, account := subscriptionOf(n), licenseOf(n), fmt.Sprintf("acc_%026d", n)
			state, err := json.Marshal(billing.Subscription{
				ID: sub, Number: int64(n + 1), Revision: 1, Status: billing.Active, Product: product.ID, Plan: plan.Ref(), Quantity: 1, Price: plan.Prices[0],
				License: license, Collection: billing.ByCard, CreatedAt: now, Period: billing.Period{Start: now, End: end},
			})
			must(b, err)
			accounts = append(accounts, fmt.Sprintf("('%s','%s','%s')", account, emailOf(n), now.Format(at)))
			subs = append(subs, fmt.Sprintf("('%s',%d,1,'active','%s','%s','%s','','%s','','%s','%s','%s')",
				sub, n+1, product.ID, account, account, end.Format(at), state, now.Format(at), now.Format(at)))
			licenses = append(licenses, fmt.Sprintf("('%s','%s',1,'%s','BI team','[]','','%s',0,0,'active',0,0,'%s','%s','%s',%d,1,'',0,0,'{}')",
				license, sub, product.ID, license, end.Format(at), end.Format(at), planJSON, plan.Covers))
		}
		exec("INSERT INTO accounts (id, email, created_at) VALUES " + strings.Join(accounts, ","))
		exec("INSERT INTO subscriptions (id, number, revision, status, product, billing_account, licensee_account, method, next_at, test_clock, state, created_at, updated_at) VALUES " + strings.Join(subs, ","))
		exec("INSERT INTO licenses (id, subscription, revision, product, licensee, sites, tenant, activation_key, suspended, revoked, status, cancel_at_end, trial, valid_until, period_end, plan, covers, quantity, test_clock, site_edits, block_over_limit, tally) VALUES " + strings.Join(licenses, ","))
	}
	exec("ANALYZE TABLE accounts, subscriptions, licenses")
	return u.String()
}

func licenseOf(n int) licensing.LicenseID { return licensing.LicenseID(fmt.Sprintf("lic_%026d", n)) }
func subscriptionOf(n int) billing.SubscriptionID {
	return billing.SubscriptionID(fmt.Sprintf("sub_%026d", n))
}
func emailOf(n int) string { return fmt.Sprintf("ada%d@company%d.example", n, n/100) }
