package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The objects of the HTTP contract, as far as the tests look at them.

type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

func usd(amount int64) money { return money{amount, "USD"} }

type plan struct {
	ID    string  `json:"id"`
	Type  string  `json:"type"`
	Tier  *string `json:"tier"`
	Cycle string  `json:"cycle"`
}

type period struct{ Start, End string }

type subscription struct {
	ID                string   `json:"id"`
	Number            int64    `json:"number"`
	Status            string   `json:"status"`
	Collection        string   `json:"collection"`
	Plan              plan     `json:"plan"`
	CurrentPeriod     *period  `json:"current_period"`
	TrialEnd          *string  `json:"trial_end"`
	NextPaymentAt     *string  `json:"next_payment_at"`
	CancelAtPeriodEnd bool     `json:"cancel_at_period_end"`
	CanceledAt        *string  `json:"canceled_at"`
	CancelReason      *string  `json:"cancel_reason"`
	Actions           []string `json:"actions"`
	LicenseID         *string  `json:"license_id"`
}

type license struct {
	ID         string `json:"id"`
	Status     string `json:"status"`
	ValidUntil string `json:"valid_until"`
	Plan       plan   `json:"plan"`
}

type line struct {
	Description string  `json:"description"`
	Quantity    int64   `json:"quantity"`
	Amount      money   `json:"amount"`
	Period      *period `json:"period"`
}

type invoice struct {
	ID        string  `json:"id"`
	Number    *string `json:"number"`
	Status    string  `json:"status"`
	DueAt     *string `json:"due_at"`
	Lines     []line  `json:"lines"`
	Total     money   `json:"total"`
	Tax       money   `json:"tax"`
	Applied   money   `json:"balance_applied"`
	AmountDue money   `json:"amount_due"`
	Notes     []struct {
		Number, Reason string
		Total          money
	} `json:"credit_notes"`
}

type checkout struct {
	Subscription subscription `json:"subscription"`
	License      *license     `json:"license"`
	Invoice      *invoice     `json:"invoice"`
	Payment      struct {
		Status string `json:"status"`
	} `json:"payment"`
	CheckoutToken string `json:"checkout_token"`
}

type problem struct {
	Code           string `json:"code"`
	Status         int    `json:"status"`
	DeclineCode    string `json:"decline_code"`
	SubscriptionID string `json:"subscription_id"`
	CheckoutToken  string `json:"checkout_token"`
}

// answer is what came back from an address.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
}

func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// wantProblem holds an answer to a refusal.
func (a answer) wantProblem(t testing.TB, status int, code string) problem {
	t.Helper()
	var p problem
	a.want(t, status).into(t, &p)
	if p.Code != code || p.Status != status || a.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("a problem %+v of type %s, want %d %s", p, a.header.Get("Content-Type"), status, code)
	}
	return p
}

// same is an answer without what differs each time that it is given.
func (a answer) same(t testing.TB) string {
	t.Helper()
	doc := map[string]any{}
	a.into(t, &doc)
	if token, ok := doc["checkout_token"].(string); ok {
		if !strings.HasPrefix(secret(token), "cot_") {
			t.Errorf("checkout_token %q", token)
		}
		doc["checkout_token"] = "cot_"
	}
	text, err := json.Marshal(doc)
	must(t, err)
	return fmt.Sprint(a.status, " ", string(text))
}

var visitor = &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// try sends a request; it fails where nobody answers. A body that is no []byte
// is sent as JSON.
func (s *shop) try(method, path string, body any, header map[string]string) (answer, error) {
	content, isRaw := body.([]byte)
	if !isRaw && body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return answer{}, err
		}
	}
	r, err := http.NewRequest(method, "http://"+s.http+path, bytes.NewReader(content))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := visitor.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	a.body, err = io.ReadAll(response.Body)
	return a, err
}

// patience is how long a customer goes on asking for an outcome.
const patience = 10 * time.Minute

// insist sends a request again and again, with the same key, until its outcome is
// known: through answers that do not come, processes that are away, and
// customers' own impatience.
func (s *shop) insist(t testing.TB, method, path string, body any, header map[string]string) answer {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		a, err := s.try(method, path, body, header)
		switch {
		case err != nil, a.status == http.StatusAccepted, a.status >= 500:
		case a.status == http.StatusConflict && (a.code() == "idempotency_in_progress" || a.code() == "clock_busy"):
		default:
			return a
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s %s has no outcome after %v: %v %d %s", method, path, patience, err, a.status, a.body)
		}
		time.Sleep(200 * time.Millisecond) // a customer's, who presses the button again
	}
}

func (s *shop) send(t testing.TB, method, path string, body any, header map[string]string) answer {
	t.Helper()
	if s.mortal && header["Idempotency-Key"] != "" {
		return s.insist(t, method, path, body, header)
	}
	a, err := s.try(method, path, body, header)
	must(t, err)
	return a
}

func (s *shop) asOperator() map[string]string {
	return map[string]string{"Authorization": "Bearer " + s.operator}
}

// get reads an object as an operator.
func (s *shop) get(t testing.TB, path string, into any) {
	t.Helper()
	s.send(t, http.MethodGet, path, nil, s.asOperator()).want(t, http.StatusOK).into(t, into)
}

// newKey is an Idempotency-Key.
func newKey() string { return secret("key_Mirabelle_" + rand.Text()) }

// post gives a command as an operator.
func (s *shop) post(t testing.TB, path, key string, body any) answer {
	t.Helper()
	h := s.asOperator()
	h["Idempotency-Key"] = key
	return s.send(t, http.MethodPost, path, body, h)
}

// command gives a command on a subscription: "cancel", "change", …
func (s *shop) command(t testing.TB, sub, action string, body any) answer {
	t.Helper()
	if body == nil {
		body = map[string]any{}
	}
	return s.post(t, "/v1/subscriptions/"+sub+"/"+action, newKey(), body)
}

// customer is who buys, with names that occur nowhere else.
type customer struct{ name, email, licensee, licenseeEmail, company, street, city string }

func newCustomer() customer {
	tag := strings.Map(func(r rune) rune { // letters alone: no name has a digit
		if r <= '9' {
			return 'a' + r - '0'
		}
		return r
	}, strings.ToLower(rand.Text()[:10]))
	return customer{
		name: secret("Bianka Zwetschge " + tag), email: secret("bianka.zwetschge@haendler-" + tag + ".example"),
		licensee: secret("Ludovika Holunder " + tag), licenseeEmail: secret("ludovika.holunder@firma-" + tag + ".example"),
		company: secret("Sauerampfer Werke " + tag), street: secret("Brombeergasse 17 " + tag), city: secret("Hintertupfingen " + tag),
	}
}

type object = map[string]any

// order is a checkout of Calendar Pro for up to 20 users, billed monthly, by
// a customer whose country has no tax. Changes replace or add fields.
func (c customer) order(changes object) object {
	o := object{
		"product": "calendar-pro", "plan": users("1-20"), "currency": "USD", "pay": "now", "accept_terms": true,
		"billing": object{
			"name": c.name, "email": c.email, "company": c.company, "country": "US",
			"address": object{"line1": c.street, "city": c.city, "postal_code": "90210"},
		},
		"licensee": object{"name": c.licensee, "email": c.licenseeEmail},
		"payment":  card("tok_visa"),
	}
	maps.Copy(o, changes)
	maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil })
	return o
}

func users(tier string) object {
	return object{"type": "users", "tier": tier, "cycle": "monthly"}
}

func card(token string) object { return object{"method": "card", "token": secret(token)} }

// buy orders something as an operator, who may name a test clock.
func (s *shop) buy(t testing.TB, o object) checkout {
	t.Helper()
	var c checkout
	s.post(t, "/v1/checkout", newKey(), o).want(t, http.StatusCreated).into(t, &c)
	s.know(c)
	return c
}

func (s *shop) know(c checkout) {
	secret(c.CheckoutToken)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.subscriptions, c.Subscription.ID) {
		s.subscriptions = append(s.subscriptions, c.Subscription.ID)
	}
}

func (s *shop) subscription(t testing.TB, id string) subscription {
	t.Helper()
	var v subscription
	s.get(t, "/v1/subscriptions/"+id, &v)
	return v
}

// clock makes a test clock.
func (s *shop) clock(t testing.TB, now string) string {
	t.Helper()
	var v struct{ ID string }
	s.send(t, http.MethodPost, "/v1/operator/test-clocks", object{"now": now}, s.asOperator()).want(t, http.StatusCreated).into(t, &v)
	return v.ID
}

func (s *shop) advance(t testing.TB, clock, to string) {
	t.Helper()
	s.advanceBy(t, clock, object{"to": to})
}

func (s *shop) advanceBy(t testing.TB, clock string, body object) {
	t.Helper()
	var v struct{ Now string }
	s.send(t, http.MethodPost, "/v1/operator/test-clocks/"+clock+"/advance", body, s.asOperator()).want(t, http.StatusOK).into(t, &v)
	if v.Now != body["to"] {
		t.Fatalf("the clock stands at %s, want %s", v.Now, body["to"])
	}
}

// charges is the sandbox's own ledger of a subscription, one line each:
// "2026-01-31T10:00:00Z 990 USD succeeded".
func (s *shop) charges(t testing.TB, sub string) []string {
	t.Helper()
	lines := []string{}
	for _, c := range s.ledger(t, sub) {
		lines = append(lines, fmt.Sprintf("%s %d %s %s", c.At, c.Amount.Amount, c.Amount.Currency, c.Status))
	}
	return lines
}

type charge struct {
	ID, Invoice, Status, At string
	Amount, Refunded        money
}

func (s *shop) ledger(t testing.TB, sub string) []charge {
	t.Helper()
	var list struct{ Data []charge }
	s.get(t, "/v1/operator/sandbox/charges?subscription="+sub, &list)
	return list.Data
}

func (s *shop) wantCharges(t testing.TB, sub string, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, s.charges(t, sub)); diff != "" {
		t.Errorf("charges of %s:\n%s", sub, diff)
	}
}

// charged is a line of charges.
func charged(at string, amount int64) string { return fmt.Sprintf("%s %d USD succeeded", at, amount) }

// invoices are all invoices of a subscription, the oldest first.
func (s *shop) invoices(t testing.TB, sub string) []invoice {
	t.Helper()
	var all []invoice
	cursor := ""
	for {
		var page struct {
			Data       []invoice
			NextCursor *string `json:"next_cursor"`
		}
		s.get(t, "/v1/invoices?limit=100&subscription="+sub+cursor, &page)
		all = append(all, page.Data...)
		if page.NextCursor == nil {
			slices.Reverse(all)
			return all
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

// audit holds the ledger to the books: each paid invoice of more than nothing
// was charged once, with its amount, and nothing else was.
func (s *shop) audit(t testing.TB, sub string) {
	t.Helper()
	paid, got := map[string]money{}, map[string]money{}
	for _, inv := range s.invoices(t, sub) {
		if inv.Status == "paid" && inv.AmountDue.Amount > 0 && inv.DueAt == nil { // what is due some day comes by transfer
			paid[inv.ID] = inv.AmountDue
		}
	}
	for _, c := range s.ledger(t, sub) {
		if c.Status != "succeeded" {
			continue
		}
		if _, twice := got[c.Invoice]; twice {
			t.Errorf("%s was charged twice", c.Invoice)
		}
		got[c.Invoice] = c.Amount
	}
	if diff := cmp.Diff(paid, got); diff != "" {
		t.Errorf("paid invoices and charges of %s:\n%s", sub, diff)
	}
}

type event struct{ At, Kind, Actor, Text string }

func (s *shop) events(t testing.TB, sub string) []event {
	t.Helper()
	var list struct{ Data []event }
	s.get(t, "/v1/subscriptions/"+sub+"/events", &list)
	return list.Data
}

// checked is the answer to a visual.
type checked struct {
	V            int     `json:"v"`
	Valid        bool    `json:"valid"`
	Code         string  `json:"code"`
	ValidUntil   *string `json:"valid_until"`
	Now          string  `json:"now"`
	RefreshAfter int64   `json:"refresh_after"`
	Token        *string `json:"token"`
}

// check asks as a visual in a sandboxed frame does.
func (s *shop) check(t testing.TB, license string) checked {
	t.Helper()
	question, err := json.Marshal(object{"v": 1, "license": license, "product": "calendar-pro", "version": "2.4.2", "env": 1})
	must(t, err)
	a := s.send(t, http.MethodPost, "/v1/licenses/check", question, map[string]string{"Content-Type": "text/plain", "Origin": "null"})
	var v checked
	a.want(t, http.StatusOK).into(t, &v)
	if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.header)
	}
	return v
}

// claims verifies a token as a visual does, against the published keys.
func (s *shop) claims(t testing.TB, token string) map[string]any {
	t.Helper()
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X, D string }
	}
	s.send(t, http.MethodGet, "/.well-known/jwks.json", nil, nil).want(t, http.StatusOK).into(t, &set)
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	decode := func(part string) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		must(t, err)
		return raw
	}
	var header struct{ Alg, Kid, Typ string }
	must(t, json.Unmarshal(decode(parts[0]), &header))
	if header.Alg != "EdDSA" || header.Typ != "okviz-license+jwt" {
		t.Errorf("header %+v", header)
	}
	for _, key := range set.Keys {
		if key.D != "" {
			t.Error("a private key is published")
		}
		if key.Kid != header.Kid || key.Kty != "OKP" || key.Crv != "Ed25519" {
			continue
		}
		if !ed25519.Verify(decode(key.X), []byte(parts[0]+"."+parts[1]), decode(parts[2])) {
			t.Fatal("the signature does not fit")
		}
		claims := map[string]any{}
		must(t, json.Unmarshal(decode(parts[1]), &claims))
		return claims
	}
	t.Fatalf("key %s is not published", header.Kid)
	return nil
}

// email is a mail in the mailbox.
type email struct {
	ID, Subject, Text, HTML string
	From                    struct{ Name, Address string }
	Attachments             []struct{ PartID, FileName, ContentType string }
}

// emails are the mails to an address, the oldest first.
func (s *shop) emails(t testing.TB, to string) []email {
	t.Helper()
	box := &shop{http: s.mailbox}
	var list struct {
		Messages []struct{ ID string }
	}
	box.send(t, http.MethodGet, "/api/v1/search?limit=1000&query="+url.QueryEscape("to:"+to), nil, nil).want(t, http.StatusOK).into(t, &list)
	emails := []email{}
	for _, m := range slices.Backward(list.Messages) {
		var l email
		box.send(t, http.MethodGet, "/api/v1/message/"+m.ID, nil, nil).want(t, http.StatusOK).into(t, &l)
		emails = append(emails, l)
	}
	return emails
}

func (s *shop) attached(t testing.TB, l email) []byte {
	t.Helper()
	if len(l.Attachments) != 1 {
		t.Fatalf("%q has %d attachments", l.Subject, len(l.Attachments))
	}
	box := &shop{http: s.mailbox}
	return box.send(t, http.MethodGet, "/api/v1/message/"+l.ID+"/part/"+l.Attachments[0].PartID, nil, nil).want(t, http.StatusOK).body
}

// subjects are those of the mails to an address, the oldest first.
func (s *shop) subjects(t testing.TB, to string) []string {
	t.Helper()
	subjects := []string{}
	for _, l := range s.emails(t, to) {
		subjects = append(subjects, l.Subject)
	}
	return subjects
}

// awaitEmails waits until so many mails to an address are there.
func (s *shop) awaitEmails(t testing.TB, to string, n int) []email {
	t.Helper()
	var got []email
	eventually(t, 20*time.Second, fmt.Sprintf("%d mails to one address", n), func() bool {
		got = s.emails(t, to)
		return len(got) >= n
	})
	return got
}

func deref(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}
