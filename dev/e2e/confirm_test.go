package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// asGuest orders something without being signed in.
func (s *shop) asGuest(t testing.TB, key string, o object) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "/v1/checkout", o, map[string]string{"Idempotency-Key": key})
}

// confirmation is the token of the link in a mail that asks to confirm an order.
func confirmation(t testing.TB, l email) string {
	t.Helper()
	_, rest, ok := strings.Cut(l.Text, "/confirm#token=")
	if !ok || !strings.HasPrefix(l.Subject, "Confirm your order") {
		t.Fatalf("%s:\n%s", l.Subject, l.Text)
	}
	return secret(strings.Fields(rest)[0])
}

func (s *shop) confirm(t testing.TB, token string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "/v1/checkout/confirm", object{"token": token}, nil)
}

func TestAGuestsOrderByInvoiceIsConfirmedThroughTheMailbox(t *testing.T) {
	who, key := newCustomer(), newKey()
	order := who.byInvoice("")
	delete(order, "test_clock")
	var c, again, done checkout
	shared.asGuest(t, key, order).want(t, http.StatusAccepted).into(t, &c)
	shared.asGuest(t, key, order).want(t, http.StatusAccepted).into(t, &again)
	shared.know(c)
	id := c.Subscription.ID
	if c.Payment.Status != "awaiting_confirmation" || again.Subscription.ID != id || c.Invoice != nil || len(shared.invoices(t, id)) != 0 {
		t.Fatalf("%+v", c)
	}
	mail := shared.awaitEmails(t, who.email, 1)[0]
	if pdf := shared.attached(t, mail); !strings.HasPrefix(string(pdf), "%PDF-") || mail.Attachments[0].FileName != "Pro forma.pdf" {
		t.Errorf("%s is attached", mail.Attachments[0].FileName)
	}
	token := confirmation(t, mail)
	var pressed sync.WaitGroup
	for range 8 {
		pressed.Go(func() { _, _ = shared.try(http.MethodPost, "/v1/checkout/confirm", object{"token": token}, nil) })
	}
	pressed.Wait()
	shared.confirm(t, token).want(t, http.StatusCreated).into(t, &done)
	if done.Subscription.ID != id || done.Payment.Status != "pending" || done.Invoice == nil || done.Invoice.Number == nil {
		t.Fatalf("%+v", done)
	}
	if all := shared.invoices(t, id); len(all) != 1 || deref(all[0].Number) != *done.Invoice.Number {
		t.Errorf("confirmed nine times, there are %+v", all)
	}
	shared.asGuest(t, key, order).want(t, http.StatusCreated).into(t, &again)
	if again.Invoice == nil || again.Invoice.ID != done.Invoice.ID {
		t.Errorf("the key's answer is %+v", again)
	}
	if l := shared.awaitEmails(t, who.email, 2)[1]; !strings.HasPrefix(l.Subject, "Invoice "+*done.Invoice.Number) {
		t.Error(l.Subject)
	}
	shared.command(t, id, "cancel", nil).want(t, http.StatusOK)
}

func TestASecondTrialWaitsForItsAddressAndIsThenTheOrganisations(t *testing.T) {
	attacker, who := newCustomer(), newCustomer()
	trial := func(email string) object {
		o := attacker.order(object{"pay": "trial", "payment": nil})
		o["billing"].(object)["email"], o["licensee"].(object)["email"] = email, email
		return o
	}
	domain := "@" + strings.SplitN(who.email, "@", 2)[1]
	var first, second checkout
	shared.asGuest(t, newKey(), trial(secret("angreifer"+domain))).want(t, http.StatusCreated).into(t, &first)
	shared.know(first)
	shared.asGuest(t, newKey(), trial(who.email)).want(t, http.StatusAccepted).into(t, &second)
	shared.know(second)
	token := confirmation(t, shared.awaitEmails(t, who.email, 1)[0])
	shared.confirm(t, token).want(t, http.StatusCreated).into(t, &second)
	if first.License != nil || second.Subscription.Status != "trialing" || second.License == nil {
		t.Errorf("%+v, then %+v", first, second)
	}
	shared.asGuest(t, newKey(), trial(secret("dritter"+domain))).wantProblem(t, http.StatusConflict, "trial_already_used")
	for _, c := range []checkout{first, second} {
		shared.command(t, c.Subscription.ID, "cancel", nil).want(t, http.StatusOK)
	}
}
