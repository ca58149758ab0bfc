package integrators

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/okviz/licensing/client"
	"github.com/okviz/licensing/dev/system"
)

type arrived struct {
	id, kind string
	verified error
	data     json.RawMessage
}

// What is sent is verified by the specification's own library.
func TestAPurchaseIsToldToAWebhookEndpoint(t *testing.T) {
	var hook *standardwebhooks.Webhook
	deliveries := make(chan arrived, 64)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var told struct {
			Type string
			Data json.RawMessage
		}
		_ = json.Unmarshal(body, &told)
		deliveries <- arrived{r.Header.Get("webhook-id"), told.Type, hook.Verify(body, r.Header), told.Data}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(receiver.Close)
	s := start(t, func(o *system.Options) { o.WebhookNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	okviz := client.New("http://"+s.HTTP, s.OperatorKey)
	endpoint, err := okviz.CreateWebhookEndpoint(t.Context(), client.CreateWebhookEndpointParams{}, client.CreateWebhookEndpointRequest{
		URL: receiver.URL, Types: []string{"subscription.*", "invoice.paid", "license.issued"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if hook, err = standardwebhooks.NewWebhook(endpoint.Secret); err != nil {
		t.Fatal(err)
	}
	order, err := okviz.Checkout(t.Context(), client.CheckoutBody{
		Product: "calendar-pro", Plan: client.PlanChoice{Type: "users", Tier: "1-20", Cycle: "monthly"},
		Billing: client.BillingBody{Name: "Ada Rossi", Email: "ada@contoso.example", Country: "US"},
		Pay:     "now", Payment: client.PaymentBody{Method: "card", Token: "tok_visa"}, AcceptTerms: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{"subscription.created": true, "subscription.activated": true, "invoice.paid": true, "license.issued": true}
	limit := time.After(2 * time.Minute)
	for len(missing) > 0 {
		select {
		case d := <-deliveries:
			if d.verified != nil {
				t.Errorf("%s: %v", d.kind, d.verified)
			}
			if d.kind == "invoice.paid" {
				var invoice client.Invoice
				if err := json.Unmarshal(d.data, &invoice); err != nil || invoice.ID != order.Invoice.ID || invoice.Total != order.Invoice.Total {
					t.Errorf("the invoice told of is %s (%v), want %s", d.data, err, order.Invoice.ID)
				}
			}
			delete(missing, d.kind)
		case <-limit:
			t.Fatalf("these did not come: %v", missing)
		}
	}
	events := 0
	for event, err := range okviz.ListFeedAll(t.Context(), client.ListFeedParams{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if event.SubscriptionID == order.Subscription.ID {
			events++
		}
	}
	if events < 4 {
		t.Errorf("the feed has %d events of the order", events)
	}
}
