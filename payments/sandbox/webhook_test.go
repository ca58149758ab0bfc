package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/payments/sandbox"
)

// webhook is an event as the sandbox tells it.
func webhook(t *testing.T, n billing.GatewayEvent, at time.Time) (func(string) string, []byte) {
	t.Helper()
	types := map[billing.GatewayEventKind]sandbox.EventType{
		billing.GatewayEventCharge: sandbox.EventSucceeded, billing.GatewayEventRefund: sandbox.EventRefunded, billing.GatewayEventCard: sandbox.EventCardCollected,
		billing.GatewayEventDisputeOpened: sandbox.EventDisputeOpened, billing.GatewayEventDisputeWon: sandbox.EventDisputeWon,
		billing.GatewayEventDisputeLost: sandbox.EventDisputeLost, billing.GatewayEventOther: "something.new",
	}
	body, err := json.Marshal(sandbox.Event{
		ID: n.ID, Type: types[n.Kind], Charge: n.Reference, Dispute: n.Dispute, Amount: n.Amount, Live: n.Live, Created: n.Created,
	})
	must(t, err)
	return signed(body, at), body
}

func signed(body []byte, at time.Time) func(string) string {
	return func(name string) string {
		if name != sandbox.SignatureHeader {
			return ""
		}
		return sandbox.Sign(secret, body, at)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestASignedWebhookThatIsNoEventIsRefused(t *testing.T) {
	g := open(t, sandbox.NewMemory())
	for _, body := range []string{"", "{", "[]", `{"id":""}`, `{"id":7}`} {
		_, err := g.ParseWebhook(signed([]byte(body), noon), []byte(body), noon)
		if refusal, ok := errors.AsType[*payments.Error](err); !ok || refusal.Code != payments.CodeInvalid {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// engine takes webhooks as long as it is there.
type engine struct {
	*testing.T
	g     *sandbox.Gateway
	away  bool
	told  []string // "payment.succeeded"
	about []string // pay_… or form_…
	ids   map[string]int
}

func (e *engine) post(_ context.Context, body []byte, signature string) error {
	if e.away {
		return errors.New("nobody is there")
	}
	n, err := e.g.ParseWebhook(func(string) string { return signature }, body, noon)
	if err != nil {
		e.Errorf("the engine cannot read %s: %v", body, err)
	}
	var what struct{ Type string }
	must(e.T, json.Unmarshal(body, &what))
	e.told, e.about = append(e.told, what.Type), append(e.about, n.Reference)
	e.ids[n.ID]++
	return nil
}

func TestEverythingThatHappensIsToldOnceAndInOrder(t *testing.T) {
	l := sandbox.NewMemory()
	s := shopOn(t, l)
	e := &engine{T: t, g: s.Gateway, ids: map[string]int{}}
	deliver := func() {
		t.Helper()
		if err := s.Deliver(t.Context(), e.post, noon); (err != nil) != e.away {
			t.Error(err)
		}
	}
	declined := s.request("inv_1", s.card("tok_declined"), 1)
	s.pay(declined)
	s.pay(declined) // and asked again
	waits := s.request("inv_1", s.card("tok_3ds"), 2)
	ref, _ := s.pay(waits)
	must(t, s.Approve(t.Context(), ref))
	must(t, s.Approve(t.Context(), ref))
	for range 2 {
		_, err := s.Refund(t.Context(), billing.RefundRequest{CreditNote: "re_1", Invoice: "inv_1", Charge: ref, Amount: billing.Money{Amount: 100, Currency: "EUR"}, At: noon})
		must(t, err)
	}
	e.away = true
	deliver()
	e.away = false
	e.g = open(t, l) // the process was killed: its books are what is left
	if err := e.g.Deliver(t.Context(), e.post, noon); err != nil {
		t.Error(err)
	}
	deliver()
	same(t, e.told, []string{"payment.failed", "payment.requires_action", "payment.succeeded", "payment.refunded"})
	for id, n := range e.ids {
		if n != 1 {
			t.Errorf("%s was told %d times", id, n)
		}
	}

	lost := s.request("inv_2", s.card("tok_timeout_lost"), 1) // nothing reached the gateway
	s.pay(lost)
	deliver()
	same(t, len(e.told), 4)
	failed := s.request("inv_3", s.card("tok_3ds"), 1)
	ref, _ = s.pay(failed)
	must(t, s.Fail(t.Context(), ref))
	deliver()
	same(t, e.told[4:], []string{"payment.requires_action", "payment.failed"})

	// A test may have anything told again.
	events, err := s.Events(t.Context(), ref)
	must(t, err)
	must(t, s.Redeliver(t.Context(), ref, events[0].ID, e.post, noon))
	same(t, e.told[6:], []string{"payment.requires_action"})
	same(t, e.ids[events[0].ID], 2)
	if err := s.Redeliver(t.Context(), ref, "evt_none", e.post, noon); err == nil {
		t.Error("an event that never was is told")
	}
}

func TestWhatIsNewToBeToldIsSignalled(t *testing.T) {
	s := newShop(t)
	signalled := func() bool {
		select {
		case <-s.Untold():
			return true
		default:
			return false
		}
	}
	r := s.request("inv_1", s.card("tok_visa"), 1)
	if signalled() {
		t.Error("nothing has happened")
	}
	s.pay(r)
	if !signalled() || signalled() {
		t.Error("a charge is signalled once")
	}
}

func TestACardThatIsGivenIsToldOnce(t *testing.T) {
	l := sandbox.NewMemory()
	s := shopOn(t, l)
	e := &engine{T: t, g: s.Gateway, ids: map[string]int{}}
	f, err := s.OpenForm(t.Context(), billing.FormRequest{ID: "frm_1", Customer: s.customer, Done: "https://shop.example/done", Back: "https://shop.example/back"})
	must(t, err)
	must(t, s.Deliver(t.Context(), e.post, noon))
	same(t, len(e.told), 0)
	for _, number := range []string{"4242 4242 4242 4242", "4000 0000 0000 0002"} {
		_, err := s.FillForm(t.Context(), f.Ref, number, noon)
		must(t, err)
	}
	select {
	case <-s.Untold():
	default:
		t.Error("nobody hears that there is something to be told")
	}
	e.away = true
	if s.Deliver(t.Context(), e.post, noon) == nil {
		t.Error("nobody was there, and it is told")
	}
	e.away, e.g = false, open(t, l) // the process was killed: its books are what is left
	must(t, e.g.Deliver(t.Context(), e.post, noon))
	must(t, e.g.Deliver(t.Context(), e.post, noon))
	same(t, e.told, []string{"card.collected"})
	same(t, e.about, []string{f.Ref})
}
