package billing

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// wantWords holds an event to a sentence in which nothing is missing.
func wantWords(t rapid.TB, e Event) {
	t.Helper()
	for _, gap := range []string{"0001-01-01", "of  ", "of ,", ": .", "from  ", "to .", "that is ;"} {
		if strings.Contains(e.Text, gap) {
			t.Errorf("%s lacks a detail: %q, %+v", e.Kind, e.Text, *e.Details)
		}
	}
}

func TestEveryKindOfEventHasASentence(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if c, ok := n.(*ast.GenDecl); ok && c.Tok == token.CONST {
			named += len(c.Specs)
		}
		return true
	})
	kinds := EventKinds()
	if named != len(kinds) || !slices.Contains(kinds, EventRenewal) {
		t.Errorf("%d kinds have a name, and %d a sentence", named, len(kinds))
	}
}

func TestAnEventSaysWhatHappened(t *testing.T) {
	at, some, rest := instant("2026-01-31 10:00"), Money{990, "USD"}, Money{150, "USD"}
	small, large := PlanRef{ID: "small"}, PlanRef{ID: "large"}
	for _, c := range []struct {
		kind EventKind
		d    EventDetails
		want string
	}{
		{EventRenewal, EventDetails{Amount: some, By: ByCard, Until: at}, "Renewed until 2026-01-31; 9.90 USD charged."},
		{EventRenewal, EventDetails{Amount: some, By: ByInvoice, Until: at}, "Renewed until 2026-01-31; 9.90 USD received."},
		{EventRenewal, EventDetails{Amount: Money{0, "USD"}, By: ByCard, Until: at}, "Renewed until 2026-01-31; nothing was due."},
		{EventChange, EventDetails{Amount: some, By: ByCard, OldPlan: small, Plan: large}, "Changed from small to large; 9.90 USD charged."},
		{EventChange, EventDetails{OldPlan: small, Plan: large}, "Changed from small to large in the trial."},
		{EventCanceled, EventDetails{Code: "requested"}, "Ended: requested."},
		{EventCanceled, EventDetails{Code: "refunded", Amount: some}, "Ended: refunded. Given back: 9.90 USD to the card."},
		{EventRefunded, EventDetails{Balance: rest}, "Given back: 1.50 USD to the account's balance."},
		{EventRefunded, EventDetails{Amount: some, Balance: rest}, "Given back: 9.90 USD to the card, 1.50 USD to the account's balance."},
		{EventDeclined, EventDetails{Amount: some, Code: "generic_decline"}, "A payment of 9.90 USD was declined: generic_decline."},
		{EventDeclined, EventDetails{Amount: some, Code: DeclineAbandoned}, "A payment of 9.90 USD that waited for the customer was given up."},
		{EventGatewayRejected, EventDetails{Amount: some, Code: "refused"}, "The gateway refused a payment of 9.90 USD: refused."},
		{EventGatewayRejected, EventDetails{Code: "refused"}, "The gateway would not store a card: refused."},
		{EventTransfer, EventDetails{Amount: some}, "A transfer of 9.90 USD came for an invoice."},
		{EventTransferShort, EventDetails{Amount: some, On: at.Add(-24 * time.Hour)}, "A transfer of 9.90 USD came for an invoice (value date 2026-01-30) and does not suffice; it is on the balance."},
	} {
		is(t, string(c.kind), NewEvent(at, c.kind, c.d).Text, c.want)
	}
}
