package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/okviz/licensing/billing"
)

// Notify sends the mails in a subscription's outbox, or in all outboxes if
// the id is empty. Each mail is tried separately: one that fails stays for
// the next try.
func (a *Activities) Notify(ctx context.Context, subscription billing.SubscriptionID) error {
	envelopes, err := a.Store.ClaimNotices(ctx, subscription, 50)
	if err != nil {
		return err
	}
	var failed error
	var of billing.Snapshot // what the mail before was about: mostly the same subscription
	for _, e := range envelopes {
		if err := a.send(ctx, e, &of); err != nil {
			failed = errors.Join(failed, fmt.Errorf("notice %s: %w", e.ID, err))
		}
	}
	return failed
}

func (a *Activities) send(ctx context.Context, e billing.Envelope, of *billing.Snapshot) error {
	email, err := a.email(ctx, e, of)
	if err == nil {
		err = a.Mailer.Deliver(ctx, email)
	}
	if errors.Is(err, errEnded) { // nothing is wrong: there is nobody to tell any more
		return a.Store.NoticeDone(ctx, e.ID, true)
	}
	var permanent interface{ IsPermanent() bool }
	hopeless := errors.As(err, &permanent) && permanent.IsPermanent()
	if err == nil || hopeless {
		return errors.Join(err, a.Store.NoticeDone(ctx, e.ID, hopeless))
	}
	return errors.Join(err, a.Store.ReleaseNotice(ctx, e.ID))
}

// attachNote adds a credit note to an email.
func (a *Activities) attachNote(ctx context.Context, l *billing.Email, id string, o billing.Order) error {
	note, err := a.Store.CreditNote(ctx, id)
	if err != nil {
		return fmt.Errorf("credit note %s: %w", id, err)
	}
	inv, _, err := a.Store.Invoice(ctx, note.Invoice)
	if err != nil {
		return err
	}
	if err := a.addressPayer(ctx, l, inv, o); err != nil {
		return err
	}
	pdf, err := a.Documents.CreditNote(note, inv, o.BilledTo(inv))
	if err != nil {
		return err
	}
	l.CreditNoteNumbers = append(l.CreditNoteNumbers, note.Number)
	l.Attachments = append(l.Attachments, billing.Attachment{Name: note.Number + ".pdf", ContentType: "application/pdf", Data: pdf})
	return nil
}

// addressPayer addresses a document to the account that it is of: another may pay
// by now, and the order does not follow a former payer's address.
func (a *Activities) addressPayer(ctx context.Context, l *billing.Email, inv billing.Invoice, o billing.Order) error {
	if inv.Account == o.BillingAccount {
		return nil
	}
	payer, err := a.Store.Account(ctx, inv.Account)
	l.Name, l.Email = o.BilledTo(inv).Name, payer.Email
	return err
}

// errEnded drops a mail that can never be made any more, because the licence of
// its file, or its link, has ended meanwhile.
var errEnded = errors.New("the licence or the link has ended, and the mail cannot be made any more")

// loginEmail brings a sign-in link. The token is in the URL's fragment,
// which browsers do not send to servers.
func (a *Activities) loginEmail(ctx context.Context, e billing.Envelope) (billing.Email, error) {
	to, token, err := a.Store.NoticeAccount(ctx, e.Subscription, a.Secret.LoginTokens(e.Subscription))
	if errors.Is(err, billing.ErrNotFound) { // the link is over, and was removed
		err = errEnded
	}
	return a.accountEmail(e, to, "/login#token="+token), err
}

// accountPageEmail is about an API key or a browser of an account, and links to
// the page that shows it.
func (a *Activities) accountPageEmail(ctx context.Context, e billing.Envelope, page string) (billing.Email, error) {
	to, _, err := a.Store.NoticeAccount(ctx, e.Subscription, nil)
	return a.accountEmail(e, to, page), err
}

// webhookEmail tells the owner of a webhook endpoint, an account or the operator.
func (a *Activities) webhookEmail(ctx context.Context, e billing.Envelope) (billing.Email, error) {
	if e.Notice.To == billing.RoleOperator {
		return billing.Email{ID: e.ID, Notice: e.Notice, At: e.At, Email: a.OperatorEmail, Endpoint: e.Subscription}, nil
	}
	to, _, err := a.Store.NoticeAccount(ctx, e.Subscription, nil)
	if errors.Is(err, billing.ErrNotFound) { // it was deleted
		err = errEnded
	}
	l := a.accountEmail(e, to, "/docs")
	l.Endpoint = e.Subscription
	return l, err
}

// memberEmail invites a member, with the token in the fragment like a login's, or
// tells the account that somebody has joined it.
func (a *Activities) memberEmail(ctx context.Context, e billing.Envelope) (billing.Email, error) {
	m, err := a.Store.Member(ctx, e.Subscription)
	var of billing.Account
	if err == nil {
		of, err = a.Store.Account(ctx, m.Account)
	}
	if errors.Is(err, billing.ErrNotFound) { // invited anew, or removed
		err = errEnded
	}
	l := a.accountEmail(e, of, "/account/people")
	l.Account, l.Member, l.MemberRole = of.Email, m.Email, m.Role
	if e.Notice.Kind == billing.NoticeInvited {
		l.Email, l.Link = m.Email, a.PublicURL+"/confirm#token="+a.Secret.InvitationToken(m.ID)
	}
	return l, err
}

// addressEmail asks one of the two addresses of a change to confirm it, or tells both
// that it was made.
func (a *Activities) addressEmail(ctx context.Context, e billing.Envelope) (billing.Email, error) {
	c, err := a.Store.EmailChange(ctx, e.Subscription)
	if errors.Is(err, billing.ErrNotFound) { // another took its place
		err = errEnded
	}
	l := billing.Email{ID: e.ID, Notice: e.Notice, At: e.At, Email: c.Former, Account: c.Former, Member: c.Email, Link: a.PublicURL + "/confirm#token="}
	switch e.Notice.Kind {
	case billing.NoticeEmailFrom:
		l.Link += a.Secret.AddressToken(c.ID, billing.FormerAddress)
	case billing.NoticeEmailTo:
		l.Email, l.Link = c.Email, l.Link+a.Secret.AddressToken(c.ID, billing.NewAddress)
	default:
		l.CC, l.Link = []string{c.Email}, ""
	}
	return l, err
}

func (a *Activities) accountEmail(e billing.Envelope, to billing.Account, page string) billing.Email {
	return billing.Email{ID: e.ID, Notice: e.Notice, At: e.At, Email: to.Email, Language: to.Language, Link: a.PublicURL + page}
}

// quoteEmail brings a quote and the link that opens it, with the token in
// the fragment like a login's.
func (a *Activities) quoteEmail(ctx context.Context, e billing.Envelope) (billing.Email, error) {
	q, err := a.Store.Quote(ctx, e.Subscription)
	if err != nil {
		return billing.Email{}, err
	}
	q.Order = q.Order.Unconfirmed()
	pdf, err := a.Documents.Quote(q)
	return billing.Email{
		ID: e.ID, Notice: e.Notice, At: e.At, Name: q.Order.Billing.Name, Email: q.Order.Billing.Email, Language: q.Order.Language,
		ProductName: q.ProductName, Quantity: q.Subscription.Quantity, QuoteNumber: q.Number,
		Link:        a.PublicURL + "/quotes/" + q.ID + "#token=" + a.Secret.QuoteToken(q.ID),
		Attachments: []billing.Attachment{{Name: q.Number + ".pdf", ContentType: "application/pdf", Data: pdf}},
	}, err
}

// confirmEmail brings the link that confirms the address of an order, with the
// token in the fragment like a login's; the billing contact of an order by
// invoice also gets what it would be invoiced.
func (a *Activities) confirmEmail(l billing.Email, b billing.Snapshot) (billing.Email, error) {
	if !b.Subscription.AwaitsConfirmation() {
		return l, errEnded
	}
	l.Link, l.Licensee = a.PublicURL+"/confirm#token="+a.Secret.ConfirmationToken(l.Request), ""
	l.SubscriptionNumber = 0 // it tells its reader nothing yet
	l.ForOther = l.To == billing.RoleBilling && !strings.EqualFold(b.Order.Licensee.Email, b.Order.Billing.Email)
	if l.To == billing.RoleLicensee {
		l.Name, l.Email = b.Order.Licensee.Name, b.Order.Licensee.Email
	}
	if b.Subscription.Collection != billing.ByInvoice {
		return l, nil
	}
	b.Order = b.Order.Unconfirmed()
	q := b.ProForma()
	pdf, err := a.Documents.Quote(q)
	l.Amount, l.Attachments = q.Bill.Total(), []billing.Attachment{{Name: "Pro forma.pdf", ContentType: "application/pdf", Data: pdf}}
	return l, err
}

// email gathers a notice's recipient, contents and attachments. of is what was read
// for the mail before, and then what was read for this one.
func (a *Activities) email(ctx context.Context, e billing.Envelope, of *billing.Snapshot) (billing.Email, error) {
	switch e.Notice.Kind {
	case billing.NoticeLogin:
		return a.loginEmail(ctx, e)
	case billing.NoticeAPIKeyMade:
		return a.accountPageEmail(ctx, e, "/account/api-keys")
	case billing.NoticeNewBrowser:
		return a.accountPageEmail(ctx, e, "/account/details")
	case billing.NoticeInvited, billing.NoticeJoined:
		return a.memberEmail(ctx, e)
	case billing.NoticeEmailFrom, billing.NoticeEmailTo, billing.NoticeEmailChanged:
		return a.addressEmail(ctx, e)
	case billing.NoticeWebhookDisabled:
		return a.webhookEmail(ctx, e)
	case billing.NoticeQuote:
		return a.quoteEmail(ctx, e)
	default: // of a subscription
	}
	if of.Subscription.ID != billing.SubscriptionID(e.Subscription) {
		read, err := a.Store.Ordered(ctx, billing.SubscriptionID(e.Subscription))
		if err != nil { // what was half read is of no use to the next mail
			return billing.Email{}, err
		}
		*of = read
	}
	snapshot := *of
	s := snapshot.Subscription
	if o := &snapshot.Order; s.Guest {
		printed := o.Unconfirmed()
		o.Billing.Name, o.Licensee = printed.Billing.Name, printed.Licensee
	}
	l := billing.Email{
		ID: e.ID, Notice: e.Notice, At: e.At,
		Name: snapshot.Order.Billing.Name, Email: snapshot.Order.Billing.Email, Language: snapshot.Order.Language,
		ProductName: snapshot.Product.Name, Activation: snapshot.Product.Activation,
		SubscriptionNumber: s.Number, Quantity: s.Quantity, Link: a.PublicURL + "/account/subscriptions/" + string(s.ID),
	}
	if snapshot.Order.Licensee.Name != "" {
		l.Licensee = snapshot.Order.Licensee.String()
	}
	if e.Notice.Kind == billing.NoticeConfirmOrder {
		return a.confirmEmail(l, snapshot)
	}
	if e.Notice.InvoiceID != "" {
		if err := a.attachInvoice(ctx, &l, e.Notice, snapshot.Order); err != nil {
			return l, err
		}
	}
	switch e.Notice.To {
	case billing.RoleBilling:
		if l.Email == "" { // of a free licence
			return l, errEnded
		}
		for _, id := range e.Notice.CreditNotes {
			if err := a.attachNote(ctx, &l, id, snapshot.Order); err != nil {
				return l, err
			}
		}
		if len(l.Attachments) > 0 && l.Email == snapshot.Order.Billing.Email {
			l.CC = snapshot.Order.CC
		}
		if e.Notice.Kind == billing.NoticeOverLimit {
			l.Link += "/change"
		}
		return l, nil
	case billing.RoleOperator: // it has no page here
		l.Name, l.Email, l.Licensee, l.Link, l.SubscriptionID = "", a.OperatorEmail, "", "", s.ID
		return l, nil
	default: // the licensee
	}
	return l, a.addressLicensee(ctx, &l, e.Notice, snapshot.Order)
}

// attachInvoice adds the invoice that an email is about, once it has a number,
// and for one that became void the credit notes that correct it. The operator
// is sent no documents.
func (a *Activities) attachInvoice(ctx context.Context, l *billing.Email, n billing.Notice, o billing.Order) error {
	inv, notes, err := a.Store.Invoice(ctx, n.InvoiceID)
	if err != nil {
		return err
	}
	to := o.BilledTo(inv)
	if n.To == billing.RoleBilling {
		if err := a.addressPayer(ctx, l, inv, o); err != nil {
			return err
		}
	}
	l.InvoiceNumber = inv.Number
	if n.Kind == billing.NoticeInvoiceVoid {
		for _, note := range notes {
			pdf, err := a.Documents.CreditNote(note, inv, to)
			if err != nil {
				return err
			}
			l.Attachments = append(l.Attachments, billing.Attachment{Name: note.Number + ".pdf", ContentType: "application/pdf", Data: pdf})
		}
	}
	if (inv.Status == billing.InvoicePaid || inv.Status == billing.InvoiceOpen) && n.To != billing.RoleOperator {
		pdf, err := a.Documents.Invoice(inv, to)
		if err != nil {
			return err
		}
		l.Attachments = []billing.Attachment{{Name: inv.Number + ".pdf", ContentType: "application/pdf", Data: pdf}}
	}
	return nil
}

// addressLicensee addresses an email to the licensee, whose page is the
// licence's, and attaches the licensed file if it is to bring one.
func (a *Activities) addressLicensee(ctx context.Context, l *billing.Email, n billing.Notice, o billing.Order) error {
	l.Name, l.Email = o.Licensee.Name, o.Licensee.Email
	license, err := a.Store.License(ctx, o.License)
	if err != nil {
		return err
	}
	l.LicenseID, l.ValidUntil = license.ID, license.ValidUntil
	l.Link = a.PublicURL + "/account/licenses/" + string(license.ID)
	if !n.WithFile {
		return nil
	}
	now := license.At(a.Now())
	if !now.Before(license.ValidUntil) {
		return errEnded
	}
	if n.Kind.Replaces() && license.Usage.Questions > 0 { // online, where it needs no new file
		l.Version, err = a.Files.Newest(ctx, license.Product)
		return err
	}
	file, version, err := a.Files.Stamp(ctx, license, "", now)
	if err != nil {
		return err
	}
	if l.Version = version; version != "" && (a.LargestMail == 0 || encoded(file) <= a.LargestMail) {
		l.Attachments = []billing.Attachment{file}
	}
	return nil
}

// encoded is how many bytes an attachment adds to a mail: each line of 76 characters
// and its end stands for 57 bytes.
func encoded(a billing.Attachment) int64 { return int64((len(a.Data) + 56) / 57 * 78) }
