// Package stripetest is a Stripe for tests: an HTTP server that keeps customers,
// cards, intents, refunds and idempotency keys as the real one does, as far as
// payments/stripe uses them, and whose answers can be scripted.
package stripetest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments/gatewaytest"
	"github.com/okviz/licensing/payments/stripe"
)

// Key is the secret key that the server takes.
const Key = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"

// WebhookSecret is that of the endpoint that webhooks are sent to.
const WebhookSecret = "whsec_9f86d081884c7d659a2feaa0c55ad015"

// cards are the PaymentMethods that a page of the vendor's might have made.
var cards = map[string]card{
	"pm_visa":               {last4: "4242"},
	"pm_declined":           {last4: "0002", decline: "generic_decline"},
	"pm_insufficient_funds": {last4: "9995", decline: "insufficient_funds", advice: "try_again_later"},
	"pm_stolen":             {last4: "9979", decline: "stolen_card", advice: "do_not_try_again"},
	"pm_expired_card":       {last4: "0069", code: "expired_card"},
	"pm_lost":               {last4: "9987", decline: "lost_card"},
	"pm_do_not_try_again":   {last4: "0119", decline: "do_not_honor", advice: "do_not_try_again"},
	"pm_confirm_card_data":  {last4: "0127", decline: "do_not_honor", advice: "confirm_card_data"},
	"pm_3ds":                {last4: "3155", code: "authentication_required", decline: "authentication_required"},
	"pm_timeout_charged":    {last4: "4444", lost: 1, moves: true},
	"pm_timeout_lost":       {last4: "3222", lost: 1},
	"pm_flaky":              {last4: "0005", broken: 2},
}

type card struct {
	last4, code, decline, advice string
	lost                         int  // answers per charge that never arrive
	broken                       int  // faults per charge
	moves                        bool // what is lost was done
}

// Server is the Stripe of one test.
type Server struct {
	t    *testing.T
	http *httptest.Server

	mu       sync.Mutex
	scripts  map[string]http.HandlerFunc
	keys     map[string]reply
	objects  map[string]map[string]any // by id
	faults   map[string]int            // by intent
	refunds  []string                  // ids, newest first, as all lists
	intents  []string
	charges  []string
	moved    map[string]int // successful charges by invoice
	lastID   int
	Requests []string // method, path and idempotency key of each, in order
}

// reply is what a key was answered with.
type reply struct {
	request string
	status  int
	body    []byte
}

// New starts a server that ends with the test.
func New(t *testing.T) *Server {
	s := &Server{
		t: t, scripts: map[string]http.HandlerFunc{}, keys: map[string]reply{}, objects: map[string]map[string]any{},
		faults: map[string]int{}, moved: map[string]int{},
	}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

// RoundTrip sends a request for Stripe to the server.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	to, err := url.Parse(s.http.URL)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = to.Scheme, to.Host, to.Host
	return s.http.Client().Transport.RoundTrip(r)
}

// Script lets f answer the requests whose method and path end like this, such
// as "POST /confirm"; nil ends it.
func (s *Server) Script(request string, f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[request] = f
}

// ForgetKeys does what Stripe may do after a day.
func (s *Server) ForgetKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.keys)
}

// Edit changes an object, as time or somebody at Stripe's dashboard may.
func (s *Server) Edit(id string, change map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.objects[id], change)
}

// Fill is what a customer does on a Checkout page that only stores a card,
// which attaches it.
func (s *Server) Fill(session, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.objects[session]
	s.attach(token, c["customer"].(string))
	c["status"] = "complete"
	c["setup_intent"] = map[string]any{"id": s.id("seti"), "object": "setup_intent", "payment_method": token}
}

// Succeeded counts the successful charges of an invoice.
func (s *Server) Succeeded(invoice billing.InvoiceID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moved[string(invoice)]
}

// Approve does what a customer does on the page of an intent that requires
// action, if it still does.
func (s *Server) Approve(_ *testing.T, intent billing.ChargeID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pi := s.objects[string(intent)]; pi["status"] == "requires_action" {
		s.succeed(pi, s.charge(pi, pi["metadata"].(map[string]any)["method"].(string)))
	}
}

// Age makes an intent that much older.
func (s *Server) Age(intent billing.ChargeID, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pi := s.objects[string(intent)]
	pi["created"] = pi["created"].(int64) - int64(by.Seconds())
}

// charge is what an intent's confirmation makes; it has failed until it succeeds.
func (s *Server) charge(pi map[string]any, method string) map[string]any {
	charge := s.create("ch", "charge", nil, map[string]any{
		"amount": pi["amount"], "currency": pi["currency"], "amount_refunded": int64(0), "payment_method": method, "payment_intent": pi["id"], "status": "failed", "captured": false,
	})
	s.charges = append([]string{charge["id"].(string)}, s.charges...)
	pi["latest_charge"] = charge["id"]
	return charge
}

func (s *Server) succeed(pi, charge map[string]any) {
	pi["status"], pi["amount_received"] = "succeeded", pi["amount"]
	charge["status"], charge["captured"], charge["amount_captured"] = "succeeded", true, pi["amount"]
	s.moved[pi["metadata"].(map[string]any)["invoice"].(string)]++
}

// Gateway is a gateway that talks to the server through a transport, or
// directly where that is nil.
func (s *Server) Gateway(through http.RoundTripper) *stripe.Gateway {
	s.t.Helper()
	if through == nil {
		through = s
	}
	g, err := stripe.New(stripe.Config{Key: Key, WebhookSecret: WebhookSecret, References: &Memory{}, Transport: through})
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

// Subject is the gateway for the tests of the contract.
func (s *Server) Subject(through http.RoundTripper) gatewaytest.Subject {
	return gatewaytest.Subject{
		Gateway: s.Gateway(through),
		Succeeded: func(_ *testing.T, _ billing.SubscriptionID, invoice billing.InvoiceID) int {
			return s.Succeeded(invoice)
		},
		Visa:              "pm_visa",
		GenericDecline:    "pm_declined",
		InsufficientFunds: "pm_insufficient_funds",
		Stolen:            "pm_stolen",
		ExpiredCard:       "pm_expired_card",
		RequiresAction:    "pm_3ds",
		TimeoutCharged:    "pm_timeout_charged",
		TimeoutLost:       "pm_timeout_lost",
		Flaky:             "pm_flaky",
		Unknown:           "pm_nonesuch",
		Fill:              func(_ *testing.T, form string) { s.Fill(form, "pm_visa") },
		Approve:           s.Approve,
		FailRefund:        func(t *testing.T, _ billing.ChargeID, note billing.RefundID) { s.FailRefund(t, string(note)) },
		Webhook:           Webhook,
	}
}

// Memory remembers references.
type Memory struct {
	mu   sync.Mutex
	refs map[string]string
}

// Reference implements stripe.References.
func (m *Memory) Reference(_ context.Context, object string, create func() (string, error)) (string, error) {
	m.mu.Lock()
	ref, ok := m.refs[object]
	m.mu.Unlock()
	if ok {
		return ref, nil
	}
	ref, err := create()
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if kept, ok := m.refs[object]; ok {
		return kept, nil
	}
	if m.refs == nil {
		m.refs = map[string]string{}
	}
	m.refs[object] = ref
	return ref, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	form, err := url.ParseQuery(string(body) + "&" + r.URL.RawQuery)
	if err != nil {
		s.t.Error(err)
	}
	key := r.Header.Get("Idempotency-Key")

	s.mu.Lock()
	defer s.mu.Unlock()
	s.Requests = append(s.Requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+key))
	for request, f := range s.scripts {
		method, end, _ := strings.Cut(request, " ")
		if f != nil && r.Method == method && strings.HasSuffix(r.URL.Path, end) {
			f(w, r)
			return
		}
	}
	if r.Header.Get("Authorization") != "Bearer "+Key {
		send(w, 401, fault("invalid_request_error", "", "", "Invalid API Key provided"))
		return
	}
	request := r.Method + " " + r.URL.Path + " " + form.Encode()
	if known, ok := s.keys[key]; ok && r.Method == http.MethodPost {
		if known.request != request {
			send(w, 400, fault("idempotency_error", "", "", "Keys for idempotent requests can only be used with the same parameters"))
			return
		}
		w.WriteHeader(known.status)
		_, _ = w.Write(known.body)
		return
	}
	status, answer := s.answer(r.Method, strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/"), form)
	switch {
	case status == lostAndDone || status == lost:
		if status == lostAndDone {
			s.keep(key, request, 200, answer)
		}
		// A part of an answer: the client's transport repeats what had none.
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("{"))
		return
	case status < 500 && r.Method == http.MethodPost:
		s.keep(key, request, status, answer)
	}
	send(w, status, answer)
}

func (s *Server) keep(key, request string, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		s.t.Error(err)
	}
	s.keys[key] = reply{request, status, body}
}

// Fault answers with an error as Stripe words it.
func Fault(status int, kind, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		send(w, status, fault(kind, code, "", "of no use to anybody: pm_visa"))
	}
}

func fault(kind, code, param, message string) map[string]any {
	return map[string]any{"error": map[string]any{"type": kind, "code": code, "param": param, "message": message}}
}

func missing(what, param, id string) (int, any) {
	return 404, fault("invalid_request_error", "resource_missing", param, "No such "+what+": '"+id+"'")
}

func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_test")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Not statuses, but what happens to an answer.
const (
	lost        = -1
	lostAndDone = -2
)

func (s *Server) answer(method string, path []string, form url.Values) (int, any) {
	var object map[string]any
	if len(path) > 1 {
		object = s.objects[path[1]]
	}
	switch route := method + " " + path[0] + " " + strings.Join(path[min(len(path), 2):], "/"); route {
	case "POST customers ":
		return 200, s.create("cus", "customer", form, nil)
	case "POST payment_methods attach":
		return s.attach(path[1], form.Get("customer"))
	case "POST payment_methods detach":
		switch {
		case object == nil:
			return missing("PaymentMethod", "payment_method", path[1])
		case object["customer"] == nil:
			return 400, fault("invalid_request_error", "", "", "The payment method you provided is not attached to a customer.")
		}
		object["customer"] = nil
		return 200, object
	case "GET payment_methods ":
		if object == nil {
			return missing("PaymentMethod", "payment_method", path[1])
		}
		return 200, object
	case "POST checkout ": // only sessions
		c := s.create("cs", "checkout.session", form, map[string]any{"customer": form.Get("customer"), "status": "open", "setup_intent": nil})
		c["url"] = "https://checkout.stripe.example/" + c["id"].(string)
		return 200, c
	case "GET checkout " + path[len(path)-1]:
		if object = s.objects[path[2]]; object == nil {
			return missing("checkout.session", "session", path[2])
		}
		return 200, object
	case "POST payment_intents ":
		if path = path[1:]; len(path) == 0 {
			pi := s.create("pi", "payment_intent", form, map[string]any{
				"amount": number(form, "amount"), "currency": form.Get("currency"), "customer": form.Get("customer"), "status": "requires_payment_method",
			})
			s.intents = append([]string{pi["id"].(string)}, s.intents...)
			return 200, pi
		}
		if object == nil {
			return missing("payment_intent", "intent", path[0])
		}
		return s.update(object, form)
	case "GET payment_intents ":
		if len(path) == 1 {
			return 200, s.list(s.intents, form)
		}
		if object == nil {
			return missing("payment_intent", "intent", path[1])
		}
		return 200, s.expanded(object)
	case "POST payment_intents confirm":
		if object == nil {
			return missing("payment_intent", "intent", path[1])
		}
		return s.confirm(object, form)
	case "POST payment_intents cancel":
		if object == nil {
			return missing("payment_intent", "intent", path[1])
		}
		if object["status"] == "succeeded" || object["status"] == "canceled" || object["status"] == "processing" {
			return unexpectedState()
		}
		object["status"], object["cancellation_reason"] = "canceled", form.Get("cancellation_reason")
		return 200, object
	case "POST refunds ":
		return s.refund(form)
	case "GET charges ":
		found := s.list(s.charges, form)
		for i, c := range found["data"].([]any) {
			ch := maps.Clone(c.(map[string]any))
			if form.Get("expand[0]") == "data.payment_intent" {
				ch["payment_intent"] = s.objects[ch["payment_intent"].(string)]
			}
			found["data"].([]any)[i] = ch
		}
		return 200, found
	case "GET refunds ":
		return 200, s.list(s.refunds, form)
	default:
		s.t.Errorf("no such call: %s", route)
		return 404, fault("invalid_request_error", "", "", "Unrecognized request URL")
	}
}

// page is how long a page of a list is, whatever is asked for.
const page = 3

// list is a page of those objects that the request asks for.
func (s *Server) list(ids []string, form url.Values) map[string]any {
	asked := func(o map[string]any) bool {
		created := o["created"].(int64)
		from, to := form.Get("created[gte]"), form.Get("created[lt]")
		return (form.Get("payment_intent") == "" || o["payment_intent"] == form.Get("payment_intent")) &&
			(from == "" || created >= number(form, "created[gte]")) && (to == "" || created < number(form, "created[lt]"))
	}
	list, more, after := []any{}, false, form.Get("starting_after")
	for _, id := range ids {
		switch {
		case after != "":
			if id == after {
				after = ""
			}
		case !asked(s.objects[id]):
		case len(list) == page:
			more = true
		default:
			list = append(list, s.objects[id])
		}
	}
	return map[string]any{"object": "list", "data": list, "has_more": more}
}

func (s *Server) id(prefix string) string {
	s.lastID++
	return prefix + "_" + strconv.Itoa(s.lastID)
}

func (s *Server) create(prefix, kind string, form url.Values, more map[string]any) map[string]any {
	o := map[string]any{"id": s.id(prefix), "object": kind, "livemode": false, "created": time.Now().Unix(), "metadata": metadata(form, map[string]any{})}
	maps.Copy(o, more)
	s.objects[o["id"].(string)] = o
	return o
}

func metadata(form url.Values, into map[string]any) map[string]any {
	into = maps.Clone(into)
	for name, v := range form {
		if field, ok := strings.CutPrefix(name, "metadata["); ok {
			into[strings.TrimSuffix(field, "]")] = v[0]
		}
	}
	return into
}

func number(form url.Values, name string) int64 {
	n, err := strconv.ParseInt(form.Get(name), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%s is %q", name, form.Get(name)))
	}
	return n
}

func (s *Server) attach(token, customer string) (int, any) {
	c, ok := cards[token]
	switch {
	case !ok:
		return missing("PaymentMethod", "payment_method", token)
	case s.objects[customer] == nil:
		return missing("customer", "customer", customer)
	case s.objects[token] != nil:
		return 400, fault("invalid_request_error", "", "", "The payment method "+token+" has already been attached to a customer.")
	}
	s.objects[token] = map[string]any{
		"id": token, "object": "payment_method", "livemode": false, "type": "card", "customer": customer,
		"card": map[string]any{"brand": "visa", "last4": c.last4, "fingerprint": "print" + c.last4, "exp_month": 7, "exp_year": 2099},
	}
	return 200, s.objects[token]
}

func unexpectedState() (int, any) {
	return 400, fault("invalid_request_error", "payment_intent_unexpected_state", "", "This PaymentIntent could not be used like this.")
}

func (s *Server) update(pi map[string]any, form url.Values) (int, any) {
	if pi["status"] == "succeeded" || pi["status"] == "canceled" {
		return unexpectedState()
	}
	pi["amount"], pi["currency"] = number(form, "amount"), form.Get("currency")
	pi["metadata"] = metadata(form, pi["metadata"].(map[string]any))
	pi["last_payment_error"] = nil
	return 200, pi
}

func (s *Server) confirm(pi map[string]any, form url.Values) (int, any) {
	method := form.Get("payment_method")
	c, known := cards[method]
	id := pi["id"].(string)
	switch {
	case pi["status"] == "succeeded" || pi["status"] == "canceled":
		return unexpectedState()
	case !known || s.objects[method] == nil || s.objects[method]["customer"] != pi["customer"]:
		return missing("PaymentMethod", "payment_method", method)
	case (form.Get("off_session") == "true") == strings.HasPrefix(form.Get("return_url"), "http"):
		s.t.Errorf("confirmed with the return URL %q, off session: %q", form.Get("return_url"), form.Get("off_session"))
	case c.code == "authentication_required" && form.Get("return_url") != "":
		pi["status"], pi["last_payment_error"] = "requires_action", nil
		pi["next_action"] = map[string]any{
			"type": "redirect_to_url", "redirect_to_url": map[string]any{"url": "https://hooks.stripe.test/redirect/" + id, "return_url": form.Get("return_url")},
		}
		return 200, pi
	}
	s.faults[id]++
	switch {
	case s.faults[id] <= c.broken:
		return 500, fault("api_error", "", "", "Something went wrong with "+method)
	case s.faults[id] <= c.lost && !c.moves:
		return lost, nil
	}
	charge := s.charge(pi, method)
	if c.code != "" || c.decline != "" {
		e := map[string]any{
			"type": "card_error", "code": c.code, "decline_code": c.decline, "charge": charge["id"], "message": "declined: " + method,
		}
		if c.code == "" {
			e["code"] = "card_declined"
		}
		charge["outcome"] = map[string]any{"type": "issuer_declined", "advice_code": c.advice}
		pi["last_payment_error"] = e
		return 402, map[string]any{"error": e}
	}
	s.succeed(pi, charge)
	if s.faults[id] <= c.lost {
		return lostAndDone, maps.Clone(pi)
	}
	return 200, pi
}

// expanded is an intent with its last charge in full.
func (s *Server) expanded(pi map[string]any) map[string]any {
	pi = maps.Clone(pi)
	if id, ok := pi["latest_charge"].(string); ok {
		pi["latest_charge"] = s.objects[id]
	}
	return pi
}

// FailRefund is what a bank does with a refund that it cannot book: Stripe has
// the money back on the charge.
func (s *Server) FailRefund(t *testing.T, note string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.refunds {
		r := s.objects[id]
		if r["metadata"].(map[string]any)["credit_note"] != note || r["status"] == "failed" {
			continue
		}
		r["status"] = "failed"
		charge := s.objects[s.objects[r["payment_intent"].(string)]["latest_charge"].(string)]
		charge["amount_refunded"] = charge["amount_refunded"].(int64) - r["amount"].(int64)
		return
	}
	t.Errorf("nothing was refunded for %s", note)
}

func (s *Server) refund(form url.Values) (int, any) {
	pi := s.objects[form.Get("payment_intent")]
	charge := s.objects[pi["latest_charge"].(string)]
	amount, refunded := number(form, "amount"), charge["amount_refunded"].(int64)
	if amount > charge["amount"].(int64)-refunded {
		return 400, fault("invalid_request_error", "", "amount", "Refund amount is greater than unrefunded amount on charge")
	}
	charge["amount_refunded"] = refunded + amount
	r := s.create("re", "refund", form, map[string]any{"amount": amount, "currency": pi["currency"], "payment_intent": pi["id"], "status": "succeeded"})
	s.refunds = append([]string{r["id"].(string)}, s.refunds...)
	return 200, r
}
