// Package pages tries the pages as a person does, in a real browser.
package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/dev/chrome"
	"github.com/okviz/licensing/dev/system"
)

// open opens a page of a system of its own.
func open(t *testing.T) (context.Context, *system.System) {
	t.Helper()
	return openWith(t, system.Options{})
}

// openWith is open of a system with some options.
func openWith(t *testing.T, o system.Options) (context.Context, *system.System) {
	t.Helper()
	path := chrome.Need(t)
	o.Data, o.HTTP, o.Mailbox, o.Temporal, o.Log = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s, err := system.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	options := chrome.Options(path, t.TempDir(), chromedp.WindowSize(1280, 1000), chromedp.Flag("lang", "en-US"))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx, s
}

// fill writes the billing details into the checkout.
func fill(email string) chromedp.Tasks {
	return chromedp.Tasks{
		chromedp.WaitVisible("#checkout"),
		chromedp.SetValue("#billing-name", "Ada Rossi"),
		chromedp.SendKeys("#billing-email", email),
		chromedp.SetValue("#billing-country", "US"),
		chromedp.Evaluate(`for (const id of ['billing-name', 'billing-email', 'billing-country']) {
			const e = document.getElementById(id);
			e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true}));
		}`, nil),
		chromedp.Click("#pay"),
		chromedp.WaitVisible("#by-card-note"),
		chromedp.WaitVisible(`#totals[aria-busy="false"]`), // until then what is to be pressed may move
		chromedp.Click("#accept_terms"),
	}
}

// Cards of the sandbox, as its page takes them.
const (
	visa     = "4242 4242 4242 4242"
	declined = "4000 0000 0000 0002"
	asks     = "4000 0027 6000 3155" // the bank wants the customer to confirm
)

// give gives a card on the gateway's page, to which the browser has been sent.
func give(number string) chromedp.Tasks {
	return chromedp.Tasks{
		chromedp.WaitVisible("#number"),
		chromedp.SendKeys("#number", number),
		chromedp.Click("form button"),
	}
}

func TestAPersonBuysInTheBrowser(t *testing.T) {
	ctx, s := open(t)
	var price, due, license, mail string
	var agreed bool
	err := chromedp.Run(ctx,
		chromedp.Navigate("http://"+s.HTTP+"/"),
		chromedp.WaitVisible("#product-calendar-pro"),
		chromedp.Navigate("http://"+s.HTTP+"/products/calendar-pro"),
		chromedp.WaitVisible("#buy-powerbi"),
		chromedp.Text("#price-powerbi", &price),
		chromedp.Click("#buy-powerbi"),
		fill("ada@contoso.example"),
		chromedp.Text("#total-due", &due),
		chromedp.Click("#submit"),
		give(visa),
		chromedp.WaitVisible("#license-id"),
		chromedp.Text("#license-id", &license),
		chromedp.Text("#mail-licensee", &mail),
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=bullet-chart"),
		chromedp.WaitVisible("#accept_terms"),
		chromedp.Evaluate(`document.getElementById('accept_terms').checked`, &agreed),
	)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(price, "$9.90") || !strings.Contains(due, "$9.90") {
		t.Errorf("the page shows %q, and at checkout %q", price, due)
	}
	if !strings.HasPrefix(strings.TrimSpace(license), "lic_") || !strings.Contains(mail, "ada@contoso.example") {
		t.Errorf("the result shows licence %q and mail to %q", license, mail)
	}
	if agreed {
		t.Error("the terms of the next order are accepted already")
	}
}

func TestAReceiptIsShownInAnyTabWithItsInvoiceAndFile(t *testing.T) {
	ctx, s := open(t)
	var at, paid, number, paidThere, numberThere string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly"),
		fill("ada@contoso.example"),
		chromedp.Click("#submit"),
		give(visa),
		chromedp.WaitVisible("#license-id"),
		chromedp.Text("#paid", &paid),
		chromedp.Text("#invoice-number", &number),
		chromedp.Location(&at),
	)
	tab, done := chromedp.NewContext(ctx)
	defer done()
	dir := t.TempDir()
	run(t, tab,
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir),
		chromedp.Navigate(at),
		chromedp.WaitVisible("#license-id"),
		chromedp.Text("#paid", &paidThere),
		chromedp.Text("#invoice-number", &numberThere),
		chromedp.Click("#save-invoice"),
	)
	pdf := downloaded(t, dir, number+".pdf")
	run(t, tab, chromedp.Click("#save-file"))
	file := downloaded(t, dir, "*.pbiviz")
	if paid != "$9.90" || paidThere != paid || numberThere != number || !strings.HasPrefix(number, "INV-") {
		t.Errorf("%s by %s, in another tab %s by %s", paid, number, paidThere, numberThere)
	}
	if !bytes.HasPrefix(pdf, []byte("%PDF")) || !bytes.HasPrefix(file, []byte("PK")) {
		t.Errorf("the invoice begins with %q, the file with %q", pdf[:4], file[:2])
	}
	var gone string
	run(t, tab,
		chromedp.Evaluate(`localStorage.clear()`, nil),
		chromedp.Reload(),
		chromedp.WaitVisible("#result"),
		chromedp.Text("#result", &gone),
	)
	if !strings.Contains(gone, "no longer at hand") {
		t.Errorf("without the order's token the page says %q", gone)
	}
}

func TestOnAPhoneThePriceAndTheButtonAreInSight(t *testing.T) {
	ctx, s := open(t)
	const inSight = `['brief-price', 'submit'].filter(id => {
		const r = document.getElementById(id).getBoundingClientRect();
		return r.height > 0 && r.top >= 0 && r.bottom <= innerHeight;
	}).join(' ')`
	var first, scrolled string
	run(t, ctx,
		chromedp.EmulateViewport(390, 844),
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly&pay=now"),
		settled,
		chromedp.Evaluate(inSight, &first),
		chromedp.Evaluate(`scrollTo(0, 1000)`, nil),
		chromedp.Evaluate(inSight, &scrolled),
	)
	if first != "brief-price submit" || scrolled != "submit" {
		t.Errorf("in sight are %q at first, and %q after scrolling", first, scrolled)
	}
}

func TestADoubleClickBuysOnce(t *testing.T) {
	ctx, s := open(t)
	var stored string
	err := chromedp.Run(ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly"),
		fill("bea@fabrikam.example"),
		chromedp.Evaluate(`const b = document.getElementById('submit'); b.click(); b.click(); b.click();`, nil),
		chromedp.WaitVisible("#number"),
		chromedp.NavigateBack(), // and the order is still the same one
		chromedp.WaitVisible("#submit"),
		chromedp.Click("#submit"),
		chromedp.WaitVisible("#number"),
		chromedp.SendKeys("#number", visa),
		chromedp.Evaluate(`{const b = document.querySelector('form button'); b.click(); b.click();}`, nil),
		chromedp.WaitVisible("#license-id"),
		chromedp.Reload(),
		chromedp.WaitVisible("#license-id"),
		chromedp.Location(&stored),
	)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+"/v1/operator/subscriptions?email=bea@fabrikam.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.OperatorKey)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list struct{ Data []struct{ Status string } }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	if len(list.Data) != 1 || list.Data[0].Status != "active" {
		t.Errorf("three clicks and a reload bought %+v", list.Data)
	}
	if strings.Contains(stored, "cot_") {
		t.Error("the page's address holds a checkout token")
	}
}

func TestADeclinedCardLeavesRoomForAnother(t *testing.T) {
	ctx, s := open(t)
	var refused string
	err := chromedp.Run(ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=bullet-chart&type=users&tier=1-20&cycle=yearly"),
		fill("carl@tailspin.example"),
		chromedp.Click("#submit"),
		give(declined),
		chromedp.WaitVisible("#payment-token-error"),
		chromedp.Text("#payment-token-error", &refused),
		chromedp.WaitVisible("#change-order"), // and nothing else of it can be changed
		chromedp.WaitVisible("fieldset:disabled #billing-name"),
		chromedp.Click("#submit"),
		give(visa),
		chromedp.WaitVisible("#result"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if refused == "" {
		t.Error("the page does not say that the card was declined")
	}
}

func TestABankIsAnsweredWithinThePurchaseAndTheChange(t *testing.T) {
	ctx, s := open(t)
	var refused, license, banner, plan string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly"),
		fill("dora@contoso.example"),
		chromedp.Click("#submit"),
		give(asks),
		chromedp.Click("#fail", chromedp.NodeVisible),
		chromedp.WaitVisible("#payment-token-error"),
		chromedp.Text("#payment-token-error", &refused),
		chromedp.Click("#submit"),
		give(asks),
		chromedp.WaitVisible("#approve"),
		chromedp.Reload(),
		chromedp.Click("#approve", chromedp.NodeVisible),
		chromedp.WaitVisible("#license-id"),
		chromedp.Text("#license-id", &license),
	)
	if !strings.Contains(refused, "did not confirm") || !strings.HasPrefix(license, "lic_") {
		t.Errorf("%q, then the licence %q", refused, license)
	}
	var list struct{ Data []struct{ ID string } }
	ask(t, s, http.MethodGet, "http://"+s.HTTP+"/v1/operator/subscriptions?email=dora@contoso.example", "", &list)
	id := list.Data[0].ID
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+id+"/change"),
		signIn(t, s, "dora@contoso.example"),
		pick("cycle", "yearly"),
		chromedp.WaitVisible("#cost-due"),
		chromedp.Click("#confirm-change"),
		chromedp.WaitVisible("#approve"),
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+id), // somewhere else first
		chromedp.WaitVisible(".banner"),
		chromedp.Text(".banner", &banner),
		chromedp.Text("#plan", &plan),
	)
	if !strings.Contains(banner, "waits") || !strings.Contains(plan, "onthly") {
		t.Errorf("the page says %q, with the plan %q", banner, plan)
	}
	run(t, ctx,
		chromedp.Click("#confirm"),
		chromedp.Click("#approve", chromedp.NodeVisible),
		chromedp.WaitVisible("#plan"),
		chromedp.WaitNotPresent(".banner"),
		chromedp.Text("#plan", &plan),
	)
	if taken := charges(t, s, id); !strings.Contains(plan, "early") || len(taken) != 2 {
		t.Errorf("the plan is %q, charged %v", plan, taken)
	}
}
