package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/enums/v1"
)

func TestAPurchaseIsActiveAndItsWorkflowSaysInWordsWhatItWaitsFor(t *testing.T) {
	c := shared.buy(t, newCustomer().order(nil))
	sub := c.Subscription
	if sub.Status != "active" || sub.Plan.ID != "calendar-pro_users_1-20_monthly" || c.Payment.Status != "succeeded" || c.CheckoutToken == "" {
		t.Errorf("%+v", c)
	}
	if c.License == nil || c.License.ID != deref(sub.LicenseID) || c.License.Status != "ACTIVE" {
		t.Errorf("licence %+v", c.License)
	}
	if c.Invoice == nil || c.Invoice.Status != "paid" || c.Invoice.Total != usd(990) || c.Invoice.Number == nil {
		t.Errorf("invoice %+v", c.Invoice)
	}
	shared.wantCharges(t, sub.ID, charged(sub.CurrentPeriod.Start, 990))

	d, err := shared.temporal.DescribeWorkflow(context.Background(), sub.ID, "")
	must(t, err)
	if d.Status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING || d.WorkflowType.Name != "Subscription" || d.TaskQueueName != "billing" {
		t.Errorf("the workflow: %v %s on %s", d.Status, d.WorkflowType, d.TaskQueueName)
	}
	details := shared.details(t, sub.ID)
	day, _, _ := strings.Cut(sub.CurrentPeriod.End, "T")
	for _, want := range []string{"renews " + day + ", charges for " + day[:7] + ", price 9.90 USD", "calendar-pro_users_1-20_monthly × 1", deref(sub.LicenseID), "| active |"} {
		if !strings.Contains(details, want) {
			t.Errorf("the details do not say %q:\n%s", want, details)
		}
	}
	var attributes map[string]any
	eventually(t, 10*time.Second, "the status is a search attribute", func() bool {
		attributes = shared.attributes(t, sub.ID)
		return attributes["SubscriptionStatus"] == "active"
	})
	delete(attributes, "BuildIds")
	want := map[string]any{"SubscriptionNumber": float64(sub.Number), "SubscriptionStatus": "active", "Plan": "calendar-pro_users_1-20_monthly", "Product": "calendar-pro"}
	if diff := cmp.Diff(want, attributes); diff != "" {
		t.Error(diff)
	}
	// An operator finds it by them.
	eventually(t, listed, "the workflow is found by its attributes", func() bool {
		for _, e := range shared.executions(t, "SubscriptionStatus = 'active' AND Plan = 'calendar-pro_users_1-20_monthly' AND Product = 'calendar-pro'") {
			if e.Execution.WorkflowId == sub.ID {
				var number int64
				must(t, json.Unmarshal(e.Memo.Fields["number"].Data, &number))
				return number == sub.Number
			}
		}
		return false
	})
}

func TestAnyoneMayBuyAndTheTokenOfTheOrderShowsNoNames(t *testing.T) {
	who := newCustomer()
	var c checkout
	shared.send(t, http.MethodPost, "/v1/checkout", who.order(nil), map[string]string{"Idempotency-Key": newKey()}).
		want(t, http.StatusCreated).into(t, &c)
	shared.know(c)
	asBuyer := map[string]string{"Authorization": "Bearer " + c.CheckoutToken}
	a := shared.send(t, http.MethodGet, "/v1/subscriptions/"+c.Subscription.ID, nil, asBuyer).want(t, http.StatusOK)
	for _, name := range []string{who.email, who.name, who.licensee, who.licenseeEmail, who.company} {
		if bytes.Contains(a.body, []byte(name)) {
			t.Errorf("it shows %s", name)
		}
	}
	other := shared.buy(t, newCustomer().order(nil)).Subscription.ID
	shared.send(t, http.MethodGet, "/v1/subscriptions/"+other, nil, asBuyer).wantProblem(t, http.StatusNotFound, "not_found")
	shared.send(t, http.MethodGet, "/v1/invoices", nil, asBuyer).wantProblem(t, http.StatusForbidden, "forbidden")
	shared.send(t, http.MethodGet, "/v1/subscriptions/"+other, nil, nil).wantProblem(t, http.StatusUnauthorized, "unauthorized")
}

func TestADeclinedPurchaseIsPaidWithAnotherCard(t *testing.T) {
	p := shared.post(t, "/v1/checkout", newKey(), newCustomer().order(object{"payment": card("tok_declined")})).
		wantProblem(t, http.StatusPaymentRequired, "card_declined")
	if p.DeclineCode != "generic_decline" || p.SubscriptionID == "" || p.CheckoutToken == "" {
		t.Fatalf("%+v", p)
	}
	secret(p.CheckoutToken)
	var c checkout
	shared.send(t, http.MethodPost, "/v1/subscriptions/"+p.SubscriptionID+"/payment-method", object{"token": secret("tok_visa")},
		map[string]string{"Authorization": "Bearer " + p.CheckoutToken, "Idempotency-Key": newKey()}).want(t, http.StatusOK).into(t, &c)
	shared.know(c)
	if c.Subscription.Status != "active" || c.Payment.Status != "succeeded" {
		t.Errorf("%+v", c)
	}
	if got := shared.ledger(t, p.SubscriptionID); len(got) != 2 || got[0].Status != "declined" || got[1].Status != "succeeded" || got[1].Amount != usd(990) {
		t.Errorf("charges %+v", got)
	}
	shared.audit(t, p.SubscriptionID)

	// A card that the gateway has never heard of is refused by name, and the
	// answer does not repeat it.
	unknown := secret("tok_Holunderbeere_unbekannt")
	a := shared.post(t, "/v1/checkout", newKey(), newCustomer().order(object{"payment": card(unknown)}))
	a.wantProblem(t, http.StatusUnprocessableEntity, "unknown_token")
	if bytes.Contains(a.body, []byte(unknown)) {
		t.Error("the answer repeats the token")
	}
}

func TestTheLicenseeGetsTheLicensedVisualByMailAndTheBillingContactTheReceipt(t *testing.T) {
	who := newCustomer()
	c := shared.buy(t, who.order(nil))
	mail := shared.awaitEmails(t, who.licenseeEmail, 1)[0]
	if mail.Subject != "Your licence for Calendar Pro" || mail.From.Address != "licences@okviz.example" {
		t.Errorf("%q from %v", mail.Subject, mail.From)
	}
	for _, form := range []string{mail.Text, mail.HTML} {
		for _, want := range []string{"Power BI Desktop", "Import a visual from a file", "Power BI service", "Organizational visuals", "firewall", c.License.ID, "/account/licenses/" + c.License.ID} {
			if !strings.Contains(form, want) {
				t.Errorf("it does not say %q:\n%s", want, form)
			}
		}
		for _, price := range []string{"9.90", "990", "$", "USD"} {
			if strings.Contains(form, price) {
				t.Errorf("the licensee reads a price: %s", price)
			}
		}
	}
	if !strings.Contains(mail.HTML, "<html") || strings.Contains(mail.Text, "<p>") {
		t.Errorf("text:\n%s\nHTML:\n%s", mail.Text, mail.HTML)
	}
	if a := mail.Attachments; len(a) != 1 || !regexp.MustCompile(`^calendar-pro-\d+\.\d+\.\d+\.pbiviz$`).MatchString(a[0].FileName) {
		t.Fatalf("attachments %+v", a)
	}
	token := stamped(t, shared.attached(t, mail))
	end, err := time.Parse(time.RFC3339, c.Subscription.CurrentPeriod.End)
	must(t, err)
	claims := shared.claims(t, token)
	for name, want := range map[string]any{
		"iss": "okviz", "aud": "calendar-pro", "sub": c.License.ID, "kind": "embedded", "type": "users", "tier": "1-20", "quantity": 1.0,
		"trial": false, "period_end": float64(end.Unix()), "exp": float64(end.Add(72 * time.Hour).Unix()),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	file := shared.send(t, http.MethodGet, "/v1/licenses/"+c.License.ID+"/download", nil, shared.asOperator()).want(t, http.StatusOK)
	if got := shared.claims(t, stamped(t, file.body)); got["sub"] != c.License.ID {
		t.Errorf("the download is for %v", got["sub"])
	}

	receipt := shared.awaitEmails(t, who.email, 1)[0]
	if receipt.Subject != "Receipt for Calendar Pro: "+deref(c.Invoice.Number) || !strings.Contains(receipt.Text, "$9.90") || !strings.Contains(receipt.HTML, "$9.90") {
		t.Errorf("%q:\n%s", receipt.Subject, receipt.Text)
	}
}

func TestACustomerInItalyPaysItalianTax(t *testing.T) {
	who := newCustomer()
	o := who.order(nil)
	o["billing"].(object)["country"] = "IT"
	c := shared.buy(t, o)
	// 22 % of 9.90 are 2.178.
	if c.Invoice.Tax != usd(218) || c.Invoice.Total != usd(1208) {
		t.Errorf("tax %v, total %v", c.Invoice.Tax, c.Invoice.Total)
	}
	shared.wantCharges(t, c.Subscription.ID, charged(c.Subscription.CurrentPeriod.Start, 1208))
}

func TestACheckFromASandboxedFrameAnswersActiveWithALease(t *testing.T) {
	c := shared.buy(t, newCustomer().order(nil))
	v := shared.check(t, c.License.ID)
	end, err := time.Parse(time.RFC3339, c.Subscription.CurrentPeriod.End)
	must(t, err)
	until := end.Add(72 * time.Hour).Format(time.RFC3339) // a card's grace
	if v.V != 1 || !v.Valid || v.Code != "ACTIVE" || deref(v.ValidUntil) != until || v.RefreshAfter != 86400 || v.Token == nil {
		t.Fatalf("%+v, want ACTIVE until %s", v, until)
	}
	claims := shared.claims(t, *v.Token)
	now, err := time.Parse(time.RFC3339, v.Now)
	must(t, err)
	if claims["kind"] != "lease" || claims["sub"] != c.License.ID || claims["exp"] != float64(now.Add(14*24*time.Hour).Unix()) {
		t.Errorf("claims %v", claims)
	}
	if v := shared.check(t, "lic_00000000000000000000000000"); v.Valid || v.Code != "UNKNOWN_LICENSE" || v.Token != nil || v.ValidUntil != nil {
		t.Errorf("%+v", v)
	}
}

var prelude = regexp.MustCompile(`^(?:'use strict';)?\(globalThis\.okvizLicenses=globalThis\.okvizLicenses\|\|\{\}\)\['(\w+)'\]='([\w.-]+)';`)

// stamped reads the token in a package, as Power BI would load its code.
func stamped(t testing.TB, pkg []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	must(t, err)
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".pbiviz.json") {
			continue
		}
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		var visual struct {
			Visual  struct{ GUID string }
			Content struct{ JS string }
		}
		must(t, json.Unmarshal(text, &visual))
		m := prelude.FindStringSubmatch(visual.Content.JS)
		if m == nil || m[1] != visual.Visual.GUID {
			t.Fatalf("the code of %s begins with %.80q", visual.Visual.GUID, visual.Content.JS)
		}
		return m[2]
	}
	t.Fatal("the package has no visual")
	return ""
}
