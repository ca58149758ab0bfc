package billing

import "testing"

func (l *ledger) amend(c Action, a Amendment) Outcome {
	l.t.Helper()
	l.snapshot.Amendment = a
	got := l.command(Command{Action: c, Request: "req_amend"})
	if p := l.history[len(l.history)-1]; got.Code == "" && p.Order != nil {
		l.snapshot.Order = *p.Order
	}
	return got
}

func TestAmendedDetailsCountForTheNextBillAlone(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	first := l.last()
	details := l.snapshot.Order.Billing
	details.Company, details.Country, details.Email = "Contoso SpA", "IT", "eve@evil.example"
	is(t, "the preview's tax", l.onFile().PreviewAmended(Amendment{Billing: details}).Tax(), Money{220, "USD"}) // 22 % of 10.00
	is(t, "amended", l.amend(ActionAmend, Amendment{Billing: details}).Code, "")
	is(t, "the e-mail address stays", l.snapshot.Order.Billing.Email, "ada@contoso.example")
	is(t, "amended again", l.amend(ActionAmend, Amendment{Billing: details}).Code, CodeNoChange)
	l.to("2026-05-01")
	is(t, "the next bill", l.last().AmountDue().Amount, int64(1220))
	is(t, "its country", l.snapshot.Order.BilledTo(l.last()).Country, "IT")
	is(t, "the first one's", l.snapshot.Order.BilledTo(first).Country, "US")
}

// 10.00 by reverse charge; a consumer in Germany would pay 1.90 of tax.
func TestAVerifiedVATIDStaysVerifiedWhenItIsAmendedWhileTheRegisterIsAway(t *testing.T) {
	verified := VATCheck{Status: VATVerified, Consultation: "WAPI1", At: instant("2026-04-01")}
	unverified := VATCheck{Status: VATUnverified, At: instant("2026-04-10"), Taxed: true}
	l := bought(t, "2026-04-01", offer{country: "DE", vatID: "DE136695976"})
	l.snapshot.Order.Billing.VATCheck = verified
	details := l.snapshot.Order.Billing
	details.PurchaseOrder, details.VATCheck = "PO-7", unverified
	is(t, "the preview's tax", l.onFile().PreviewAmended(Amendment{Billing: details}).Tax().Amount, int64(0))
	is(t, "amended", l.amend(ActionAmend, Amendment{Billing: details}).Code, "")
	is(t, "the evidence", l.snapshot.Order.Billing.VATCheck, verified)
	is(t, "the order number", l.snapshot.Order.Billing.PurchaseOrder, "PO-7")
	l.to("2026-05-01")
	is(t, "the next bill", []Money{l.last().Tax(), l.last().AmountDue()}, []Money{{0, "USD"}, {1000, "USD"}})
	details.VATID = "DE129273398" // of which nothing is known
	is(t, "amended", l.amend(ActionAmend, Amendment{Billing: details}).Code, "")
	is(t, "another id", l.snapshot.Order.Billing.VATCheck, unverified)
}

func TestAnAmendmentVoidsTheMailedInvoiceAndMailsItAnew(t *testing.T) {
	l := ordered(t, "2026-01-01", offer{plan: smallYear, by: ByInvoice})
	l.snapshot.Policy.InvoiceFrom = map[string]int64{"USD": 0}
	l.must(Command{Action: ActionPurchase, Request: "req_buy"})
	l.transfer(l.last().ID, "first", 10000)
	l.to("2026-12-02")
	old := l.last()
	details := l.snapshot.Order.Billing
	details.Country = "IT"
	is(t, "amended", l.amend(ActionAmend, Amendment{Billing: details}).Code, "")
	is(t, "the old one", l.docs[string(old.ID)].Status, InvoiceVoid)
	is(t, "its note is addressed as it was", l.snapshot.Order.BilledTo(l.docs[string(l.notes[0].Invoice)]).Country, "US")
	is(t, "the new one", []any{l.last().Status, l.last().AmountDue().Amount}, []any{InvoiceOpen, int64(12200)})
	is(t, "recipients alone void nothing", l.amend(ActionAmend, Amendment{Billing: details, CC: []string{"books@contoso.example"}}).Code, "")
	is(t, "notes", len(l.notes), 1)
	is(t, "another language mails it anew", l.amend(ActionAmend, Amendment{Billing: details, CC: []string{"books@contoso.example"}, Language: "it"}).Code, "")
	is(t, "languages", []any{old.Language, l.docs[string(l.notes[1].Invoice)].Language, l.last().Language}, []any{"", "", "it"})
}

func TestAHandOverMailsTheFileAndStaysInATrialsOrganisation(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	to := Contact{"Cy", "cy@fabrikam.example"}
	is(t, "handed over", l.amend(ActionHandOver, Amendment{Contact: to, Account: "cus_3"}).Code, "")
	is(t, "licence", l.s().License, "lic_1")
	is(t, "licensee", []any{l.snapshot.Order.Licensee, l.snapshot.Order.LicenseeAccount}, []any{to, AccountID("cus_3")})
	is(t, "files", len(l.told(NoticeLicense)), 2)
	is(t, "again", l.amend(ActionHandOver, Amendment{Contact: to, Account: "cus_3"}).Code, CodeNoChange)
	l.must(Command{Action: ActionRevoke})
	is(t, "of a revoked licence", l.amend(ActionHandOver, Amendment{Contact: Contact{"Di", "di@fabrikam.example"}}).Code, CodeNotPossibleNow)

	trial := tried(t, "2026-04-01", "", offer{})
	is(t, "to another organisation", trial.amend(ActionHandOver, Amendment{Contact: to, Account: "cus_3"}).Code, CodeNotPossibleNow)
	is(t, "within it", trial.amend(ActionHandOver, Amendment{Contact: Contact{"Di", "di@contoso.example"}, Account: "cus_4"}).Code, "")
}

func TestATransferLeavesCardAndMoneyBehind(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	to := Amendment{Contact: Contact{"", "dee@other.example"}, Account: "cus_9"}
	l.snapshot.Order.Billing.Company, l.snapshot.Order.Billing.VATID = "Contoso", "IT00743110157"
	is(t, "moved", l.amend(ActionTransfer, to).Code, "")
	is(t, "another's VAT number stays behind", l.snapshot.Order.Billing, BillingDetails{Contact: to.Contact, Country: l.snapshot.Order.Billing.Country})
	p := l.history[len(l.history)-1]
	is(t, "no card", []bool{l.s().HasMethod, p.ForgetMethod}, []bool{false, true})
	is(t, "no money back of what another has paid", l.s().MoneyBack, MoneyBack{})
	l.wallet = ""
	l.to("2026-05-01")
	is(t, "the next bill", []any{l.last().Account, l.s().Status}, []any{AccountID("cus_9"), PastDue})
	is(t, "while it is owed", l.amend(ActionTransfer, Amendment{Account: "cus_8"}).Code, CodeNotPossibleNow)
}

func TestARefundThatFailsAfterATransferIsOfWhoPaid(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	paid := l.last()
	l.must(Command{Action: ActionRefund, Request: "req_r", Invoice: paid.ID})
	is(t, "moved", l.amend(ActionTransfer, Amendment{Contact: Contact{"", "dee@other.example"}, Account: "cus_9"}).Code, "")
	l.confirm(0)
	is(t, "whose balance", l.entries[string(l.refunds[0].ID)].Account, paid.Account)
}

func TestWhatIsDisputedIsNotTransferred(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(l.disputes("dp_1", DisputeOpened, 1000))
	is(t, "moved", l.amend(ActionTransfer, Amendment{Contact: Contact{"", "dee@other.example"}, Account: "cus_9"}).Code, CodeNotPossibleNow)
}
