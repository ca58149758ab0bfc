package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/dev/system"
)

// DE136695976 is known, to the register that the test is, as ACME's; no other is.
func TestAVATNumberIsLookedUpAndTheCompanyFilledIn(t *testing.T) {
	register := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := make([]byte, 1000)
		n, _ := r.Body.Read(asked)
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(string(asked[:n]), "136695976") {
			_, _ = w.Write([]byte(`{"valid":true,"name":"ACME GmbH","requestIdentifier":"WAPI1"}`))
			return
		}
		_, _ = w.Write([]byte(`{"valid":false,"name":"---"}`))
	}))
	t.Cleanup(register.Close)
	ctx, s := openWith(t, system.Options{VIES: register.URL})
	var wrong, said, company, note string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/checkout?product=calendar-pro&pay=now&currency=EUR"),
		buyer("ada@acme.example", "DE"),
		chromedp.Click("#business summary"),
		write("billing-vat_id", "DE811907980"), // well-formed, and unknown
		chromedp.WaitVisible("#billing-vat_id-error"),
		chromedp.Text("#billing-vat_id-error", &wrong),
		write("billing-vat_id", "de 136.695.976"),
		polled(`document.getElementById('vat-check').textContent`),
		settled,
		chromedp.Text("#vat-check", &said),
		chromedp.Value("#billing-company", &company),
		chromedp.Text("#tax-note", &note),
		chromedp.WaitNotPresent("#billing-vat_id-error"),
		write("billing-company", "ACME Holding"), // the customer's own words stay
		write("coupon", "X"),
		chromedp.WaitVisible("#coupon-error"),
		polled(`document.getElementById('billing-company').value === 'ACME Holding'`),
	)
	if !strings.Contains(wrong, "not a valid VAT number") || !strings.Contains(said, "Confirmed by the member state: ACME GmbH") || company != "ACME GmbH" || !strings.Contains(note, "Reverse charge") {
		t.Errorf("first %q, then %q; the company is %q, and the tax %q", wrong, said, company, note)
	}
}
