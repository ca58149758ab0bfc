package pages

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/dev/system"
)

// then is one more step after others.
func then(steps ...chromedp.Action) chromedp.Tasks { return steps }

// press presses what appears.
func press(id string) chromedp.Action { return chromedp.Click("#"+id, chromedp.NodeVisible) }

// seen waits for what appears.
func seen(what string) chromedp.Action { return chromedp.WaitVisible(what) }

func TestEveryPageOfAVisitorIsAccessibleAndFitsASmallScreen(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	shop, box := "http://"+s.HTTP, "http://"+s.Mailbox
	link(t, s, "ada@contoso.example", "", "/account/subscriptions/"+b.Subscription.ID)
	look(t, ctx,
		state{"missing", at(shop + "/nowhere")},
		state{"visuals", at(shop + "/")},
		state{"product", at(shop + "/products/calendar-pro")},
		state{"login", at(shop + "/login")},
		state{"login-wrong", then(press("ask"), chromedp.Poll(`document.getElementById('login-error').textContent`, nil))},
		state{"login-sent", then(chromedp.SendKeys("#email", "bea@contoso.example"), press("ask"), seen("#sent"))},
		state{"login-unknown-link", then(chromedp.Navigate("about:blank"), at(shop+"/login#token=login_1"), press("sign-in"), seen("#email"))},
		state{"mailbox", at(box + "/")},
		state{"mailbox-mail", then(chromedp.Click("tbody a"), seen("iframe"))},
	)
}

// Redoc draws it, and axe takes minutes for its thousands of elements.
func TestTheDocsOfTheAPIAreDrawn(t *testing.T) {
	ctx, s := open(t)
	var text string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/docs"),
		chromedp.WaitVisible(".api-content"),
		chromedp.Text(".menu-content", &text),
	)
	if !strings.Contains(text, "Checkout") {
		t.Errorf("the menu is %q", text)
	}
}

func TestEveryPageOfAnOrderIsAccessibleAndFitsASmallScreen(t *testing.T) {
	ctx, s := open(t)
	shop := "http://" + s.HTTP
	order := shop + "/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly"
	forget := chromedp.Evaluate(`sessionStorage.clear()`, nil) // what has been typed
	agreed := then(press("accept_terms"), press("submit"))
	look(t, ctx,
		state{"checkout", at(order + "&pay=now")},
		state{"checkout-trial", at(order + "&pay=trial")},
		state{"checkout-empty", then(press("submit"), seen("#billing-name-error"))},
		state{"checkout-sites", then(at(shop+"/checkout?product=smart-filter-pro&type=site&cycle=yearly&pay=now"), buyer("ada@contoso.example", "DE"),
			press("licensee-same"), write("billing-vat_id", "DE1"), write("coupon", "NOSUCH"), seen("#billing-vat_id-error"), seen("#coupon-error"))},
		state{"gateway-card", then(forget, at(order+"&pay=now"), buyer("ada@contoso.example", "US"), agreed, seen("#number"))},
		state{"gateway-card-unknown", then(give("1234"), seen("#problem"))},
		state{"checkout-declined", then(give(declined), seen("#payment-token-error"))},
		state{"gateway-bank", then(press("submit"), give(asks), seen("#approve"))},
		state{"result-bank", then(chromedp.Navigate(shop), chromedp.Evaluate(`location.assign('/checkout?order=' + JSON.parse(sessionStorage['okviz.order']).subscription)`, nil), seen("#confirm"))},
		state{"result", then(press("confirm"), press("approve"), seen("#license-id"))},
		state{"result-trial", then(at(shop+"/checkout?product=bullet-chart&type=users&tier=1-20&cycle=monthly&pay=trial"), buyer("ada@contoso.example", "US"), agreed, seen("#to-license"))},
		state{"checkout-invoice", then(at(shop+"/checkout?product=calendar-pro&type=users&tier=51-100&cycle=three_years&pay=now"), buyer("ada@contoso.example", "US"), press("by-invoice"))},
		state{"result-waits", then(agreed, seen("#waits"))},
		state{"confirm", then(mailed(t, s, "ada@contoso.example", "Confirm your order", "/confirm#token="), seen("#confirm-order"))},
		state{"result-invoice", then(press("confirm-order"), seen("#owed"))},
		state{"confirm-wrong", then(chromedp.Navigate("about:blank"), at(shop+"/confirm#token=oct_x"), press("confirm-order"), seen("#form-error:not(:empty)"))},
		state{"checkout-quote", then(at(order+"&pay=quote"), buyer("ada@contoso.example", "US"))},
		state{"result-quote", then(press("submit"), seen("#quote-number"))},
		state{"quote", then(mailed(t, s, "ada@contoso.example", "Your quote", "/quotes/quo_"), seen("#quote-total"))},
		state{"quote-declined", then(agreed, give(declined), seen("#payment-token-error"))},
		state{"quote-accepted", then(press("submit"), give(visa), seen("#license-id"), mailed(t, s, "ada@contoso.example", "Your quote", "/quotes/quo_"), seen("#to-subscription"))},
	)
}

// mailed goes to where the link of a mail leads.
func mailed(t *testing.T, s *system.System, email, subject, page string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		return chromedp.Run(ctx, chromedp.Navigate("about:blank"), at(link(t, s, email, subject, page)))
	})
}

// orders places one order of every kind, all of one account.
type orders struct{ active, owing, asked, ended, trial, invoiced, sites bought }

func place(t *testing.T, s *system.System) (o orders) {
	t.Helper()
	c := newClock(t, s, "2026-01-15T10:00:00Z")
	order := func(into *bought, what, pay string) {
		ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/checkout", `{"billing": {"name": "Ada Rossi", "email": "ada@contoso.example", "country": "US"},
			"licensee": {"name": "Bea Bianchi", "email": "bea@contoso.example"}, "accept_terms": true, `+what+`, `+pay+`}`, into)
	}
	monthly := func(product string) string {
		return `"product": "` + product + `", "plan": {"type": "users", "tier": "1-20", "cycle": "monthly"}`
	}
	now := func(card string) string {
		return `"pay": "now", "payment": {"method": "card", "token": "` + card + `"}`
	}
	order(&o.ended, monthly("bullet-chart"), now("tok_visa")+", "+c.order())
	order(&o.owing, monthly("smart-filter-pro"), now("tok_later_declined")+", "+c.order())
	order(&o.asked, monthly("card-with-states"), now("tok_3ds")+", "+c.order())
	order(&o.trial, monthly("synoptic-panel"), `"pay": "trial"`)
	order(&o.invoiced, `"product": "calendar-pro", "plan": {"type": "users", "tier": "Unlimited", "cycle": "yearly"}`, `"pay": "now", "payment": {"method": "invoice"}`)
	order(&o.sites, `"product": "smart-filter-pro", "plan": {"type": "site", "cycle": "yearly"}, "quantity": 2, "sites": ["reports.contoso.example"]`, now("tok_visa"))
	order(&o.active, monthly("calendar-pro"), now("tok_visa"))
	answered, err := http.PostForm(o.asked.Payment.ActionURL, url.Values{"answer": {"approve"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answered.Body.Close()
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/subscriptions/"+o.ended.Subscription.ID+"/cancel", `{}`, &map[string]any{})
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/quotes", `{"billing": {"name": "Ada Rossi", "email": "ada@contoso.example", "country": "US", "purchase_order": "PO 7"}, `+monthly("calendar-pro")+`}`, &map[string]any{})
	upload(t, s, "w-9", "W-9")
	c.to("2026-02-16T10:00:00Z")
	return o
}

// ofAccount are the pages of who pays, and then of who has the licences.
func ofAccount(t *testing.T, s *system.System, language string) []state {
	o := place(t, s)
	account := "http://" + s.HTTP + "/account"
	subscription := func(b bought) chromedp.Tasks {
		return then(at(account+"/subscriptions/"+b.Subscription.ID), seen("#status"))
	}
	states := []state{
		{"account", then(chromedp.Navigate(account), signIn(t, s, "ada@contoso.example"), seen(".banner"))},
		{"subscriptions", at(account + "/subscriptions")},
		{"change", at(account + "/subscriptions/" + o.active.Subscription.ID + "/change")},
		{"change-cost", then(pick("cycle", "yearly"), seen("#cost-credit"))},
		{"change-done", then(press("confirm-change"), seen("#back"))},
		{"subscription", subscription(o.active)},
		{"subscription-card", then(press("payment-method"), seen("#use-card"))},
		{"subscription-renew", then(press("renew"), seen("#confirm-renew"))},
		{"subscription-money-back", then(press("money-back"), seen("#confirm-money-back"))},
		{"subscription-cancel", then(press("cancel"), seen("#confirm-cancel"))},
		{"subscription-cancelled", then(press("confirm-cancel"), seen("#resume"))},
		{"subscription-past-due", subscription(o.owing)},
		{"subscription-bank", then(subscription(o.asked), seen("#confirm"))},
		{"subscription-ended", subscription(o.ended)},
		{"subscription-trial", subscription(o.trial)},
		{"subscription-invoice", subscription(o.invoiced)},
		{"licenses", at(account + "/licenses")},
		{"license", at(account + "/licenses/" + o.active.License.ID)},
		{"documents", then(at(account+"/documents"), seen("#documents"))},
		{"documents-none", then(pick("kind", "credit_note"), seen("#none"))},
		{"quotes", then(at(account+"/quotes"), seen("#quotes"))},
		{"statement", then(at(account+"/statement"), seen("#statement-USD"))},
		{"vendor-documents", then(at(account+"/vendor-documents"), seen("#vendor-documents"))},
		{"billing-details", at(account + "/subscriptions/" + o.active.Subscription.ID + "/billing-details")},
		{"addresses", at(account + "/addresses")},
		{"addresses-wrong", then(pick("billing-country", "IT"), write("billing-vat_id", "X"), press("save"), seen(".error:not(:empty)"))},
		{"payment-methods", at(account + "/payment-methods")},
		{"people", at(account + "/people")},
		{"details", at(account + "/details")},
		{"details-erase", then(press("erase"), seen("#asking"))},
		{"api-keys", at(account + "/api-keys")},
		{"api-keys-new", then(press("make-key"), seen("#new-key"))},
		{"licensee", then(press("log-out"), seen("#to-login"), chromedp.Navigate(account), signIn(t, s, "bea@contoso.example"), seen("#licenses"))},
		{"licensee-file", at(account + "/licenses/" + o.active.License.ID)},
		{"licensee-sites", at(account + "/licenses/" + o.sites.License.ID)},
		{"licensee-key", then(at(account+"/licenses/"+o.trial.License.ID), seen("#activation-key"))},
		{"licensee-ended", at(account + "/licenses/" + o.ended.License.ID)},
	}
	for i := range states {
		states[i].name = language + states[i].name
	}
	return states
}

func TestEveryPageOfAnAccountIsAccessibleAndFitsASmallScreen(t *testing.T) {
	ctx, s := open(t)
	look(t, ctx, ofAccount(t, s, "")...)
}

func TestEveryPageIsItalianForWhoReadsItalian(t *testing.T) {
	ctx, s := open(t)
	reads(t, ctx, "it-IT")
	order := "http://" + s.HTTP + "/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly&currency=EUR"
	look(t, ctx, state{"it-checkout", at(order + "&pay=now")},
		state{"it-checkout-trial", at(order + "&pay=trial")},
		state{"it-checkout-empty", then(press("submit"), seen("#billing-name-error"))},
		state{"it-checkout-quote", at(order + "&pay=quote")},
		state{"it-result", then(at(order+"&pay=now"), buyer("ada@contoso.example", "US"), press("accept_terms"), press("submit"), give(visa), seen("#license-id"))},
		state{"it-checkout-invoice", then(at("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=51-100&cycle=three_years&pay=now"), buyer("ada@contoso.example", "US"), press("by-invoice"))},
		state{"it-result-waits", then(press("accept_terms"), press("submit"), seen("#waits"))},
		state{"it-confirm", then(mailed(t, s, "ada@contoso.example", "Conferma il tuo ordine", "/confirm#token="), seen("#confirm-order"))},
	)
	look(t, ctx, ofAccount(t, s, "it-")...)
}

// reads has the browser prefer a language.
func reads(t *testing.T, ctx context.Context, language string) {
	t.Helper()
	var agent string
	run(t, ctx, chromedp.Evaluate(`navigator.userAgent`, &agent), chromedp.ActionFunc(func(ctx context.Context) error {
		return emulation.SetUserAgentOverride(agent).WithAcceptLanguage(language).Do(ctx)
	}))
}
