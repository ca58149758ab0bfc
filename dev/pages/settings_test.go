package pages

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/dev/system"
)

const toSignIn = `a[href^="/login?next=%2Fcheckout"]`

func TestAddressesAreSavedAndTheNextCheckoutBeginsWithThem(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	var wrong, saved, name, email, city, licensee string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/addresses"),
		signIn(t, s, "ada@contoso.example"),
		write("billing-name", "Ada Rossi"),
		write("billing-country", "DE"),
		write("billing-address-city", "Berlin"),
		write("billing-vat_id", "DE1"),
		chromedp.WaitVisible("#licensee-name"), // the order had one
		write("licensee-name", "BI team"),
		write("licensee-email", "bi@contoso.example"),
		chromedp.Click("#save"),
		chromedp.WaitVisible("#billing-vat_id-error"),
		chromedp.Text("#billing-vat_id-error", &wrong),
		write("billing-vat_id", "DE136695976"),
		chromedp.Click("#save"),
		chromedp.Poll(`document.getElementById('saved').textContent`, nil),
		chromedp.Text("#saved", &saved),
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=bullet-chart&pay=now"),
		chromedp.WaitVisible("#licensee-email"),
		chromedp.Value("#billing-name", &name),
		chromedp.Value("#billing-email", &email),
		chromedp.Value("#billing-address-city", &city),
		chromedp.Value("#licensee-email", &licensee),
		chromedp.WaitVisible("#tax-note"), // by the VAT number
	)
	if !strings.Contains(wrong, "VAT number") || saved != "Saved." {
		t.Errorf("%q; %q", wrong, saved)
	}
	if name != "Ada Rossi" || email != "ada@contoso.example" || city != "Berlin" || licensee != "bi@contoso.example" {
		t.Errorf("the checkout begins with %q, %q, %q, for %q", name, email, city, licensee)
	}
}

func TestAFirstOrderIsRememberedForWhoHasSignedIn(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	var city string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=bullet-chart&type=users&tier=1-20&cycle=monthly&pay=trial"),
		chromedp.Click(toSignIn, chromedp.NodeVisible),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#checkout"), // the way back leads to the order
		write("billing-name", "Ada Rossi"),
		write("billing-email", "ada@contoso.example"),
		write("billing-country", "US"),
		write("billing-address-city", "Springfield"),
		settled,
		chromedp.Click("#accept_terms"),
		chromedp.Click("#submit"),
		chromedp.WaitVisible("#license-id"),
		chromedp.Poll(`fetch('/v1/me').then(a => a.json()).then(me => me.name)`, nil),
		chromedp.Navigate("http://"+s.HTTP+"/account/addresses"),
		chromedp.WaitVisible("#billing-address-city"),
		chromedp.Value("#billing-address-city", &city),
	)
	if city != "Springfield" {
		t.Errorf("written down: %q", city)
	}
}

func TestACardIsRemovedOnceAnotherPays(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	var pays, said string
	var left, buttons int
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/payment-methods"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#cards"),
		chromedp.Text("#cards", &pays),
		chromedp.Evaluate(`document.querySelectorAll('#cards button').length`, &buttons),
	)
	if !strings.Contains(pays, "Visa ending in 4242") || !strings.Contains(pays, "#1") || buttons != 0 {
		t.Errorf("a card that pays: %q, with %d buttons", pays, buttons)
	}
	var done map[string]any
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/subscriptions/"+b.Subscription.ID+"/payment-method", `{"token": "tok_visa"}`, &done)
	run(t, ctx,
		chromedp.Reload(),
		chromedp.Click("#cards button", chromedp.NodeVisible),
		chromedp.Poll(`document.getElementById('command-done').textContent`, nil),
		chromedp.Text("#command-done", &said),
		chromedp.Evaluate(`document.querySelectorAll('#cards li').length`, &left),
	)
	if left != 1 || said != "The card has been removed." {
		t.Errorf("%q, and %d are left", said, left)
	}
}

func TestLoggingOutEverywhereEndsTheOtherBrowsersToo(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	at := "http://" + s.HTTP
	send := func(method, path, body, cookie string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, at+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	// Somebody signs in with another browser.
	var cookies []string
	for _, email := range []string{"ada@contoso.example", "bea@contoso.example"} {
		send(http.MethodPost, "/v1/login", `{"email": "`+email+`"}`, "")
		_, token, _ := strings.Cut(link(t, s, email, "Sign in", "/login#token="), "#token=")
		cookie, _, _ := strings.Cut(send(http.MethodPost, "/v1/login/confirm", `{"token": "`+token+`"}`, "").Header.Get("Set-Cookie"), ";")
		cookies = append(cookies, cookie)
	}
	var sessions, email string
	run(t, ctx,
		chromedp.Navigate(at+"/account/details"),
		chromedp.WaitVisible("#ask"),
		chromedp.SendKeys("#email", "ada@contoso.example"),
		chromedp.Click("#ask"),
		chromedp.WaitVisible("#sent"),
		newest(t, s, "ada@contoso.example", 2),
		chromedp.Click("#sign-in", chromedp.NodeVisible),
		chromedp.WaitVisible("#sessions"),
		chromedp.Text("#sessions", &sessions),
		chromedp.Text("dd#email", &email),
		chromedp.Click("#log-out-everywhere"),
		chromedp.WaitVisible("#to-login"),
	)
	if strings.Count(sessions, "Since") != 2 || strings.Count(sessions, "This browser") != 1 || email != "ada@contoso.example" {
		t.Errorf("%s has the sessions %q", email, sessions)
	}
	for i, want := range []int{http.StatusUnauthorized, http.StatusOK} {
		if got := send(http.MethodGet, "/v1/me", "", cookies[i]).StatusCode; got != want {
			t.Errorf("the other browser is answered %d, want %d", got, want)
		}
	}
}

// newest goes to the link of an address's mail to sign in, once there are so
// many.
func newest(t *testing.T, s *system.System, email string, mails int) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for n := 0; n < mails; {
			var list struct{ Messages []struct{ Subject string } }
			ask(t, s, http.MethodGet, "http://"+s.Mailbox+"/api/v1/search?query="+url.QueryEscape("to:"+email), "", &list)
			n = 0
			for _, m := range list.Messages {
				if strings.HasPrefix(m.Subject, "Sign in") {
					n++
				}
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return chromedp.Run(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(link(t, s, email, "Sign in", "/login#token=")))
	})
}

func TestAnAPIKeyIsShownOnceAndEnded(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	var key, listed, used string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/api-keys"),
		signIn(t, s, "bea@contoso.example"), // a licensee may have one too
		chromedp.WaitVisible("#no-keys"),
		write("key-name", "reports"),
		write("key-access", "write"),
		write("key-last", "2099-01-31"),
		chromedp.Click("#make-key"),
		chromedp.WaitVisible("#new-key"),
		chromedp.Value("#new-key", &key),
		chromedp.Text("#keys", &listed),
	)
	for _, told := range []string{"reports", "May read and change.", "January 31, 2099", "Never used."} {
		if !strings.Contains(listed, told) {
			t.Errorf("the list does not say %q: %s", told, listed)
		}
	}
	use := func() int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.HTTP+"/v1/licenses", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if status := use(); status != http.StatusOK {
		t.Errorf("the key opens with %d", status)
	}
	run(t, ctx,
		chromedp.Reload(),
		chromedp.WaitVisible("#keys"),
		chromedp.WaitNotPresent("#new-key"),
		chromedp.Text("#keys", &used),
		chromedp.Click("#keys button"),
		chromedp.WaitVisible("#no-keys"),
	)
	if !strings.Contains(used, "Last used on") {
		t.Errorf("after its use the list says %s", used)
	}
	if status := use(); status != http.StatusUnauthorized {
		t.Errorf("ended, it opens with %d", status)
	}
}

func TestSomebodyHasAllThatIsHeldAndIsErased(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	at := "http://" + s.HTTP
	var account, refused string
	run(t, ctx,
		chromedp.Navigate(at+"/account/details"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#export"),
		chromedp.Poll(`fetch(document.getElementById('export').href).then(a => a.json()).then(data => data.tables.orders.length && data.account_id)`, &account),
		chromedp.Click("#erase"),
		chromedp.Click("#confirm-erase", chromedp.NodeVisible),
		chromedp.Poll(`document.getElementById('erase-error').textContent`, &refused),
	)
	if !strings.HasPrefix(account, "cus_") || !strings.Contains(refused, "has not ended") {
		t.Errorf("the export is of %q; while a subscription runs, the page says %q", account, refused)
	}
	ask(t, s, http.MethodPost, at+"/v1/operator/subscriptions/"+b.Subscription.ID+"/cancel-now", `{"refund": "none"}`, &map[string]any{})
	run(t, ctx,
		chromedp.Click("#confirm-erase"),
		chromedp.WaitVisible("#product-calendar-pro"), // among strangers again
		chromedp.Navigate(at+"/account/details"),
		chromedp.WaitVisible("#ask"),
	)
	var list struct{ Data []any }
	ask(t, s, http.MethodGet, at+"/v1/operator/subscriptions?email=ada@contoso.example", "", &list)
	if len(list.Data) != 0 {
		t.Errorf("the address still has %v", list.Data)
	}
}
