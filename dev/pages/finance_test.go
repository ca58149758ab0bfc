package pages

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/dev/system"
)

// upload has a paper of the vendor's for customers.
func upload(t *testing.T, s *system.System, name, title string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+s.HTTP+"/v1/operator/vendor-documents/"+name+"?title="+title, strings.NewReader("%PDF-1.7 "+title))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/pdf")
	r.Header.Set("Authorization", "Bearer "+s.OperatorKey)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the upload of %s: %d", name, res.StatusCode)
	}
}

func TestFinanceFindsItsDocumentsStatementQuotesAndPapers(t *testing.T) {
	ctx, s := open(t)
	first := buy(t, s, "tok_visa")
	second := buy(t, s, "tok_visa")
	var none any
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/subscriptions/"+first.Subscription.ID+"/money-back", `{}`, &none)
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/quotes", `{"product": "bullet-chart", "plan": {"type": "users", "tier": "1-20", "cycle": "yearly"},
		"billing": {"name": "Ada Rossi", "email": "ada@contoso.example", "country": "US", "purchase_order": "PO 4711"}}`, &none)
	upload(t, s, "w-9", "W-9")
	dir := t.TempDir()
	var places, tabs, all, notes, of, address, closing, told, quotes string
	count := func(n *int) chromedp.Action {
		return chromedp.Evaluate(`document.querySelectorAll('#documents li').length`, n)
	}
	var total, credited, one int
	filtered := polled(`document.querySelector('#found[aria-busy="false"]')`)
	run(t, ctx,
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir),
		chromedp.Navigate("http://"+s.HTTP+"/account/documents"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#documents"),
		chromedp.Text(".places", &places),
		chromedp.Text(".tabs", &tabs),
		chromedp.Text("#documents", &all),
		count(&total),
		pick("kind", "credit_note"),
		filtered,
		chromedp.Text("#documents", &notes),
		count(&credited),
		pick("kind", ""),
		pick("subscription", second.Subscription.ID),
		filtered,
		chromedp.Text("#documents", &of),
		count(&one),
		chromedp.Location(&address),
		chromedp.Click("#archive"),
	)
	zip := downloaded(t, dir, "documents-*.zip")
	run(t, ctx, chromedp.Click("#documents a[download]"))
	pdf := downloaded(t, dir, "INV-*.pdf")
	if got := strings.Fields(places); strings.Join(got, " ") != "Subscriptions Licences Billing Settings" {
		t.Errorf("the places are %q", got)
	}
	for _, want := range []string{"Documents", "Quotes", "Statement", "Payment methods", "Our papers"} {
		if !strings.Contains(tabs, want) {
			t.Errorf("%q has no %s", tabs, want)
		}
	}
	if total != 3 || strings.Count(all, "INV-") != 2 || credited != 1 || !strings.Contains(notes, "−$9.90") || one != 1 || !strings.Contains(of, "Paid") || !strings.Contains(address, "subscription="+second.Subscription.ID) {
		t.Errorf("%d documents: %q; %d credit notes: %q; %d of the other: %q at %s", total, all, credited, notes, one, of, address)
	}
	if !bytes.HasPrefix(zip, []byte("PK")) || !bytes.HasPrefix(pdf, []byte("%PDF")) {
		t.Errorf("downloaded %.4q and %.4q", zip, pdf)
	}
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/statement"),
		chromedp.WaitVisible("#closing-USD"),
		chromedp.Text("#statement-USD tbody", &told),
		chromedp.Text("#closing-USD", &closing),
		chromedp.Navigate("http://"+s.HTTP+"/account/quotes"),
		chromedp.WaitVisible("#quotes"),
		chromedp.Text("#quotes", &quotes),
		chromedp.Navigate("http://"+s.HTTP+"/account/vendor-documents"),
		chromedp.Click("#vendor-documents a", chromedp.NodeVisible),
	)
	paper := downloaded(t, dir, "w-9.pdf")
	// Two are invoiced and paid; one is credited and goes back to the card.
	if closing != "$0.00" || strings.Count(told, "$9.90") < 6 || strings.Count(told, "Payment of INV") != 2 || strings.Count(told, "Refund of INV") != 1 {
		t.Errorf("the statement closes with %s: %q", closing, told)
	}
	if !strings.Contains(quotes, "Bullet Chart") || !strings.Contains(quotes, "PO 4711") || !strings.Contains(quotes, "Open") || string(paper) != "%PDF-1.7 W-9" {
		t.Errorf("quotes %q; the paper %q", quotes, paper)
	}
}

func TestACustomerWhoReadsItalianGetsItalianMailsUntilTheyChooseAnother(t *testing.T) {
	ctx, s := open(t)
	reads(t, ctx, "it-IT")
	var order string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly&pay=now"),
		buyer("ada@contoso.example", "US"),
		chromedp.Click("#business summary"),
		write("billing-purchase_order", "PO 4711"),
		write("billing-cost_center", "CC 12"),
		press("accept_terms"), press("submit"), give(visa),
		chromedp.WaitVisible("#license-id"),
	)
	link(t, s, "ada@contoso.example", "Ricevuta per Calendar Pro", "/account/subscriptions/")
	var list struct{ Data []struct{ ID string } }
	ask(t, s, http.MethodGet, "http://"+s.HTTP+"/v1/operator/subscriptions?email=ada@contoso.example", "", &list)
	at := "http://" + s.HTTP + "/account/subscriptions/" + list.Data[0].ID
	var po, centre, saved, chosen string
	run(t, ctx,
		chromedp.Navigate(at+"/billing-details"),
		chromedp.WaitVisible("#email"),
		chromedp.SendKeys("#email", "ada@contoso.example"),
		press("ask"), seen("#sent"),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return chromedp.Run(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(link(t, s, "ada@contoso.example", "Accedi a", "/login#token=")))
		}),
		press("sign-in"),
		chromedp.WaitVisible("#billing-language"),
		chromedp.Value("#billing-purchase_order", &po),
		chromedp.Value("#billing-cost_center", &centre),
		chromedp.Value("#billing-language", &chosen),
		write("billing-language", "en"),
		press("save"),
		chromedp.Poll(`document.getElementById('saved').textContent`, nil),
		chromedp.Text("#saved", &saved),
		chromedp.Navigate(at),
		chromedp.WaitVisible("#purchase-order"),
		chromedp.Text("dl.facts", &order),
	)
	if po != "PO 4711" || centre != "CC 12" || chosen != "it" || saved == "" || !strings.Contains(order, "CC 12") {
		t.Errorf("%q, %q in %s; %q: %q", po, centre, chosen, saved, order)
	}
	var none any
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/subscriptions/"+list.Data[0].ID+"/cancel", `{}`, &none)
	link(t, s, "ada@contoso.example", "Calendar Pro is cancelled", "/account/subscriptions/")
}

func TestWhoCancelsMaySayWhyAndIsOfferedLess(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	var later bool
	var instead string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID),
		signIn(t, s, "ada@contoso.example"),
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID+"/change?when=period_end"),
		chromedp.WaitVisible("#when-end"),
		chromedp.Evaluate(`document.getElementById('when-end').checked`, &later),
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID),
		press("cancel"), seen("#confirm-cancel"),
		chromedp.AttributeValue("#instead a", "href", &instead, nil),
		chromedp.SetValue("#why", "too_expensive"),
		chromedp.SendKeys("#why-more", "We are only three."),
		press("confirm-cancel"), seen("#resume"),
	)
	var notes struct {
		Data []struct{ Actor, Text string }
	}
	ask(t, s, http.MethodGet, "http://"+s.HTTP+"/v1/operator/subscriptions/"+b.Subscription.ID+"/notes", "", &notes)
	if len(notes.Data) != 1 || notes.Data[0].Actor != "customer" || notes.Data[0].Text != "Cancelled: too_expensive: We are only three." {
		t.Errorf("operators read %+v", notes.Data)
	}
	if !later || instead != "/account/subscriptions/"+b.Subscription.ID+"/change?when=period_end" {
		t.Error("the smaller plan does not wait for the period's end")
	}
}

func TestWhoBoughtBeforeSigningInFindsTheirDetailsInTheNextOrder(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	var name, email, licensee string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=bullet-chart&pay=now"),
		chromedp.Click(toSignIn, chromedp.NodeVisible),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#licensee-email"),
		chromedp.Value("#billing-name", &name),
		chromedp.Value("#billing-email", &email),
		chromedp.Value("#licensee-email", &licensee),
	)
	if name != "Ada Rossi" || email != "ada@contoso.example" || licensee != "bea@contoso.example" {
		t.Errorf("the next order begins with %q, %q, for %q", name, email, licensee)
	}
}

func TestADeclinedCardIsNotListedAndItsOrderDoesNotWaitForEver(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	var cards, overview string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=bullet-chart&type=users&tier=1-20&cycle=yearly"),
		fill("ada@contoso.example"),
		chromedp.Click("#submit"),
		give(declined),
		chromedp.WaitVisible("#payment-token-error"),
		chromedp.Navigate("http://"+s.HTTP+"/account/payment-methods"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#cards"),
		chromedp.Text("#cards", &cards),
		chromedp.Navigate("http://"+s.HTTP+"/account"),
		chromedp.WaitVisible("#subscriptions"),
		chromedp.Text(".content", &overview),
	)
	if strings.Count(cards, "ending in") != 1 || strings.Contains(cards, "0002") {
		t.Errorf("the cards are %q", cards)
	}
	if strings.Contains(overview, "Waiting") || strings.Contains(overview, "Bullet Chart") || strings.Contains(overview, "Not issued") {
		t.Errorf("the overview says %q", overview)
	}
}
