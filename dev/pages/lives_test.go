package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/dev/system"
)

// clock makes a test clock, and moves it.
type clock struct {
	t  *testing.T
	s  *system.System
	ID string
}

func newClock(t *testing.T, s *system.System, now string) *clock {
	t.Helper()
	c := &clock{t: t, s: s}
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/operator/test-clocks", `{"now": "`+now+`"}`, c)
	return c
}

func (c *clock) to(at string) {
	c.t.Helper()
	ask(c.t, c.s, http.MethodPost, "http://"+c.s.HTTP+"/v1/operator/test-clocks/"+c.ID+"/advance", `{"to": "`+at+`"}`, c)
}

func (c *clock) order() string { return `"test_clock": "` + c.ID + `"` }

func TestATrialWithACardFromItsPageBecomesASubscription(t *testing.T) {
	ctx, s := open(t)
	c := newClock(t, s, "2026-01-31T10:00:00Z")
	b := buy(t, s, "tok_visa", c.order())
	var tried bought
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/checkout", `{"product": "bullet-chart", "plan": {"type": "users", "tier": "1-20", "cycle": "monthly"},
		"billing": {"name": "Ada Rossi", "email": "ada@contoso.example", "country": "US"}, "pay": "trial", "accept_terms": true, `+c.order()+`}`, &tried)
	at := "http://" + s.HTTP + "/account/subscriptions/" + tried.Subscription.ID
	var before, card, after string
	run(t, ctx,
		chromedp.Navigate(at),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#status"),
		chromedp.Text("#status", &before),
		chromedp.Click("#payment-method"),
		chromedp.Click("#use-card", chromedp.NodeVisible),
		give(visa),
		chromedp.WaitVisible("#payment"),
		chromedp.Text("#payment", &card),
	)
	if taken := charges(t, s, tried.Subscription.ID); len(taken) != 0 {
		t.Errorf("the trial was charged %v", taken)
	}
	c.to("2026-02-28T10:00:00Z")
	run(t, ctx, chromedp.Navigate(at), chromedp.WaitVisible("#status"), chromedp.Text("#status", &after))
	if before != "Trial" || !strings.Contains(card, "4242") || after != "Active" || len(charges(t, s, tried.Subscription.ID)) != 1 {
		t.Errorf("%s, with %s, then %s, charged %v", before, card, after, charges(t, s, tried.Subscription.ID))
	}
	if len(charges(t, s, b.Subscription.ID)) != 2 {
		t.Error("the other subscription was not renewed as ever")
	}
}

func TestADowngradeLeavesTheRestOnTheBalance(t *testing.T) {
	ctx, s := open(t)
	c := newClock(t, s, "2026-04-01T00:00:00Z")
	b := buy(t, s, "tok_visa", c.order())
	var changed map[string]any
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/subscriptions/"+b.Subscription.ID+"/change", `{"plan": {"type": "users", "tier": "51-100", "cycle": "monthly"}}`, &changed)
	paid := len(charges(t, s, b.Subscription.ID))
	var due, after, held, plan string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID+"/change"),
		signIn(t, s, "ada@contoso.example"),
		pick("tier", "1-20"),
		chromedp.WaitVisible("#cost-after"),
		chromedp.Text("#cost-due", &due),
		chromedp.Text("#cost-after", &after),
		chromedp.Click("#confirm-change"),
		chromedp.Click("#back", chromedp.NodeVisible),
		chromedp.WaitVisible("#plan"),
		chromedp.Text("#plan", &plan),
		chromedp.Navigate("http://"+s.HTTP+"/account/details"),
		chromedp.WaitVisible("#balance-USD"),
		chromedp.Text("#balance-USD", &held),
	)
	if due != "$0.00" || held != after || !strings.Contains(plan, "1-20") || len(charges(t, s, b.Subscription.ID)) != paid {
		t.Errorf("%s was due, %s announced and %s held, for %s; charged %v", due, after, held, plan, charges(t, s, b.Subscription.ID))
	}
}

func TestACancelledSubscriptionEndsWhereItsPageSaid(t *testing.T) {
	ctx, s := open(t)
	c := newClock(t, s, "2026-01-31T10:00:00Z")
	b := buy(t, s, "tok_visa", c.order())
	at := "http://" + s.HTTP + "/account/subscriptions/" + b.Subscription.ID
	var ends, before, status, ended string
	run(t, ctx,
		chromedp.Navigate(at),
		signIn(t, s, "ada@contoso.example"),
		chromedp.Click("#cancel", chromedp.NodeVisible),
		chromedp.Click("#confirm-cancel", chromedp.NodeVisible),
		chromedp.WaitVisible("#ends"),
		chromedp.Text("#ends", &ends),
	)
	c.to("2026-02-28T09:59:59Z")
	run(t, ctx, chromedp.Reload(), chromedp.WaitVisible("#resume"), chromedp.Text("#status", &before))
	c.to("2026-02-28T10:00:00Z")
	run(t, ctx, chromedp.Reload(), chromedp.WaitVisible("#canceled"), chromedp.WaitNotPresent("#resume"), chromedp.Text("#status", &status), chromedp.Text("#canceled", &ended))
	if !strings.HasPrefix(ended, ends) || before == status || status != "Cancelled" || len(charges(t, s, b.Subscription.ID)) != 1 {
		t.Errorf("until %s it is %s, then %s at %s; charged %v", ends, before, status, ended, charges(t, s, b.Subscription.ID))
	}
}

func TestTwoTabsChangeOnce(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	at := "http://" + s.HTTP + "/account/subscriptions/" + b.Subscription.ID + "/change"
	run(t, ctx, chromedp.Navigate(at), signIn(t, s, "ada@contoso.example"), pick("cycle", "yearly"), chromedp.WaitVisible("#cost-due"))
	second, close := chromedp.NewContext(ctx)
	defer close()
	run(t, second, chromedp.Navigate(at), pick("cycle", "yearly"), chromedp.WaitVisible("#cost-due"))
	run(t, ctx, page.BringToFront(), chromedp.Click("#confirm-change"), chromedp.WaitVisible("#back"))
	var refused string
	run(t, second, page.BringToFront(), chromedp.Click("#confirm-change"),
		chromedp.Poll(`document.getElementById('command-error')?.textContent !== ''`, nil), chromedp.Text("#command-error", &refused))
	if taken := charges(t, s, b.Subscription.ID); refused == "" || len(taken) != 2 {
		t.Errorf("the second tab says %q, and charged was %v", refused, taken)
	}
}

func TestARenewalThatTheBankAsksAboutIsConfirmedFromItsPage(t *testing.T) {
	ctx, s := open(t)
	c := newClock(t, s, "2026-01-31T10:00:00Z")
	var asked struct {
		Subscription struct{ ID string }
		Payment      struct {
			ActionURL string `json:"action_url"`
		}
	}
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/checkout", `{"product": "calendar-pro", "plan": {"type": "users", "tier": "1-20", "cycle": "monthly"},
		"billing": {"name": "Ada Rossi", "email": "ada@contoso.example", "country": "US"}, "pay": "now",
		"payment": {"method": "card", "token": "tok_3ds"}, "accept_terms": true, `+c.order()+`}`, &asked)
	answered, err := http.PostForm(asked.Payment.ActionURL, url.Values{"answer": {"approve"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answered.Body.Close()
	c.to("2026-02-28T10:00:00Z")
	mailed := link(t, s, "ada@contoso.example", "Action needed", "/account/subscriptions/")
	var banner, owed, status string
	run(t, ctx,
		chromedp.Navigate(mailed),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#confirm"),
		chromedp.Navigate("http://"+s.HTTP+"/account"), // somewhere else first
		chromedp.Text(".banner", &banner),
		chromedp.Click(".banner a"),
		chromedp.WaitVisible("#confirm"),
		chromedp.Text("#status", &owed),
		chromedp.Click("#confirm"),
		chromedp.Click("#approve", chromedp.NodeVisible),
		chromedp.WaitVisible("#status"),
		chromedp.WaitNotPresent("#confirm"),
		chromedp.Text("#status", &status),
	)
	if !strings.Contains(banner, "bank wants you to confirm") || owed == status || status != "Active" || len(charges(t, s, asked.Subscription.ID)) != 2 {
		t.Errorf("%q: %s, then %s, and charged %v", banner, owed, status, charges(t, s, asked.Subscription.ID))
	}
}

func TestAnItalianReadsTheHistoryInItalian(t *testing.T) {
	ctx, s := open(t)
	c := newClock(t, s, "2026-01-31T10:00:00Z")
	id := buy(t, s, "tok_visa", c.order()).Subscription.ID
	var done map[string]any
	of := "http://" + s.HTTP + "/v1/subscriptions/" + id
	c.to("2026-03-15T10:00:00Z")
	ask(t, s, http.MethodPost, of+"/change", `{"plan": {"type": "users", "tier": "21-50", "cycle": "monthly"}}`, &done)
	ask(t, s, http.MethodPost, of+"/cancel", `{}`, &done)
	ask(t, s, http.MethodPost, of+"/resume", `{}`, &done)
	ask(t, s, http.MethodPost, of+"/payment-method", `{"token": "tok_insufficient_funds"}`, &done)
	c.to("2026-04-15T10:00:00Z")
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/operator/subscriptions/"+id+"/cancel-now", `{"refund": "full"}`, &done)
	reads(t, ctx, "it-IT")
	var history []string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+id),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#history"),
		chromedp.Evaluate(`[...document.querySelectorAll('#history li')].map(line => line.innerText.replace(/\s+/g, ' '))`, &history),
	)
	slices.Reverse(history)
	want := []string{
		"31 gennaio 2026 alle ore 10:00 UTC · la nostra assistenza Acquistato fino al 28 febbraio 2026. 9,90 USD addebitati.",
		"28 febbraio 2026 alle ore 10:00 UTC · automatico Rinnovato fino al 31 marzo 2026. 9,90 USD addebitati.",
		"15 marzo 2026 alle ore 10:00 UTC · la nostra assistenza Passaggio da Utenti 1-20, mensile a Utenti 21-50, mensile. 14,69 USD addebitati.",
		"15 marzo 2026 alle ore 10:00 UTC · la nostra assistenza Disdetto. Funziona fino al 15 aprile 2026 alle ore 10:00 UTC.",
		"15 marzo 2026 alle ore 10:00 UTC · la nostra assistenza La disdetta è stata annullata.",
		"15 marzo 2026 alle ore 10:00 UTC · la nostra assistenza È stata registrata una carta.",
		"15 aprile 2026 alle ore 10:00 UTC · la banca Un pagamento di 19,80 USD è stato rifiutato: fondi insufficienti.",
		"15 aprile 2026 alle ore 10:00 UTC · la nostra assistenza Terminato: dalla nostra assistenza. Rimborsati 19,80 USD sulla carta.",
		"15 aprile 2026 alle ore 10:00 UTC · automatico Il rimborso di 19,80 USD è stato confermato.",
	}
	if diff := cmp.Diff(want, history); diff != "" {
		t.Error(diff)
	}
	// What no dictionary knows, and what was written without details, has the
	// API's words.
	var other []string
	run(t, ctx, chromedp.Evaluate(`import('/assets/history.js').then(({ said }) => [
		said({ kind: 'toString', text: 'Something new.', details: {} }), said({ kind: 'renewal', text: 'Something old.' })].map(s => s.values[0]))`,
		&other, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if diff := cmp.Diff([]string{"Something new.", "Something old."}, other); diff != "" {
		t.Error(diff)
	}
}
