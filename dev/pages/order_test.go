package pages

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// write types into a field and leaves it, as a person does.
func write(id, value string) chromedp.Action {
	return chromedp.Tasks{
		chromedp.WaitEnabled("#" + id),
		chromedp.SetValue("#"+id, value),
		chromedp.Evaluate(`{
			const e = document.getElementById('`+id+`');
			e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true}));
		}`, nil),
	}
}

// buyer fills in who pays, and leaves how.
func buyer(email, country string) chromedp.Action {
	return chromedp.Tasks{
		chromedp.WaitVisible("#checkout"),
		write("billing-name", "Ada Rossi"),
		write("billing-email", email),
		write("billing-country", country),
		settled,
	}
}

// settled waits for the totals of what has been chosen.
var settled = chromedp.Tasks{polled(`document.querySelector('#totals[aria-busy="false"] #total-due')`)}

// downloaded waits for a file in a folder.
func downloaded(t *testing.T, dir, pattern string) []byte {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if files, _ := filepath.Glob(filepath.Join(dir, pattern)); len(files) == 1 {
			if body, err := os.ReadFile(files[0]); err == nil && len(body) > 0 {
				return body
			}
		}
	}
	t.Fatalf("no %s was downloaded", pattern)
	return nil
}

func TestAQuoteIsAskedForMailedAndAcceptedWithASecondCard(t *testing.T) {
	ctx, s := open(t)
	var total, said, number, offered, refused, license, again string
	dir := t.TempDir()
	run(t, ctx,
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir),
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=21-50&cycle=yearly"),
		buyer("ada@contoso.example", "US"),
		chromedp.Click("#as-quote"),
		chromedp.WaitNotPresent("#accept_terms"),
		settled,
		chromedp.Text("#total-due", &total),
		chromedp.Evaluate(`{const b = document.getElementById('submit'); b.click(); b.click();}`, nil),
		chromedp.WaitVisible("#quote-number"),
		chromedp.Text("#quote-number", &number),
		chromedp.Text("#mail-billing", &said),
		chromedp.Reload(),
		chromedp.WaitVisible("#quote-number"),
	)
	if !strings.Contains(said, "ada@contoso.example") || !strings.HasPrefix(number, "Q-") {
		t.Errorf("the quote %q, and %q", number, said)
	}
	address := link(t, s, "ada@contoso.example", "Your quote", "/quotes/quo_")
	var status, kept string
	run(t, ctx,
		chromedp.Navigate("about:blank"),
		chromedp.Navigate(address),
		chromedp.WaitVisible("#quote-total"),
		chromedp.Text("#quote-total", &offered),
		chromedp.Click("#pdf"),
	)
	if pdf := downloaded(t, dir, number+".pdf"); !strings.HasPrefix(string(pdf), "%PDF") {
		t.Error("what is downloaded is no PDF")
	}
	run(t, ctx,
		chromedp.Click("#submit"),
		chromedp.WaitVisible("#accept_terms-error"),
		chromedp.Click("#accept_terms"),
		chromedp.Click("#submit"),
		give(declined),
		chromedp.WaitVisible("#payment-token-error"),
		chromedp.Text("#payment-token-error", &refused),
		chromedp.Reload(), // it still waits for another card
		chromedp.WaitVisible("#payment-token-error"),
		chromedp.Evaluate(`{const b = document.getElementById('submit'); b.click(); b.click();}`, nil),
		give(visa),
		chromedp.WaitVisible("#license-id"),
		chromedp.Text("#license-id", &license),
		chromedp.Text("#mail-licensee", &said),
		chromedp.Evaluate(`JSON.stringify(sessionStorage)`, &kept),
		chromedp.Navigate("about:blank"),
		chromedp.Navigate(address),
		chromedp.WaitVisible("#to-subscription"),
		chromedp.Text("#quote-status", &status),
		chromedp.WaitNotPresent("#submit"),
		chromedp.Navigate("about:blank"),
		chromedp.Navigate(address+"x"),
		chromedp.WaitVisible("h1"),
		chromedp.Poll(`document.querySelector('h1')?.textContent === 'Nothing here'`, nil),
		chromedp.Text("h1", &again),
	)
	if total == "" || total != offered || !strings.Contains(refused, "declined") || !strings.HasPrefix(license, "lic_") || !strings.Contains(said, "the licensee") {
		t.Errorf("at %q, offered at %q; %q; then the licence %q and %q", total, offered, refused, license, said)
	}
	if strings.Contains(kept, strings.SplitAfter(address, "token=")[1]) {
		t.Errorf("the tab keeps the quote's token: %s", kept)
	}
	if !strings.Contains(status, "accepted") {
		t.Errorf("opened again, the quote says %q", status)
	}
	var list struct{ Data []struct{ ID, Status string } }
	ask(t, s, http.MethodGet, "http://"+s.HTTP+"/v1/operator/subscriptions?email=ada@contoso.example", "", &list)
	if len(list.Data) != 1 || list.Data[0].Status != "active" {
		t.Fatalf("one quote became %+v", list.Data)
	}
	if taken := charges(t, s, list.Data[0].ID); len(taken) != 1 || dollars(taken[0]) != strings.ReplaceAll(offered, ",", "") {
		t.Errorf("charged %v, offered %s", taken, offered)
	}
}

func TestAnInvoiceIsChosenMailedAndPaid(t *testing.T) {
	ctx, s := open(t)
	var title, waits, number, owed, due string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly&pay=now"),
		buyer("ada@contoso.example", "US"),
		chromedp.WaitNotPresent("#by-invoice"), // 9.90 is paid by card
		pick("plan-cycle", "three_years"),
		pick("plan-tier", "51-100"),
		settled,
		chromedp.WaitVisible("#by-invoice"),
		chromedp.Click("#by-invoice"),
		chromedp.WaitNotPresent("#by-card-note"),
		chromedp.Text("#total-due", &due),
		chromedp.Click("#accept_terms"),
		chromedp.Click("#submit"),
		chromedp.WaitVisible("#waits"),
		chromedp.Text("#waits", &waits),
		chromedp.Reload(), // and is not ordered again
		chromedp.WaitVisible("#waits"),
		chromedp.WaitNotPresent("#invoice-number"),
	)
	if !strings.Contains(waits, "a link to ada@contoso.example") {
		t.Errorf("before the confirmation: %q", waits)
	}
	run(t, ctx,
		chromedp.Navigate("about:blank"),
		chromedp.Navigate(link(t, s, "ada@contoso.example", "Confirm your order", "/confirm#token=")),
		chromedp.Click("#confirm-order", chromedp.NodeVisible),
		chromedp.WaitVisible("#owed"),
		chromedp.Text("#result-title", &title),
		chromedp.Text("#owed", &owed),
		chromedp.Text("#invoice-number", &number),
	)
	if title != "Your invoice is on its way" || owed != due || !strings.HasPrefix(number, "INV-") {
		t.Errorf("%q: invoice %s over %s, at checkout %s", title, number, owed, due)
	}
	var list struct{ Data []struct{ ID, Status string } }
	ask(t, s, http.MethodGet, "http://"+s.HTTP+"/v1/operator/subscriptions?email=ada@contoso.example", "", &list)
	var at, status string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/documents"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#documents"),
		chromedp.AttributeValue("#documents li", "id", &at, nil),
	)
	var paid map[string]any
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/operator/invoices/"+at+"/mark-paid",
		`{"reference": "TRF 1", "amount": {"amount": 93420, "currency": "USD"}, "value_date": "`+time.Now().UTC().Format(time.DateOnly)+`"}`, &paid)
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+list.Data[0].ID),
		chromedp.WaitVisible("#license"),
		chromedp.Text("#status", &status),
	)
	if status != "Active" || len(charges(t, s, list.Data[0].ID)) != 0 {
		t.Errorf("paid by transfer it is %q, and %v was charged", status, charges(t, s, list.Data[0].ID))
	}
}

func TestACouponAndAVATNumberAreToldAtTheirFields(t *testing.T) {
	ctx, s := open(t)
	var none map[string]any
	ask(t, s, http.MethodPut, "http://"+s.HTTP+"/v1/operator/coupons/WELCOME", `{"percent": 50, "invoices": 1}`, &none)
	var coupon, vat, discount, due, recurring, full, note, taxed string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&type=users&tier=1-20&cycle=monthly&currency=EUR&pay=now"),
		buyer("ada@contoso.example", "IT"),
		chromedp.Text("#total-due", &taxed),
		write("coupon", "NOSUCH"),
		chromedp.WaitVisible("#coupon-error"),
		chromedp.Text("#coupon-error", &coupon),
		chromedp.WaitVisible("#total-due"), // without it
		write("coupon", "welcome"),
		chromedp.WaitNotPresent("#coupon-error"),
		chromedp.WaitVisible("#total-discount"),
		settled,
		chromedp.Text("#total-discount", &discount),
		chromedp.Text("#total-due", &due),
		chromedp.Text("#recurring-total", &recurring),
		write("billing-country", "DE"),
		write("billing-vat_id", "DE1"),
		chromedp.WaitVisible("#billing-vat_id-error"),
		chromedp.Text("#billing-vat_id-error", &vat),
		write("billing-vat_id", "DE136695976"),
		chromedp.WaitVisible("#tax-note"),
		chromedp.WaitNotPresent("#billing-vat_id-error"),
		settled,
		chromedp.Text("#tax-note", &note),
		chromedp.Text("#total-due", &full),
	)
	// 9.90 and 22 % VAT; half of it and VAT; half of it without.
	if taxed != "€12.08" || discount != "−€4.95" || due != "€6.04" || recurring != "€12.08" || full != "€4.95" {
		t.Errorf("with VAT %s, less %s is %s, later %s; without VAT %s", taxed, discount, due, recurring, full)
	}
	if !strings.Contains(coupon, "no such coupon") || !strings.Contains(vat, "VAT number") || !strings.Contains(strings.ToLower(note), "reverse charge") {
		t.Errorf("%q; %q; %q", coupon, vat, note)
	}
}
