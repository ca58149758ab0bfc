package pages

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/dev/system"
)

// operatorKey is a key of a new operator.
func operatorKey(t *testing.T, s *system.System, name string, role billing.OperatorRole) string {
	t.Helper()
	if _, err := s.Engine.Store.AddOperator(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	key := "okv_" + name + strings.Repeat("0", 32)
	if _, err := s.Engine.Store.PutAPIKey(t.Context(), key, billing.APIKey{Operator: name, Access: string(role)}); err != nil {
		t.Fatal(err)
	}
	return key
}

// works signs an operator in to the console.
func works(shop, key string) chromedp.Tasks {
	return chromedp.Tasks{
		chromedp.Navigate(shop + "/operator"),
		chromedp.WaitVisible("#key"), chromedp.SendKeys("#key", key), chromedp.Click("#sign-in"),
		chromedp.WaitVisible("#who"), loaded,
	}
}

// counted counts what a person does: presses, and texts that they type.
type counted struct{ steps int }

func (c *counted) do(a chromedp.Action) chromedp.Action {
	c.steps++
	return a
}

func (c *counted) press(id string) chromedp.Action { return c.do(press(id)) }

// letter presses a key of the page.
func (c *counted) letter(key string) chromedp.Action { return c.do(chromedp.KeyEvent(key)) }

// find searches from any page.
func (c *counted) find(what string) chromedp.Tasks {
	return chromedp.Tasks{loaded, c.letter("/"), c.do(chromedp.SendKeys("#q", what+"\r")), seen("#found"), loaded}
}

// tasks of a support person and of finance, from the start page, and in how many steps
// each is done: presses and texts typed.
func TestSupportDoesItsDayInTheConsole(t *testing.T) {
	ctx, s := open(t)
	shop := "http://" + s.HTTP
	b := buy(t, s, "tok_visa")
	page := shop + "/operator/subscriptions/" + b.Subscription.ID
	subscription := chromedp.Tasks{seen("#story"), loaded}
	run(t, ctx, works(shop, operatorKey(t, s, "anna", billing.OperatorSupport)))
	var said, next, story, who string
	for _, task := range []struct {
		name  string
		steps int
		do    func(c *counted) chromedp.Tasks
		check func() bool
	}{
		{"find a customer by a part of the address", 3, func(c *counted) chromedp.Tasks {
			return then(c.find("contoso"), c.do(chromedp.Click("#found a[href*='/operator/customer?email=ada']")), seen("#subscriptions"), chromedp.Text("h1", &who))
		}, func() bool { return who == "ada@contoso.example" }},
		{"cancel at the end of the period", 5, func(c *counted) chromedp.Tasks {
			return then(c.find("contoso"), c.do(chromedp.Click("#found a[href*='/operator/subscriptions/sub_']")), subscription,
				c.letter("c"), seen("#asking"), c.press("confirm"), seen("#act-done:not(:empty)"), chromedp.Text("#act-done", &said), chromedp.Text("#next", &next))
		}, func() bool { return said == "It is cancelled." && strings.Contains(next, "it ends on") }},
		{"take the cancellation back", 2, func(c *counted) chromedp.Tasks {
			return then(at(page), subscription, c.press("do-resume"), seen("#asking"), c.press("confirm"), seen("#act-done:not(:empty)"), chromedp.Text("#next", &next))
		}, func() bool { return strings.Contains(next, "the card is charged $9.90") }},
		{"give ten days", 4, func(c *counted) chromedp.Tasks {
			return then(at(page), subscription, c.press("do-extend"), seen("#asking"), c.do(chromedp.SendKeys("#act-days", "10")), c.do(chromedp.SendKeys("#act-reason", "an outage")), c.press("confirm"),
				seen("#act-done:not(:empty)"), chromedp.Text("#act-done", &said))
		}, func() bool { return said == "The days are given." }},
		{"write a note", 3, func(c *counted) chromedp.Tasks {
			return then(at(page), subscription, c.press("do-note"), seen("#asking"), c.do(chromedp.SendKeys("#act-text", "Called: wants an offer in May")), c.press("confirm"), seen("#notes"), chromedp.Text("#notes", &said))
		}, func() bool { return strings.Contains(said, "wants an offer in May") && strings.Contains(said, "anna") }},
		{"suspend the licence", 2, func(c *counted) chromedp.Tasks {
			return then(at(page), subscription, c.press("do-suspend"), seen("#asking"), c.press("confirm"), seen("#do-reinstate"), chromedp.Text("#license", &said))
		}, func() bool { return strings.Contains(said, "Suspended") }},
		{"reinstate it", 2, func(c *counted) chromedp.Tasks {
			return then(at(page), subscription, c.press("do-reinstate"), seen("#asking"), c.press("confirm"), seen("#do-suspend"), chromedp.Text("#license", &said))
		}, func() bool { return strings.Contains(said, "Active") }},
		{"make a link for another card", 2, func(c *counted) chromedp.Tasks {
			return then(at(page), subscription, c.press("do-card"), seen("#asking"), c.press("confirm"), seen("#card-link"), chromedp.Value("#card-link", &said))
		}, func() bool { return strings.Contains(said, "/sandbox/") }},
		{"send the receipt again", 1, func(c *counted) chromedp.Tasks {
			return then(at(page), subscription, polled(`document.querySelector('[data-mail=receipt]')`), c.do(chromedp.Click("[data-mail=receipt]")), polled(`document.querySelector('#mails').textContent.includes('sent again')`), chromedp.Text("#mails", &said))
		}, func() bool { return true }},
	} {
		c := &counted{}
		if err := chromedp.Run(ctx, task.do(c)); err != nil {
			t.Fatalf("%s: %v", task.name, err)
		}
		if !task.check() {
			t.Errorf("%s: %q, next %q, %q", task.name, said, next, who)
		}
		if c.steps != task.steps {
			t.Errorf("%s takes %d steps, and not %d", task.name, c.steps, task.steps)
		}
	}
	run(t, ctx, at(page), subscription, chromedp.Text("#story", &story))
	if !strings.Contains(story, "anna") || !strings.Contains(story, "Bought until") {
		t.Errorf("the story is %q", story)
	}
	var offered []string
	run(t, ctx, chromedp.Evaluate(`[...document.querySelectorAll('#actions button')].map(b => b.id)`, &offered))
	for _, id := range offered {
		if id == "do-cancel-now" || id == "do-refund" || id == "do-mark-paid" {
			t.Errorf("support is offered %s", id)
		}
	}
}

func TestFinanceEndsASubscriptionWithTheRefundThatWasShown(t *testing.T) {
	ctx, s := open(t)
	shop := "http://" + s.HTTP
	b := buy(t, s, "tok_visa")
	page := shop + "/operator/subscriptions/" + b.Subscription.ID
	var choices, status, part string
	run(t, ctx, works(shop, operatorKey(t, s, "bert", billing.OperatorFinance)), at(page), seen("#story"),
		press("do-refund"), seen("#asking"), chromedp.SendKeys("#act-amount", "1.90"), press("confirm"), seen("#act-done:not(:empty)"), chromedp.Text("#invoices .credit", &part),
		press("do-cancel-now"), seen("#asking"), chromedp.Text("#asking", &choices),
		chromedp.Click("input[value=full]"), press("confirm"), seen("#act-done:not(:empty)"), chromedp.Text("#status", &status))
	if !strings.Contains(part, "$1.90") || !strings.Contains(choices, "All of the period: $8.00 to the card") || status != "Ended" {
		t.Errorf("refunded %q; the choices were %q, and it is %q", part, choices, status)
	}
	var offered []string
	run(t, ctx, chromedp.Evaluate(`[...document.querySelectorAll('#actions button')].map(b => b.id)`, &offered))
	for _, id := range offered {
		if id == "do-suspend" || id == "do-cancel" {
			t.Errorf("finance is offered %s", id)
		}
	}
}

func TestWhoMayOnlyReadIsOfferedNothing(t *testing.T) {
	ctx, s := open(t)
	shop := "http://" + s.HTTP
	b := buy(t, s, "tok_visa")
	var offered int
	run(t, ctx, works(shop, operatorKey(t, s, "rita", billing.OperatorRead)), at(shop+"/operator/subscriptions/"+b.Subscription.ID), seen("#story"),
		chromedp.Evaluate(`document.querySelectorAll('#actions button, #mails button').length`, &offered), press("log-out"), seen("#key"))
	if offered != 0 {
		t.Errorf("%d buttons", offered)
	}
	res, err := http.Get(shop + "/operator/subscriptions/" + b.Subscription.ID) // the page itself is nobody's secret
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("%v %v", res, err)
	}
}

func TestEveryPageOfTheConsoleIsAccessibleAndFitsASmallScreen(t *testing.T) {
	ctx, s := open(t)
	shop := "http://" + s.HTTP
	console(t, ctx, s, shop, "console")
}

func console(t *testing.T, ctx context.Context, s *system.System, shop, name string) {
	t.Helper()
	o := place(t, s)
	look(t, ctx,
		state{name + "-sign-in", at(shop + "/operator")},
		state{name + "-start", works(shop, operatorKey(t, s, "olga", billing.OperatorAdmin))},
		state{name + "-search", then(at(shop+"/operator?q=contoso"), seen("#found"))},
		state{name + "-customer", then(at(shop+"/operator/customer?email=ada%40contoso.example"), seen("#subscriptions"))},
		state{name + "-subscription", then(at(shop+"/operator/subscriptions/"+o.active.Subscription.ID), seen("#story"))},
		state{name + "-owing", then(at(shop+"/operator/subscriptions/"+o.owing.Subscription.ID), seen("#story"))},
		state{name + "-invoiced", then(at(shop+"/operator/subscriptions/"+o.invoiced.Subscription.ID), seen("#story"), press("do-mark-paid"), seen("#asking"))},
		state{name + "-cancel-now", then(at(shop+"/operator/subscriptions/"+o.active.Subscription.ID), seen("#story"), press("do-cancel-now"), seen("#asking"))},
		state{name + "-free-licence", then(at(shop+"/operator/free-licence"), seen("#asking"))},
		state{name + "-today", then(at(shop+"/operator/today"), seen("#tasks"))},
		state{name + "-figures", then(at(shop+"/operator/figures"), seen("#report-movements"))},
		state{name + "-catalogue", at(shop + "/operator/catalogue")},
		state{name + "-statements", at(shop + "/operator/statements")},
		state{name + "-sessions", then(at(shop+"/operator/sessions"), seen("#sessions"))},
	)
}

// What finance does with a statement, and what moves a customer, its plan and its
// prices; in Italian where a page is read.
func TestFinanceSettlesStatementsAndAdministratorsMoveCustomersAndPrices(t *testing.T) {
	ctx, s := open(t)
	shop := "http://" + s.HTTP
	b := buy(t, s, "tok_visa")
	run(t, ctx, works(shop, operatorKey(t, s, "olga", billing.OperatorAdmin)))
	file := filepath.Join(t.TempDir(), "statement.csv")
	if err := os.WriteFile(file, []byte("date;amount;currency;reference\n2026-02-03;10,00;USD;Rent of the office\n2026-02-04;12,00;USD;Somebody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var lines, left, today string
	run(t, ctx,
		chromedp.Navigate(shop+"/operator/statements"), chromedp.WaitVisible("#file"))
	run(t, ctx, chromedp.SetUploadFiles("#file", []string{file}), press("upload"))
	run(t, ctx, seen("#lines"), seen("#open-lines"), loaded, chromedp.Text("#open-lines", &lines))
	run(t, ctx, chromedp.Click(`[id^="do-dismiss-"]`, chromedp.ByQuery), seen("#asking"), chromedp.SendKeys("#act-reason", "our own rent"), press("confirm"))
	run(t, ctx, said("Settled."), chromedp.Text("#open-lines", &left))
	run(t, ctx, chromedp.Navigate(shop+"/operator/today"), seen("#tasks"), chromedp.Text("#tasks", &today))
	if !strings.Contains(lines, "Rent of the office") || !strings.Contains(lines, "Somebody") || strings.Contains(left, "Rent") || !strings.Contains(left, "Somebody") {
		t.Errorf("lines %q, then %q", lines, left)
	}
	if !strings.Contains(today, "Statement lines to settle 1") {
		t.Errorf("today: %s", today)
	}

	var story, costs, discount, migration string
	run(t, ctx,
		chromedp.Navigate(shop+"/operator/subscriptions/"+b.Subscription.ID), seen("#story"), loaded,
		press("do-change"), seen("#act-to"), chromedp.Text("#act-to", &costs), chromedp.SetValue("#act-when", "period_end"), press("confirm"), said("The plan is changed, or will be."))
	run(t, ctx,
		press("do-transfer"), seen("#act-email"), chromedp.SendKeys("#act-email", "new-owner@fabrikam.example"), press("confirm"), said("It is another customer’s now."), chromedp.Text("#story", &story))
	run(t, ctx,
		chromedp.Navigate(shop+"/operator/customer?email=new-owner%40fabrikam.example"), seen("#do-discount"), loaded, press("do-discount"),
		chromedp.SendKeys("#act-percent", "15"), press("confirm"), said("The discount is set."), chromedp.Text("#act-done", &discount))
	run(t, ctx,
		chromedp.Navigate(shop+"/operator/catalogue"), seen("#rehearse"), loaded, press("rehearse"), seen("#migration-sum"), chromedp.Text("#migration-sum", &migration),
	)
	if !strings.Contains(costs, "now $") {
		t.Errorf("the plans are offered as %q", costs)
	}
	if story == "" || discount == "" || migration != "All have the newest price already." {
		t.Errorf("story %q, discount %q, migration %q", story, discount, migration)
	}
}

// said waits until the page says so.
func said(what string) chromedp.Action {
	return chromedp.PollFunction(`what => document.getElementById('act-done')?.textContent === what`, nil, chromedp.WithPollingArgs(what), chromedp.WithPollingInterval(50*time.Millisecond))
}
