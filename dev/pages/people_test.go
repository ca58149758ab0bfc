package pages

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestPeopleAreInvitedJoinAndLoseAccess(t *testing.T) {
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	at := "http://" + s.HTTP
	var pending, joined, places, who, licence, gone string
	run(t, ctx,
		chromedp.Navigate(at+"/account/people"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#invite"),
		write("member-email", "tina@contoso.example"),
		chromedp.Click("#send-invitation"),
		chromedp.Poll(`document.getElementById('command-done').textContent`, nil),
		chromedp.Text("#members", &pending),
	)
	run(t, ctx,
		chromedp.Navigate(link(t, s, "tina@contoso.example", "You are invited", "/confirm#token=")),
		chromedp.Click("#confirm", chromedp.NodeVisible),
		chromedp.WaitVisible("#done"),
		chromedp.Text("#done", &joined),
		chromedp.Click("#log-out", chromedp.NodeVisible),
		chromedp.WaitVisible("#to-login"),
		chromedp.Navigate(at+"/account"),
		signIn(t, s, "tina@contoso.example"),
		chromedp.WaitVisible("#account"),
		chromedp.Evaluate(`(() => { const of = document.querySelector('#account'); of.selectedIndex = 1; of.dispatchEvent(new Event('change', { bubbles: true })); })()`, nil),
		chromedp.WaitVisible("#licenses"),
		chromedp.Text(".places ul", &places),
		chromedp.Evaluate(`document.querySelector('#account').selectedOptions[0].textContent`, &who),
		chromedp.Navigate(at+"/account/licenses/"+b.License.ID),
		chromedp.WaitVisible("#license-id"),
		chromedp.Text("main", &licence),
	)
	if !strings.Contains(pending, "tina@contoso.example\nInvited") || !strings.Contains(joined, "You have joined") {
		t.Errorf("%q; %q", pending, joined)
	}
	if strings.TrimSpace(places) != "Licences\nSettings" || who != "ada@contoso.example" || strings.Contains(licence, "$") {
		t.Errorf("a technical member sees the places %q of %q, and %s", places, who, licence)
	}
	run(t, ctx,
		chromedp.Click("#log-out"),
		chromedp.WaitVisible("#to-login"),
		chromedp.Navigate(at+"/account/people"),
		chromedp.WaitVisible("#ask"),
		chromedp.SendKeys("#email", "ada@contoso.example"),
		chromedp.Click("#ask"),
		chromedp.WaitVisible("#sent"),
		newest(t, s, "ada@contoso.example", 2),
		chromedp.Click("#sign-in", chromedp.NodeVisible),
		chromedp.Click("#members button", chromedp.NodeVisible),
		chromedp.Click("#confirm-remove", chromedp.NodeVisible),
		chromedp.Poll(`document.getElementById('command-done').textContent`, nil),
		chromedp.Text("#command-done", &gone),
	)
	if gone != "tina@contoso.example has no access any more." {
		t.Errorf("removed: %q", gone)
	}
}

func TestAnAddressIsChangedByBothItsLinks(t *testing.T) {
	ctx, s := open(t)
	buy(t, s, "tok_visa")
	at := "http://" + s.HTTP
	var waits, first, second, email string
	run(t, ctx,
		chromedp.Navigate(at+"/account/details"),
		signIn(t, s, "ada@contoso.example"),
		chromedp.WaitVisible("#move"),
		write("new-email", "ada@fabrikam.example"),
		chromedp.Click("#ask-move"),
		chromedp.Poll(`document.getElementById('moving').textContent`, nil),
		chromedp.Text("#moving", &waits),
	)
	confirm := func(to, subject string, said *string) {
		run(t, ctx,
			chromedp.Navigate("about:blank"), // another fragment alone loads no page
			chromedp.Navigate(link(t, s, to, subject, "/confirm#token=")),
			chromedp.Click("#confirm", chromedp.NodeVisible),
			chromedp.WaitVisible("#done"),
			chromedp.Text("#done", said),
		)
	}
	confirm("ada@contoso.example", "Confirm the new address", &first)
	confirm("ada@fabrikam.example", "Confirm your address", &second)
	run(t, ctx, chromedp.Navigate(at+"/account/details"), chromedp.WaitVisible("dd#email"), chromedp.Text("dd#email", &email))
	if !strings.Contains(waits, "ada@fabrikam.example") || !strings.Contains(first, "other address") || !strings.Contains(second, "has its new address") || email != "ada@fabrikam.example" {
		t.Errorf("%q; %q; %q; it is %q", waits, first, second, email)
	}
}
