package api_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/models/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Main(m)) }

// tables is a connection to a shop's database beside the store's, for looking at
// what is really there.
type tables struct {
	*testing.T
	*sql.DB
	names string // a query for the tables
}

// onBoth runs a test on a filled database of each kind. file is SQLite's.
func onBoth(t *testing.T, test func(t *testing.T, s *shop, db tables, file string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		stocked.Do(func() { stock(t, devKeys(t)) })
		file := filepath.Join(t.TempDir(), "api.db")
		check(t, os.WriteFile(file, database, 0o600))
		db, err := sql.Open("sqlite", file)
		check(t, err)
		t.Cleanup(func() { db.Close() })
		test(t, openShop(t, sqlite(file)), tables{t, db, `SELECT name FROM sqlite_master WHERE type = 'table'`}, file)
	})
	if testing.Short() {
		return
	}
	t.Run("MySQL protocol", func(t *testing.T) {
		at, err := url.Parse(mysqltest.URL(t))
		check(t, err)
		store, err := models.Open(at.String(), billing.DefaultPolicy())
		check(t, err)
		fill(t, store, devKeys(t))
		check(t, store.Close())
		db, err := sql.Open("mysql", fmt.Sprintf("%s@tcp(%s)%s", at.User, at.Host, at.Path))
		check(t, err)
		t.Cleanup(func() { db.Close() })
		test(t, openShop(t, at.String()), tables{t, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()`}, "")
	})
}

// where finds words in every column of every table: "table.column" with how many
// rows have it.
func (db tables) where(words ...string) map[string]int {
	db.Helper()
	found := map[string]int{}
	rows, err := db.Query(db.names)
	check(db.T, err)
	var names []string
	for rows.Next() {
		var name string
		check(db.T, rows.Scan(&name))
		names = append(names, name)
	}
	check(db.T, rows.Err())
	if len(names) < 40 {
		db.Fatalf("only %d tables are found", len(names))
	}
	for _, name := range names {
		rows, err := db.Query("SELECT * FROM " + name)
		check(db.T, err)
		columns, err := rows.Columns()
		check(db.T, err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = &sql.RawBytes{}
			}
			check(db.T, rows.Scan(values...))
			for i, v := range values {
				text := strings.ToLower(string(*v.(*sql.RawBytes)))
				if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, strings.ToLower(w)) }) {
					found[name+"."+columns[i]]++
				}
			}
		}
		check(db.T, rows.Err())
	}
	return found
}

// who is Nora: an address, and what else tells of her. No word stands in another.
var (
	address = "nora.keller@kranich.example"
	traces  = []string{"Nora Keller", "Kranichwerke", "Taubenweg 77", "IT00743110157", "norakeller", "Noras Laptop"}
	tenant  = "fd0a6e60-0000-4000-8000-0000000000aa"
)

// nora orders something.
func nora(changes ...string) string {
	return order(append([]string{
		`billing={"name":"Nora Keller","email":"Nora.Keller@kranich.example","company":"Kranichwerke","country":"IT","vat_id":"IT00743110157","address":{"line1":"Taubenweg 77","city":"Roma","postal_code":"00100"}}`,
		`licensee={"name":"Nora Keller","email":"Nora.Keller@kranich.example"}`, `currency="EUR"`,
	}, changes...)...)
}

// life lives all of a customer's life, up to the end of every subscription, and says
// which invoices were issued to her.
func (s *shop) life() (invoices, subscriptions []string) {
	s.t.Helper()
	ends := func(sub string) { s.on(sub, "cancel", `{"reason":"Nora Keller moves away"}`) }
	bought := s.ask("POST", "/v1/checkout", nora(), withKey()).want(201, "")
	first := bought.text("subscription.id")
	session := s.signIn(address)
	s.signIn(address) // from another browser
	s.ask("PATCH", "/v1/me", `{"name":"Nora Keller","company":"Kranichwerke","country":"IT","vat_id":"IT00743110157","address":{"line1":"Taubenweg 77","city":"Roma"},"licensee":{"name":"Nora Keller","email":"nora.keller@kranich.example"}}`, session).want(200, "")
	s.ask("POST", "/v1/api-keys", `{"name":"Noras Laptop"}`, session).want(201, "")
	changed := s.ask("POST", "/v1/subscriptions/"+first+"/change", `{`+plan+`}`, session, withKey()).want(200, "")
	s.ask("PUT", "/v1/operator/accounts/discount", `{"email":"`+address+`","percent":5}`, asOperator).want(200, "")

	site := s.ask("POST", "/v1/checkout", nora(`plan={"type":"site","cycle":"monthly"}`, `sites=["norakeller.example"]`), session, withKey()).want(201, "")
	s.ask("PUT", "/v1/licenses/"+site.text("license.id")+"/sites", `{"sites":["www.norakeller.example"]}`, session).want(200, "")
	trial := s.ask("POST", "/v1/checkout", nora(`product="synoptic-panel"`, `pay="trial"`, "payment="), session, withKey()).want(201, "")
	s.ask("PUT", "/v1/operator/licenses/"+trial.text("license.id")+"/tenant", `{"tenant":"`+tenant+`"}`, asOperator).want(200, "")
	s.ask("POST", "/v1/quotes", nora("pay=", "payment=", "accept_terms="), withKey()).want(201, "")
	quote := s.ask("POST", "/v1/quotes", nora("pay=", "payment=", "accept_terms="), session, withKey()).want(201, "").text("id")
	accepted := s.ask("POST", "/v1/quotes/"+quote+"/accept", `{"payment":{"method":"card","token":"tok_visa"},"accept_terms":true}`, session, withKey()).want(201, "")
	s.ask("POST", "/v1/checkout", strings.Replace(nora(`payment.token="tok_declined"`), "Kranichwerke", "Nevermind GmbH", 1), withKey()).want(402, "card_declined")
	transfer := s.ask("POST", "/v1/checkout", nora(`plan={"type":"users","tier":"Unlimited","cycle":"yearly"}`, `payment={"method":"invoice"}`), session, withKey()).want(201, "")
	amount := transfer.at("invoice.amount_due.amount").(float64)
	s.ask("POST", "/v1/operator/invoices/"+transfer.text("invoice.id")+"/mark-paid",
		fmt.Sprintf(`{"reference":"Kranichwerke for 2026","amount":{"amount":%.0f,"currency":"EUR"},"value_date":"2026-01-02"}`, amount), asOperator, withKey()).want(200, "")

	ends(first)
	for _, sub := range []string{first, site.text("subscription.id"), trial.text("subscription.id"), accepted.text("subscription.id"), transfer.text("subscription.id")} {
		s.ask("POST", "/v1/operator/subscriptions/"+sub+"/cancel-now", `{"refund":"prorated","reason":"Nora Keller asked for it"}`, asOperator, withKey()).want(200, "")
		subscriptions = append(subscriptions, sub)
	}
	return []string{bought.text("invoice.id"), changed.text("invoice.id"), site.text("invoice.id"), accepted.text("invoice.id"), transfer.text("invoice.id")}, subscriptions
}

// settle has the gateway say that refunds were given, and what else is due.
func (s *shop) settle(subscriptions ...string) {
	s.t.Helper()
	for _, sub := range subscriptions {
		answered, err := s.temporal.steps.Refund(s.t.Context(), billing.SubscriptionID(sub))
		check(s.t, err)
		for _, r := range answered {
			s.recordRefund(billing.SubscriptionID(sub), r)
		}
	}
}

func TestErasingACustomerLeavesOnlyWhatInvoicesPrint(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shop, db tables, file string) {
		s.t = t
		// Omar is of the same organisation, and has ordered for Nora.
		omars := s.buy(`billing={"name":"Omar Adler","email":"omar@kranich.example","country":"US"}`, `licensee={"name":"Omar Adler","email":"omar@kranich.example"}`).want(201, "")
		omar := s.signIn("omar@kranich.example")
		s.ask("PATCH", "/v1/me", `{"name":"Omar Adler","licensee":{"name":"Nora Keller","email":"nora.keller@kranich.example"}}`, omar).want(200, "")
		forNora := s.ask("POST", "/v1/quotes", quoted(`billing.email="omar@kranich.example"`, `licensee={"name":"Nora Keller","email":"Nora.Keller@kranich.example"}`), omar, withKey()).want(201, "").text("id")
		before := s.ask("GET", "/v1/subscriptions/"+omars.text("subscription.id"), "", omar).want(200, "")
		license := s.ask("GET", "/v1/licenses/"+omars.text("license.id"), "", omar).want(200, "")

		invoices, subscriptions := s.life()
		session := s.signIn(address)
		s.ask("POST", "/v1/privacy/erase", "", session).want(409, "money_open") // a refund is on its way
		s.settle(subscriptions...)
		again := s.ask("POST", "/v1/checkout", nora(), session, withKey()).want(201, "").text("subscription.id")
		s.ask("POST", "/v1/privacy/erase", "", session).want(409, "subscriptions_running")
		s.ask("POST", "/v1/operator/subscriptions/"+again+"/cancel-now", `{"refund":"none"}`, asOperator, withKey()).want(200, "")
		unpaid := s.ask("GET", "/v1/subscriptions?limit=100", "", session).want(200, "").at("data").([]any)
		for _, sub := range unpaid { // the declined order lapses by itself
			if v := sub.(map[string]any); v["status"] == "incomplete" {
				s.ask("POST", "/v1/privacy/erase", "", session).want(409, "subscriptions_running")
				check(t, s.temporal.due(t.Context(), billing.SubscriptionID(v["id"].(string)), time.Now().Add(100*time.Hour)))
			}
		}

		if all := db.where(append(traces, address)...); len(all) < 10 {
			t.Errorf("before, only these tell of her: %v", all)
		}
		exported := s.ask("GET", "/v1/privacy/export", "", session).want(200, "")
		for _, word := range append(traces, address) {
			if word != "norakeller" && !strings.Contains(strings.ToLower(string(exported.body)), strings.ToLower(word)) {
				t.Errorf("the export has no %q", word)
			}
		}
		pdfs := map[string]string{}
		for _, id := range invoices {
			pdfs[id] = string(s.ask("GET", "/v1/invoices/"+id+"/pdf", "", asOperator).want(200, "").body)
		}

		erased := s.ask("POST", "/v1/privacy/erase", "", session).want(200, "")
		s.ask("GET", "/v1/me", "", session).want(401, "unauthorized")
		if id := erased.text("account_id"); !strings.HasPrefix(id, "cus_") {
			t.Errorf("erased is %s", erased.body)
		}
		for _, c := range erased.header.Values("Set-Cookie") {
			if !strings.Contains(c, "Max-Age=0") {
				t.Errorf("the browser keeps %s", c)
			}
		}
		if left := db.where(address, "norakeller", "Noras Laptop", "moves away", "asked for it", "for 2026", "Nevermind"); len(left) != 0 {
			t.Errorf("what invoices do not print is left in %v", left)
		}
		if left := db.where(traces...); len(left) != 1 || left["orders.detail"] == 0 {
			t.Errorf("what invoices print is left in %v, want orders.detail alone", left)
		}
		if left := db.where(tenant); len(left) != 1 || left["audit_log.state_after"] != 1 { // an organisation's id, set by an operator
			t.Errorf("the tenant is left in %v", left)
		}
		for _, id := range invoices {
			if string(s.ask("GET", "/v1/invoices/"+id+"/pdf", "", asOperator).want(200, "").body) != pdfs[id] {
				t.Errorf("invoice %s is another one now", id)
			}
		}
		if file != "" {
			for _, f := range []string{file, file + "-wal"} {
				bytes, err := os.ReadFile(f)
				check(t, err)
				for _, word := range []string{"nora.keller@kranich", "Nora.Keller@kranich", "norakeller", "Noras Laptop", "moves away"} {
					if strings.Contains(string(bytes), word) {
						t.Errorf("the bytes of %s have %q", filepath.Base(f), word)
					}
				}
			}
		}

		// Again, by an operator: there is nothing more to do.
		s.ask("POST", "/v1/privacy/erase?email="+url.QueryEscape(address), "", asOperator).want(200, "")
		if left := s.ask("GET", "/v1/privacy/export?email="+url.QueryEscape(address), "", asOperator).want(200, ""); left.text("account_id") != "" || len(left.at("tables").(map[string]any)) != 0 {
			t.Errorf("exported is %s", left.body)
		}
		// She may come back as somebody else.
		back := s.ask("POST", "/v1/checkout", nora(), withKey()).want(201, "")
		if back.text("subscription.status") != "active" {
			t.Errorf("back she has %s", back.body)
		}
		s.ask("GET", "/v1/invoices/"+invoices[0], "", s.signIn(address)).want(404, "not_found")

		if now := s.ask("GET", "/v1/subscriptions/"+omars.text("subscription.id"), "", omar).want(200, ""); string(now.body) != string(before.body) {
			t.Errorf("Omar has %s", now.body)
		}
		if now := s.ask("GET", "/v1/licenses/"+omars.text("license.id"), "", omar).want(200, ""); string(now.body) != string(license.body) {
			t.Errorf("Omar's licence is %s", now.body)
		}
		if me := s.ask("GET", "/v1/me", "", omar).want(200, ""); me.text("name") != "Omar Adler" || me.at("licensee") != nil {
			t.Errorf("Omar is %s", me.body)
		}
		got := s.ask("POST", "/v1/quotes/"+forNora+"/accept", `{"payment":{"method":"card","token":"tok_visa"},"accept_terms":true}`, omar, withKey()).want(201, "")
		if got.text("subscription.licensee_account") != "omar@kranich.example" {
			t.Errorf("what was quoted for Nora is %s", got.body)
		}
	})
}

func TestALicenseeIsErasedOnceTheLicenceHasEnded(t *testing.T) {
	onBoth(t, licenseeIsErased)
}

func licenseeIsErased(t *testing.T, s *shop, db tables, _ string) {
	bought := s.buy().want(201, "") // by Ada, for Bea
	sub, license := bought.text("subscription.id"), bought.text("license.id")
	ada, bea := s.signIn("ada@contoso.example"), s.signIn("bea@contoso.example")
	exported := s.ask("GET", "/v1/privacy/export", "", bea).want(200, "")
	for _, word := range []string{"Ada Rossi", "1 Main St", bought.text("invoice.id"), `"price"`, "activation_key"} {
		if strings.Contains(string(exported.body), word) {
			t.Errorf("a licensee is told %q of who pays: %s", word, exported.body)
		}
	}
	if !strings.Contains(string(exported.body), "Bea Bianchi") || !strings.Contains(string(exported.body), license) {
		t.Errorf("a licensee's export is %s", exported.body)
	}
	if refused := s.ask("POST", "/v1/privacy/erase", "", bea).want(409, "subscriptions_running"); !strings.Contains(refused.text("detail"), "another account pays") {
		t.Errorf("refused with %s", refused.body)
	}
	s.ask("POST", "/v1/operator/subscriptions/"+sub+"/cancel-now", `{"refund":"none","reason":"Bea Bianchi has left"}`, asOperator, withKey()).want(200, "")
	erased := s.ask("POST", "/v1/privacy/erase", "", bea).want(200, "")
	if erased.at("documents_kept") != 0.0 {
		t.Errorf("Bea has bought nothing, and is kept by documents: %s", erased.body)
	}
	ghost := "erased-" + strings.ToLower(erased.text("account_id")) + "@invalid"
	if v := s.ask("GET", "/v1/licenses/"+license, "", ada).want(200, ""); v.text("licensee") != ghost {
		t.Errorf("Ada sees the licensee %s", v.text("licensee"))
	}
	if v := s.ask("GET", "/v1/subscriptions/"+sub, "", ada).want(200, ""); v.text("billing_account") != "ada@contoso.example" || v.text("licensee_account") != ghost {
		t.Errorf("Ada sees %s", v.body)
	}
	s.ask("GET", "/v1/invoices/"+bought.text("invoice.id")+"/pdf", "", ada).want(200, "")
	if left := db.where("Bea Bianchi", "bea@contoso.example"); len(left) != 0 {
		t.Errorf("Bea is left in %v", left)
	}
}

func TestWhoPaysIsErasedAndTheLicenseeStays(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "") // by Ada, for Bea
	trial := s.buy(`pay="trial"`, "payment=", `product="smart-filter-pro"`, `licensee={"name":"Ada Rossi","email":"ada.rossi@gmail.com"}`).want(201, "")
	bea := s.signIn("bea@contoso.example")
	for _, a := range []answer{bought, trial} {
		s.ask("POST", "/v1/operator/subscriptions/"+a.text("subscription.id")+"/cancel-now", `{"refund":"none"}`, asOperator, withKey()).want(200, "")
	}
	anna := s.operatorNamed("anna", billing.OperatorAdmin)
	for _, what := range []string{"GET /v1/privacy/export?email=", "POST /v1/privacy/erase?email="} {
		method, path, _ := strings.Cut(what, " ")
		s.ask(method, path, "", anna).want(422, "invalid")
		s.ask(method, path+"ada%40contoso.example", "", anna).want(200, "")
		s.ask(method, path+"ada%40contoso.example", "", bea).want(403, "forbidden")
	}
	s.ask("POST", "/v1/privacy/erase?email=ada.rossi%40gmail.com", "", anna).want(200, "")
	if v := s.ask("GET", "/v1/licenses/"+bought.text("license.id"), "", bea).want(200, ""); v.text("licensee") != "Bea Bianchi <bea@contoso.example>" {
		t.Errorf("Bea's licence is %s", v.body)
	}
	rows, err := s.store.AuditLog(t.Context(), billing.AuditSelection{Actor: "anna"}, 10)
	check(t, err)
	var did []string
	for _, r := range rows {
		did = append(did, r.Action)
		if text := fmt.Sprint(r.Subject, string(r.Before), string(r.After)); strings.Contains(text, "@") || !strings.HasPrefix(r.Subject, "cus_") {
			t.Errorf("the log says %s", text)
		}
	}
	if got := strings.Join(did, " "); got != "privacy.export privacy.erase privacy.erase" {
		t.Errorf("the log has %s", got)
	}
	if n, err := s.store.ClaimRemovedCards(t.Context(), "sandbox", 10); err != nil || len(n) != 1 {
		t.Errorf("the gateway is to forget %v (%v)", n, err)
	}
	// A free mailbox was the trial's claim: it is forgotten as well.
	s.buy(`pay="trial"`, "payment=", `product="smart-filter-pro"`, `licensee={"name":"Ada Rossi","email":"ada.rossi@gmail.com"}`).want(201, "")
}

// unexported are tables that say nothing of an address that the others do not,
// or nothing of customers at all.
var unexported = []string{
	"products", "plans", "prices", "versions", "coupons", "counters", "operators", "test_clocks", "goose_db_version", "sqlite_sequence",
	"attempts",                         // under an HMAC
	"search_words",                     // of names that the others have
	"sandbox_methods", "sandbox_forms", // tokens of a development system
}

func TestTheExportHasEveryTableAndNoCredential(t *testing.T) {
	stocked.Do(func() { stock(t, devKeys(t)) })
	onBoth(t, func(t *testing.T, s *shop, db tables, _ string) {
		_, subscriptions := s.life()
		s.settle(subscriptions...)
		session := s.signIn(address)
		exported := s.ask("GET", "/v1/privacy/export", "", session).want(200, "")
		if !strings.Contains(exported.header.Get("Content-Disposition"), "attachment") {
			t.Error("a browser shows it in place of the page")
		}
		has := exported.at("tables").(map[string]any)
		rows, err := db.Query(db.names)
		check(t, err)
		for rows.Next() {
			var name string
			check(t, rows.Scan(&name))
			var n int
			check(t, db.QueryRow("SELECT COUNT(*) FROM "+name).Scan(&n))
			if list, _ := has[name].([]any); n > 0 && len(list) == 0 && !isIn(unexported, name) {
				t.Errorf("nothing of %s is exported", name)
			}
		}
		check(t, rows.Err())
		for _, c := range []string{"sessions.hash", "logins.hash", "api_keys.hash", "browsers.hash", "licenses.activation_key", "payment_methods.fingerprint", "requests.body_hash", "requests.token"} {
			table, column, _ := strings.Cut(c, ".")
			values, err := db.Query("SELECT " + column + " FROM " + table)
			check(t, err)
			for values.Next() {
				var secret string
				check(t, values.Scan(&secret))
				if secret != "" && strings.Contains(string(exported.body), secret) {
					t.Errorf("the export has %s", c)
				}
			}
			check(t, values.Err())
		}
	})
}
