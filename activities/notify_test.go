package activities_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/pbiviz"
)

// email finds the one email of a kind.
func (s *shop) email(kind billing.NoticeKind) billing.Email {
	s.Helper()
	var found []billing.Email
	for _, l := range s.Mailbox.Emails() {
		if l.Kind == kind {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		s.Fatalf("there are %d letters %s, want 1", len(found), kind)
	}
	return found[0]
}

func (s *shop) publish(version string) {
	s.Helper()
	pkg := activitiestest.Package(s, s.Keys.Current.Public().String(), s.Keys.Next.Public().String())
	if err := s.DB.PutVersion(s.Context(), activitiestest.Product, billing.Version{Version: version}, pkg); err != nil {
		s.Fatal(err)
	}
}

// undone is how many notices wait, by trying to claim them.
func (s *shop) undone(sub billing.SubscriptionID) int {
	s.Helper()
	claimed, err := s.DB.ClaimNotices(s.Context(), sub, 50)
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range claimed {
		if err := s.DB.ReleaseNotice(s.Context(), e.ID); err != nil {
			s.Fatal(err)
		}
	}
	return len(claimed)
}

func TestReceiptGoesToThePayerAndTheFileToTheLicensee(t *testing.T) {
	s := newShop(t)
	s.publish("2.4.2")
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	if err := s.Notify(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Mailbox.Emails()); n != 2 {
		t.Fatalf("%d letters, want 2", n)
	}
	receipt := s.email(billing.NoticeReceipt)
	want := billing.Email{
		ID: receipt.ID, Notice: receipt.Notice, At: s.now, Name: activitiestest.BillingName, Email: activitiestest.BillingEmail,
		ProductName: "Calendar Pro", Activation: licensing.ActivationNone, SubscriptionNumber: 1, Quantity: 1,
		InvoiceNumber: "INV-2026-000001", Licensee: "Lars User <lars@customer.example>",
		Link: "https://shop.example/account/subscriptions/" + string(sub),
	}
	// The paid invoice comes with it; what stands in it is tested in documents.
	if len(receipt.Attachments) != 1 || receipt.Attachments[0].Name != "INV-2026-000001.pdf" || !bytes.HasPrefix(receipt.Attachments[0].Data, []byte("%PDF-")) {
		t.Errorf("the receipt brings %d files", len(receipt.Attachments))
	}
	receipt.Attachments = nil
	if diff := cmp.Diff(want, receipt); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
	if receipt.Amount != (billing.Money{Amount: 990, Currency: "USD"}) {
		t.Errorf("the receipt is over %s", receipt.Amount)
	}
	license := s.email(billing.NoticeLicense)
	if license.Name != activitiestest.LicenseeName || license.Email != activitiestest.LicenseeEmail {
		t.Errorf("the licence went to %s <%s>", license.Name, license.Email)
	}
	if license.InvoiceNumber != "" || !license.Amount.IsZero() {
		t.Errorf("the licensee reads prices: %s %s", license.InvoiceNumber, license.Amount)
	}
	if license.Link != "https://shop.example/account/licenses/"+string(license.LicenseID) || license.LicenseID == "" {
		t.Errorf("the licence's link is %s", license.Link)
	}
	if license.Version != "2.4.2" || len(license.Attachments) != 1 || license.Attachments[0].Name != "calendar-pro-2.4.2.pbiviz" {
		t.Fatalf("version %q with %d attachments", license.Version, len(license.Attachments))
	}
	_, token, err := pbiviz.Token(license.Attachments[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := licensing.Verify(token, s.Keys.Public(), s.now, activitiestest.Product)
	if err != nil {
		t.Fatal(err)
	}
	// The period's end and 72 hours of grace.
	if claims.Subject != string(license.LicenseID) || claims.ExpiresAt != instant("2026-02-04 00:00:00").Unix() || claims.Plan != activitiestest.Monthly {
		t.Errorf("the file's licence says %+v", claims)
	}
	if err := s.Notify(t.Context(), sub); err != nil || len(s.Mailbox.Emails()) != 2 {
		t.Errorf("sent again: %d letters, %v", len(s.Mailbox.Emails()), err)
	}
}

func TestTheFileIsLeftToItsPageWhereItWouldBeTooLargeOrNobodyNeedsIt(t *testing.T) {
	for name, c := range map[string]struct {
		largest         int64 // of a mail
		online, renewed bool
		attached        bool
	}{
		"a first file":                               {attached: true},
		"a first file, asked for online already":     {online: true, attached: true},
		"a first file that is too large":             {largest: 100, attached: false},
		"a first file that is not":                   {largest: 5_000_000, attached: true},
		"the renewal of one that was never online":   {renewed: true, attached: true},
		"the renewal of one that was online of late": {renewed: true, online: true, attached: false},
		"a renewal that is too large":                {renewed: true, largest: 100, attached: false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.publish("2.4.2")
			s.LargestMail = c.largest
			sub := s.buy(activitiestest.Order{Token: "tok_visa"})
			kind := billing.NoticeLicense
			if c.online {
				_, err := s.DB.CountUsers(t.Context(), s.State(t, sub).License, licensing.Seen{At: time.Now(), Questions: 1, Users: []licensing.User{licensing.UserOf("somebody")}})
				if err != nil {
					t.Fatal(err)
				}
			}
			if c.renewed {
				s.must(s.Do(t.Context(), s.due(sub)))
				kind = billing.NoticeLicenseUpdated
			}
			if err := s.Notify(t.Context(), sub); err != nil {
				t.Fatal(err)
			}
			mail := s.email(kind)
			if attached := len(mail.Attachments) == 1; attached != c.attached || mail.Version != "2.4.2" || mail.Link != "https://shop.example/account/licenses/"+string(mail.LicenseID) {
				t.Errorf("%d files attached, of version %q, with the link %s", len(mail.Attachments), mail.Version, mail.Link)
			}
		})
	}
}

// Ada pays, then Dee, then Ada has another address.
func TestADocumentOfAFormerPayerGoesToTheAddressThatTheyHaveNow(t *testing.T) {
	s, ctx := newShop(t), t.Context()
	done := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	done(s.Notify(ctx, sub))
	ada, err := s.DB.AccountOf(ctx, activitiestest.BillingEmail)
	done(err)
	dee, _, _, err := s.DB.MoveAccount(ctx, billing.MovedAccount{Ref: "dee", Hash: "x", Email: "dee@other.example"})
	done(err)
	transfer := billing.Command{Action: billing.ActionTransfer, Request: "req_transfer"}
	_, _, err = s.DB.Begin(ctx, billing.Request{
		ID: transfer.Request, Caller: "test", Route: "POST /transfer", Key: "transfer", BodyHash: "-", Subscription: sub, Command: transfer,
		Amendment: &billing.Amendment{Contact: billing.Contact{Email: "dee@other.example"}, Account: dee},
	}, nil, nil)
	done(err)
	s.must(s.Do(ctx, s.command(sub, transfer)))
	c, err := s.DB.BeginEmailChange(ctx, ada.ID, "ada@new.example", true)
	done(err)
	_, err = s.DB.ConfirmEmailChange(ctx, c.ID, billing.NewAddress)
	done(err)
	invoices, err := s.DB.Invoices(ctx, "", sub, "", 1)
	done(err)
	s.must(s.Do(ctx, s.command(sub, s.Ask(t, sub, billing.Command{Action: billing.ActionRefund, Invoice: invoices[0].ID}, ""))))
	answered, err := s.Refund(ctx, sub)
	done(err)
	s.must(s.Do(ctx, s.record(sub, answered)))
	done(s.Notify(ctx, sub))
	if l := s.email(billing.NoticeRefunded); l.Email != "ada@new.example" || l.Name != activitiestest.BillingName || len(l.CreditNoteNumbers) != 1 {
		t.Errorf("the credit note %v went to %s <%s>", l.CreditNoteNumbers, l.Name, l.Email)
	}
}

func TestProductWithoutAVersionIsSoldAndItsEmailHasNoFile(t *testing.T) {
	s := newShop(t)
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	if err := s.Notify(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	if l := s.email(billing.NoticeLicense); l.Version != "" || len(l.Attachments) != 0 {
		t.Errorf("version %q, %d attachments", l.Version, len(l.Attachments))
	}
}

func TestFirstVersionIsMailedToThoseWhoWaitForIt(t *testing.T) {
	s := newShop(t)
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	if err := s.Notify(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	s.publish("1.0.0")
	if err := s.Notify(t.Context(), ""); err != nil { // the next sweep
		t.Fatal(err)
	}
	l := s.email(billing.NoticeVersionReady)
	if l.Email != activitiestest.LicenseeEmail || l.Version != "1.0.0" || len(l.Attachments) != 1 || l.Attachments[0].Name != "calendar-pro-1.0.0.pbiviz" {
		t.Fatalf("to %s, version %q, %d attachments", l.Email, l.Version, len(l.Attachments))
	}
	_, token, err := pbiviz.Token(l.Attachments[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := licensing.Verify(token, s.Keys.Public(), s.now, activitiestest.Product); err != nil || c.Subject != string(l.LicenseID) {
		t.Errorf("its licence says %+v, %v", c, err)
	}
	s.publish("1.1.0")
	if n := s.undone(sub); n != 0 {
		t.Errorf("%d more letters after the second version", n)
	}
}

func TestOperatorIsToldIdsAndAmountsAndNoNames(t *testing.T) {
	s := newShop(t)
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	state := s.State(t, sub)
	paid := billing.Money{Amount: 990, Currency: "USD"}
	inv, err := s.DB.Invoices(t.Context(), "", sub, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	p := billing.Changeset{From: state.Revision, Subscription: state, Notices: []billing.Notice{
		{Kind: billing.NoticeTransferUnused, To: billing.RoleOperator, InvoiceID: inv[0].ID, Amount: paid},
	}}
	p.Subscription.Revision++
	if err := s.DB.Post(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := s.Notify(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	got := s.email(billing.NoticeTransferUnused)
	want := billing.Email{
		ID: got.ID, Notice: got.Notice, At: got.At, Email: activitiestest.OperatorEmail, ProductName: "Calendar Pro",
		Activation: licensing.ActivationNone, SubscriptionID: sub, SubscriptionNumber: 1, Quantity: 1, InvoiceNumber: inv[0].Number,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("letter (-want +got):\n%s", diff)
	}
	if got.InvoiceID != inv[0].ID || got.Amount != paid {
		t.Errorf("it speaks of %s and %s", got.InvoiceID, got.Amount)
	}
}

type refusal struct{ permanent bool }

func (refusal) Error() string       { return "550 no such mailbox" }
func (r refusal) IsPermanent() bool { return r.permanent }

func TestEachEmailFailsForItself(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		undone int
	}{
		{"for ever", refusal{permanent: true}, 0},
		{"for now", refusal{permanent: false}, 1},
		{"the server is away", activitiestest.ErrAway, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			sub := s.buy(activitiestest.Order{Token: "tok_visa"})
			s.Mailbox.Fail(func(l billing.Email) error {
				if l.Kind == billing.NoticeReceipt {
					return c.err
				}
				return nil
			})
			if err := s.Notify(t.Context(), sub); !errors.Is(err, c.err) {
				t.Errorf("got %v, want the failure", err)
			}
			if diff := cmp.Diff([]billing.NoticeKind{billing.NoticeLicense}, s.Mailbox.Kinds()); diff != "" {
				t.Errorf("the other letter (-want +got):\n%s", diff)
			}
			if n := s.undone(sub); n != c.undone {
				t.Errorf("%d letters wait, want %d", n, c.undone)
			}
			s.Mailbox.Fail(nil)
			if err := s.Notify(t.Context(), sub); err != nil {
				t.Error(err)
			}
			if n := len(s.Mailbox.Emails()); n != 1+c.undone {
				t.Errorf("%d letters in the end, want %d", n, 1+c.undone)
			}
		})
	}
}

// An email with a file may wait for so long that its licence has ended: no
// file can be made any more, and trying again would go on for ever. It is no
// failure, and alarms nobody.
func TestFileOfALicenceThatHasEndedIsDroppedWithoutAnAlarm(t *testing.T) {
	s := newShop(t)
	s.publish("1.0.0")
	sub := s.buy(activitiestest.Order{Trial: true})
	s.now = instant("2026-02-01 00:00:00")
	if err := s.Notify(t.Context(), sub); err != nil {
		t.Errorf("an alarm: %v", err)
	}
	if diff := cmp.Diff([]billing.NoticeKind{billing.NoticeTrialStarted}, s.Mailbox.Kinds()); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
	if n := s.undone(sub); n != 0 {
		t.Errorf("%d letters are tried for ever", n)
	}
}

func TestErrorsOfNotifyHoldNoPersonalData(t *testing.T) {
	s := newShop(t)
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	if err := s.DB.PutVersion(t.Context(), activitiestest.Product, billing.Version{Version: "1.0.0"}, []byte("no package")); err != nil {
		t.Fatal(err)
	}
	s.Mailbox.Fail(func(billing.Email) error { return activitiestest.ErrAway })
	err := s.Notify(t.Context(), sub)
	if err == nil {
		t.Fatal("it did not fail")
	}
	noneOf(t, err.Error(), activitiestest.BillingEmail, activitiestest.BillingName, activitiestest.LicenseeEmail, activitiestest.LicenseeName)
}

func TestSweepLeavesAnEmailToTheRunThatIsAboutToSendIt(t *testing.T) {
	s := newShop(t)
	first := s.buy(activitiestest.Order{Token: "tok_visa"})
	if err := s.Notify(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Mailbox.Emails()); n != 0 {
		t.Errorf("%d letters were taken from a run that is about to send them", n)
	}
	if n := s.undone(first); n != 2 {
		t.Errorf("%d letters wait, want 2", n)
	}
}
