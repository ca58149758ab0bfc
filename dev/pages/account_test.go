package pages

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/dev/keys"
	"github.com/okviz/licensing/dev/system"
	"github.com/okviz/licensing/licensing"
)

// ask asks a system over HTTP, without the browser.
func ask(t *testing.T, s *system.System, method, address, body string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.OperatorKey)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", rand.Text())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("%s %s: %d %s", method, address, res.StatusCode, body)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// bought is what the tests need of an order.
type bought struct {
	Subscription struct{ ID string }
	License      struct{ ID string }
	Payment      struct {
		ActionURL string `json:"action_url"`
	}
}

func buy(t *testing.T, s *system.System, card string, more ...string) bought {
	t.Helper()
	var b bought
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/checkout", `{"product": "calendar-pro", "quantity": 1, "currency": "USD",
		"plan": {"type": "users", "tier": "1-20", "cycle": "monthly"},
		"billing": {"name": "Ada Rossi", "email": "ada@contoso.example", "country": "US"},
		"licensee": {"name": "Bea Bianchi", "email": "bea@contoso.example"},
		"pay": "now", "payment": {"method": "card", "token": "`+card+`"}, `+strings.Join(append(more, `"accept_terms": true`), ", ")+`}`, &b)
	return b
}

// charges are the amounts that the sandbox has really taken.
func charges(t *testing.T, s *system.System, subscription string) []int64 {
	t.Helper()
	var list struct {
		Data []struct {
			Amount struct{ Amount int64 }
			Status string
		}
	}
	ask(t, s, http.MethodGet, "http://"+s.HTTP+"/v1/operator/sandbox/charges?subscription="+subscription, "", &list)
	amounts := []int64{}
	for _, c := range list.Data {
		if c.Status == "succeeded" {
			amounts = append(amounts, c.Amount.Amount)
		}
	}
	return amounts
}

// link waits for the newest mail to an address whose subject begins so, and
// returns its link to the page.
func link(t *testing.T, s *system.System, email, subject, page string) string {
	t.Helper()
	found := ""
	for deadline := time.Now().Add(20 * time.Second); found == "" && time.Now().Before(deadline); {
		var list struct {
			Messages []struct{ ID, Subject string }
		}
		ask(t, s, http.MethodGet, "http://"+s.Mailbox+"/api/v1/search?query="+url.QueryEscape("to:"+email), "", &list)
		for _, m := range list.Messages {
			if !strings.HasPrefix(m.Subject, subject) {
				continue
			}
			var mail struct{ Text string }
			ask(t, s, http.MethodGet, "http://"+s.Mailbox+"/api/v1/message/"+m.ID, "", &mail)
			for _, word := range strings.Fields(mail.Text) {
				if strings.Contains(word, page) {
					found = word
				}
			}
			if found != "" {
				break
			}
		}
	}
	if found == "" {
		t.Fatalf("no mail %q to %s has a link to %s", subject, email, page)
	}
	return found
}

// signIn goes from the page that asks for an address to the mailed link, and
// presses its button.
func signIn(t *testing.T, s *system.System, email string) chromedp.Action {
	return chromedp.Tasks{
		chromedp.WaitVisible("#email"),
		chromedp.SendKeys("#email", email),
		chromedp.Click("#ask"),
		chromedp.WaitVisible("#sent"),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return chromedp.Run(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(link(t, s, email, "", "/login#token=")))
		}),
		chromedp.WaitVisible("#sign-in"),
		chromedp.Click("#sign-in"),
		chromedp.WaitVisible("#log-out"),
	}
}

func run(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func TestTheMailedLinkSignsInAndLeadsBack(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	at := "http://" + s.HTTP + "/account/subscriptions/" + b.Subscription.ID
	var there, status, header string
	run(t, ctx,
		chromedp.Navigate(at), // logged out
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#status"),
		chromedp.Location(&there),
		chromedp.Text("#status", &status),
	)
	if there != at || status != "Active" {
		t.Errorf("signed in at %s with %q, want %s", there, status, at)
	}
	used := link(t, s, "ada@contoso.example", "Sign in", "/login#token=")
	var refused string
	run(t, ctx,
		chromedp.Click("#log-out"),
		chromedp.WaitVisible("#to-login"),
		chromedp.Text(".top nav", &header),
		chromedp.Navigate("about:blank"),
		chromedp.Navigate(used),
		chromedp.Click("#sign-in", chromedp.NodeVisible),
		chromedp.WaitVisible("#email"),
		chromedp.Text("#login-error", &refused),
		chromedp.Location(&there),
	)
	if !strings.Contains(header, "Sign in") || !strings.Contains(refused, "another one") || strings.Contains(there, "token") {
		t.Errorf("logged out, the header is %q; a used link says %q at %s", header, refused, there)
	}
}

func TestALinkThatIsPutIntoTheWaitingTabSignsIn(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/login"),
		chromedp.WaitVisible("#email"),
		chromedp.SendKeys("#email", "ada@contoso.example"),
		chromedp.Click("#ask"),
		chromedp.WaitVisible("#sent"),
	)
	mailed, err := url.Parse(link(t, s, "ada@contoso.example", "Sign in", "/login#token="))
	if err != nil {
		t.Fatal(err)
	}
	run(t, ctx,
		chromedp.Evaluate(`location.hash = `+strconv.Quote(mailed.Fragment), nil),
		chromedp.Click("#sign-in", chromedp.NodeVisible),
		chromedp.WaitVisible("#subscriptions"),
	)
}

func TestTheWayBackStaysInTheAccount(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	for _, elsewhere := range []string{"https://evil.example/account", "//evil.example/account", `/\evil.example`, "/account/..//evil.example", "javascript:alert(1)", "/v1/products"} {
		var next string
		run(t, ctx,
			chromedp.Navigate("http://"+s.HTTP+"/login?next="+url.QueryEscape(elsewhere)),
			chromedp.WaitVisible("#email"),
			chromedp.Evaluate(`JSON.parse(localStorage.getItem('okviz.next')).path`, &next),
		)
		if next != "/account" {
			t.Errorf("%s leads to %q", elsewhere, next)
		}
	}
	var there string
	run(t, ctx, signIn(t, s, "ada@contoso.example"), chromedp.WaitVisible("#subscriptions"), chromedp.Location(&there))
	if there != "http://"+s.HTTP+"/account" {
		t.Errorf("signed in at %s", there)
	}
}

func TestACancellationIsConfirmedAndTakenBack(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	var what, ends, goesOn, again, history string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID),
		signIn(t, s, "ada@contoso.example"),
		chromedp.Click("#cancel", chromedp.NodeVisible),
		chromedp.WaitVisible("#confirm-cancel"),
		chromedp.Text("#asking-what", &what),
		chromedp.Click("#confirm-cancel"),
		chromedp.WaitVisible("#resume"),
		chromedp.Text("#ends", &ends),
		chromedp.WaitNotPresent("#cancel"),
		chromedp.Click("#resume"),
		chromedp.WaitVisible("#cancel"),
		chromedp.Text("#command-done", &goesOn),
		chromedp.WaitNotPresent("#ends"),
		chromedp.Click("#cancel"),
		chromedp.Click("#confirm-cancel", chromedp.NodeVisible),
		chromedp.WaitVisible("#resume"),
		chromedp.Text("#command-done", &again),
		chromedp.Text("#history", &history),
	)
	if ends == "" || !strings.Contains(what, ends) {
		t.Errorf("%q was said before, %q after", what, ends)
	}
	if goesOn != "The subscription goes on." || again != "The subscription is cancelled." || !strings.Contains(history, "you") {
		t.Errorf("resumed: %q, cancelled again: %q, with the history %q", goesOn, again, history)
	}
}

// pick chooses in a selector, as a person does.
func pick(id, value string) chromedp.Action {
	return chromedp.Tasks{
		chromedp.WaitEnabled("#" + id),
		chromedp.SetValue("#"+id, value),
		chromedp.Evaluate(`document.getElementById('`+id+`').dispatchEvent(new Event('change', {bubbles: true}))`, nil),
	}
}

func TestAnUpgradeIsChargedOnceAndAsItsPreviewSays(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	var credit, due, said, plan string
	var sent int
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID+"/change"),
		signIn(t, s, "ada@contoso.example"),
		pick("cycle", "yearly"),
		chromedp.WaitVisible("#cost-due"),
		chromedp.Text("#cost-credit", &credit),
		chromedp.Text("#cost-due", &due),
		chromedp.Evaluate(`const b = document.getElementById('confirm-change'); b.click(); b.click(); b.click();`, nil),
		chromedp.WaitVisible("#back"),
		chromedp.Text("#command-done", &said),
		chromedp.Evaluate(`performance.getEntriesByType('resource').filter(e => e.name.endsWith('/change')).length`, &sent),
		chromedp.Click("#back"),
		chromedp.WaitVisible("#plan"),
		chromedp.Text("#plan", &plan),
	)
	taken := charges(t, s, b.Subscription.ID)
	if len(taken) != 2 || sent != 1 {
		t.Fatalf("three clicks were sent %d times, and with the order charged as %v", sent, taken)
	}
	if got := dollars(taken[1]); due != got || !strings.Contains(said, got) {
		t.Errorf("the preview says %s, the page %q, and %s was charged", due, said, got)
	}
	if !strings.HasPrefix(credit, "−$") || !strings.Contains(plan, "yearly") {
		t.Errorf("credit %q, plan %q", credit, plan)
	}
}

func TestADeclinedUpgradeLeadsToAnotherCard(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_later_declined")
	var refused, stored string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID+"/change"),
		signIn(t, s, "ada@contoso.example"),
		pick("cycle", "yearly"),
		chromedp.WaitVisible("#cost-due"),
		chromedp.Click("#confirm-change"),
		chromedp.WaitVisible("#use-card"),
		chromedp.Text("#command-error", &refused),
		chromedp.Click("#use-card"),
		give(visa),
		chromedp.WaitVisible("#payment"),
		chromedp.Text("#payment", &stored),
		chromedp.Click("#change"),
		pick("cycle", "yearly"),
		chromedp.WaitVisible("#cost-due"),
		chromedp.Click("#confirm-change"),
		chromedp.WaitVisible("#back"),
	)
	if !strings.Contains(refused, "declined") || !strings.Contains(stored, "4242") || len(charges(t, s, b.Subscription.ID)) != 2 {
		t.Errorf("%q, then %q, and charged %v", refused, stored, charges(t, s, b.Subscription.ID))
	}
}

func TestAPriceThatIsTooOldIsShownAnewAndConfirmedAgain(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	var said string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID+"/change"),
		signIn(t, s, "ada@contoso.example"),
		pick("cycle", "yearly"),
		chromedp.WaitVisible("#cost-due"),
		// The first confirmation is of a price from an hour ago.
		chromedp.Evaluate(`const real = fetch; window.fetch = (path, options) => {
			if (!path.endsWith('/change')) return real(path, options);
			window.fetch = real;
			return real(path, {...options, body: JSON.stringify({...JSON.parse(options.body), proration_time: new Date(Date.now() - 3600e3).toISOString().slice(0, 19) + 'Z'})});
		}`, nil),
		chromedp.Click("#confirm-change"),
		chromedp.WaitVisible("#command-error"),
		chromedp.Text("#command-error", &said),
	)
	if !strings.Contains(said, "confirm it again") || len(charges(t, s, b.Subscription.ID)) != 1 {
		t.Errorf("%q, and charged %v", said, charges(t, s, b.Subscription.ID))
	}
	run(t, ctx, chromedp.WaitEnabled("#confirm-change"), chromedp.Click("#confirm-change"), chromedp.WaitVisible("#back"))
	if taken := charges(t, s, b.Subscription.ID); len(taken) != 2 {
		t.Errorf("charged %v", taken)
	}
}

func TestMoneyIsGivenBackAfterAQuestion(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	var status, orders string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID),
		signIn(t, s, "ada@contoso.example"),
		chromedp.Click("#money-back", chromedp.NodeVisible),
		chromedp.Click("#confirm-money-back", chromedp.NodeVisible),
		chromedp.WaitVisible("#canceled"),
		chromedp.Text("#status", &status),
		chromedp.WaitNotPresent("#money-back"),
		chromedp.Navigate("http://"+s.HTTP+"/account/documents"),
		chromedp.WaitVisible("#documents"),
		chromedp.Text("#documents", &orders),
	)
	if status != "Cancelled" || !strings.Contains(orders, "Credit note") || strings.Count(orders, "$9.90") != 2 {
		t.Errorf("%s, with the orders %q", status, orders)
	}
}

func TestWhoOwesIsLedToAnotherCardThatIsChargedAtOnce(t *testing.T) {
	ctx, s := open(t)
	c := newClock(t, s, "2026-01-15T10:00:00Z")
	b := buy(t, s, "tok_later_declined", c.order())
	c.to("2026-02-16T10:00:00Z")
	var banner, refused, status string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible(".banner"),
		chromedp.Text(".banner", &banner),
		chromedp.Click(".banner a"),
		chromedp.Click("#pay", chromedp.NodeVisible),
		chromedp.Click("#use-card", chromedp.NodeVisible),
		give("4000 0000 0000 9995"),
		chromedp.WaitVisible("#command-error"),
		chromedp.Text("#command-error", &refused),
		chromedp.Click("#payment-method", chromedp.NodeVisible),
		chromedp.Click("#use-card", chromedp.NodeVisible),
		give(visa),
		chromedp.WaitVisible("#status"),
		chromedp.WaitNotPresent(".banner"),
		chromedp.Text("#status", &status),
	)
	if !strings.Contains(banner, "declined") || !strings.Contains(refused, "funds") || status != "Active" || len(charges(t, s, b.Subscription.ID)) != 2 {
		t.Errorf("%q, then %s, and charged %v", banner, status, charges(t, s, b.Subscription.ID))
	}
}

func TestALostConnectionAndAReloadRenewOnce(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	var keys []string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID),
		signIn(t, s, "ada@contoso.example"),
		chromedp.Click("#renew", chromedp.NodeVisible),
		chromedp.WaitVisible("#confirm-renew"),
		// The command arrives, its answer does not.
		chromedp.Evaluate(`const real = fetch; window.keys = []; window.fetch = async (path, options) => {
			const answer = await real(path, options);
			if (options?.method !== 'POST') return answer;
			window.keys.push(options.headers['Idempotency-Key']);
			throw new TypeError('lost');
		}`, nil),
		chromedp.Click("#confirm-renew"),
		chromedp.Poll(`window.keys.length >= 2`, nil),
		chromedp.Evaluate(`window.keys`, &keys),
		chromedp.Reload(),
		chromedp.WaitVisible("#command-done"),
	)
	if keys[0] != keys[1] || len(keys[0]) != 32 {
		t.Errorf("sent with the keys %v", keys)
	}
	if taken := charges(t, s, b.Subscription.ID); len(taken) != 2 {
		t.Errorf("charged %v", taken)
	}
}

func TestALicenseeSeesTheLicenceItsFilesAndNoPrices(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	var places, content, id, other string
	dir := t.TempDir()
	run(t, ctx,
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir),
		chromedp.Navigate("http://"+s.HTTP+"/account"),
		signIn(t, s, "bea@contoso.example"),
		chromedp.WaitVisible("#licenses"),
		chromedp.Text(".places", &places),
		chromedp.Navigate("http://"+s.HTTP+"/account/licenses/"+b.License.ID),
		chromedp.WaitVisible("#versions"),
		chromedp.Text("#license-id", &id),
		chromedp.Text("main", &content),
		chromedp.Click("#versions a"),
	)
	if strings.TrimSpace(places) != "Licences\nSettings" || id != b.License.ID || strings.Contains(content, "$") || strings.Contains(content, "ada@") {
		t.Errorf("the licensee sees the places %q, licence %q: %s", places, id, content)
	}
	var files []string
	body := []byte{} // the file is there before its content is
	for deadline := time.Now().Add(20 * time.Second); len(body) == 0 && time.Now().Before(deadline); {
		if files, _ = filepath.Glob(filepath.Join(dir, "*.pbiviz")); len(files) == 1 {
			body, _ = os.ReadFile(files[0])
		}
	}
	if len(files) != 1 || !strings.HasPrefix(string(body), "PK") {
		t.Errorf("downloaded %v, %d bytes that are no package", files, len(body))
	}
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/subscriptions/"+b.Subscription.ID),
		chromedp.WaitVisible("h1"),
		chromedp.Text("h1", &other),
	)
	if other != "Nothing here" {
		t.Errorf("the licensee's look at the subscription: %q", other)
	}
}

func TestALicenceOffersTheNewestFileAndThePreviousOnes(t *testing.T) {
	ctx, s := open(t)
	var done any
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/operator/catalog", `{"products": [{"id": "early-bird", "name": "Early Bird",
		"changelog_url": "https://contoso.example/new", "plans": [{"type": "site", "cycle": "monthly", "prices": [{"amount": 500, "currency": "USD"}]}]}]}`, &done)
	signing, err := licensing.ParsePrivateKey(keys.Signing)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.0.0", "1.1.0"} {
		publish(t, s, "early-bird", version, activitiestest.Package(t, signing.Public().String(), version))
	}
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/checkout", `{"product": "early-bird", "quantity": 1, "currency": "USD",
		"plan": {"type": "site", "cycle": "monthly"}, "sites": ["reports.contoso.com"],
		"billing": {"name": "Ada Rossi", "email": "ada@contoso.example", "country": "US"},
		"pay": "now", "payment": {"method": "card", "token": "tok_visa"}, "accept_terms": true}`, &done)
	var newest, news, previous string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account/licenses"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#licenses"),
		chromedp.Text("#licenses .button", &newest),
		chromedp.AttributeValue(`#licenses a[target]`, "href", &news, nil),
		chromedp.Click("#licenses summary"),
		chromedp.Text("#licenses details ul", &previous),
	)
	if newest != "Download v1.1.0" || news != "https://contoso.example/new" || !strings.HasPrefix(previous, "1.0.0") || strings.Contains(previous, "1.1.0") {
		t.Errorf("the licence offers %q, what is new at %q, and before it %q", newest, news, previous)
	}
}

// publish uploads a version as an operator.
func publish(t *testing.T, s *system.System, product, version string, pkg []byte) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("package", "visual.pbiviz")
	if err == nil {
		_, err = part.Write(pkg)
	}
	if err = errors.Join(err, w.WriteField("changelog", "What is new in "+version+"."), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+s.HTTP+"/v1/operator/products/"+product+"/versions/"+version, &form)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.OperatorKey)
	r.Header.Set("Content-Type", w.FormDataContentType())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		t.Fatalf("the upload of %s: %d %s", version, res.StatusCode, body)
	}
}

func TestALicenseeReplacesTheActivationKey(t *testing.T) {
	ctx, s := open(t)
	var b bought
	ask(t, s, http.MethodPost, "http://"+s.HTTP+"/v1/checkout", `{"product": "synoptic-panel", "quantity": 1, "currency": "USD",
		"plan": {"type": "users", "tier": "1-20", "cycle": "monthly"},
		"billing": {"name": "Ada Rossi", "email": "ada@contoso.example", "country": "US"},
		"licensee": {"name": "Bea Bianchi", "email": "bea@contoso.example"},
		"pay": "now", "payment": {"method": "card", "token": "tok_visa"}, "accept_terms": true}`, &b)
	var before, after, said string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/account"),
		signIn(t, s, "bea@contoso.example"),
		chromedp.Navigate("http://"+s.HTTP+"/account/licenses/"+b.License.ID),
		chromedp.WaitVisible("#replace-key"),
		chromedp.Value("#activation-key", &before),
		chromedp.Click("#replace-key"),
		chromedp.Poll(`document.getElementById('key-said').textContent`, &said),
		chromedp.Value("#activation-key", &after),
	)
	var l struct {
		Key string `json:"activation_key"`
	}
	ask(t, s, http.MethodGet, "http://"+s.HTTP+"/v1/licenses/"+b.License.ID, "", &l)
	if before == after || after != l.Key || said != "This is the new key." {
		t.Errorf("it shows another key: %t, the one that counts: %t, and says %q", before != after, after == l.Key, said)
	}
}

// dollars writes an amount as the pages do.
func dollars(cents int64) string { return fmt.Sprintf("$%d.%02d", cents/100, cents%100) }
