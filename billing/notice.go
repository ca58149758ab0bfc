package billing

import (
	"time"

	"github.com/okviz/licensing/licensing"
)

// NoticeKind names what a mail tells its reader.
type NoticeKind string

const (
	NoticeReceipt         NoticeKind = "receipt"          // billing: an invoice was paid (purchase, renewal, change)
	NoticeLicense         NoticeKind = "license"          // licensee: the licence and its file, after a purchase
	NoticeTrialLicense    NoticeKind = "trial_license"    // licensee: the same, for a trial
	NoticeLicenseUpdated  NoticeKind = "license_updated"  // licensee: the updated file after a renewal or change
	NoticeFileRenewed     NoticeKind = "file_renewed"     // licensee: a fresh file, good until Until, before the delivered one ends
	NoticeTrialStarted    NoticeKind = "trial_started"    // billing
	NoticeTrialEnding     NoticeKind = "trial_ending"     // billing: 7 days and 1 day before
	NoticeRenewalComing   NoticeKind = "renewal_coming"   // billing: 7 days before a yearly or longer renewal
	NoticePlanChanged     NoticeKind = "plan_changed"     // billing: old → new plan, credit
	NoticeChangeScheduled NoticeKind = "change_scheduled" // billing: old → new plan at Until, and what is due then
	NoticeTransferred     NoticeKind = "transferred"      // billing: they pay from now on
	NoticeCancelScheduled NoticeKind = "cancel_scheduled" // billing: works until Until
	NoticeResumed         NoticeKind = "resumed"          // billing
	NoticePaymentFailed   NoticeKind = "payment_failed"   // billing: next try at Until, link to a new card
	NoticeFinalNotice     NoticeKind = "final_notice"     // billing: the last failed try; ends at Until
	NoticeConfirmPayment  NoticeKind = "confirm_payment"  // billing: the bank asks the customer to confirm a renewal, until Until
	NoticeDisputeOpened   NoticeKind = "dispute_opened"   // operator
	NoticeDisputeWon      NoticeKind = "dispute_won"      // operator
	NoticeDisputeLost     NoticeKind = "dispute_lost"     // operator
	NoticeEnded           NoticeKind = "ended"            // billing: the subscription has ended, and why
	NoticeMoneyBack       NoticeKind = "money_back"       // billing: ended, and everything is given back
	NoticeRefunded        NoticeKind = "refunded"         // billing: an operator has given money back
	NoticeRefundFailed    NoticeKind = "refund_failed"    // operator: a card could not be refunded, the balance has the money
	NoticeQuote           NoticeKind = "quote"            // billing: what an order would cost, until Until
	NoticeConfirmOrder    NoticeKind = "confirm_order"    // billing or licensee: the link that confirms the address of an order, good until Until
	NoticeLogin           NoticeKind = "login"            // an account: the link to sign in with, good until Until
	NoticeAPIKeyMade      NoticeKind = "api_key_made"     // an account: somebody made an API key
	NoticeNewBrowser      NoticeKind = "new_browser"      // an account: a sign-in from a browser not known yet
	NoticeInvited         NoticeKind = "invited"          // a member: the link to join an account with, good until Until
	NoticeJoined          NoticeKind = "joined"           // an account: somebody has joined it
	NoticeEmailFrom       NoticeKind = "email_from"       // an account's address: the link to give it up with, good until Until
	NoticeEmailTo         NoticeKind = "email_to"         // another address: the link to become the account's with, good until Until
	NoticeEmailChanged    NoticeKind = "email_changed"    // an account's former address, and in copy the new one
	NoticeCardExpiring    NoticeKind = "card_expiring"    // billing: the card is good until Until
	NoticePriceChange     NoticeKind = "price_change"     // billing: another price from Until on
	NoticeVersionReady    NoticeKind = "version_ready"    // licensee: the file that was still missing
	NoticeInvoiceOpen     NoticeKind = "invoice_open"     // billing: to be paid by transfer until Until
	NoticeInvoiceVoid     NoticeKind = "invoice_void"     // billing: an invoice that was mailed is not to be paid any more
	NoticeTransferShort   NoticeKind = "transfer_short"   // operator: a part of an invoice has come; Rest is missing
	NoticeChargeRejected  NoticeKind = "charge_rejected"  // operator: the gateway rejected our call; Code says why
	NoticeOverLimit       NoticeKind = "over_limit"       // billing: more people than the plan covers, in two windows in a row
	NoticeWebhookDisabled NoticeKind = "webhook_disabled" // an account or the operator: a webhook endpoint gets nothing any more; Code says why
	NoticeTransferUnused  NoticeKind = "transfer_unused"  // operator: money for an invoice that is paid or void already
)

// Replaces tells whether the file of such a mail takes the place of one that was
// mailed before.
func (k NoticeKind) Replaces() bool { return k == NoticeLicenseUpdated || k == NoticeFileRenewed }

// Role is the recipient of a notice (docs/rules.md, Who takes part): one of the
// subscription's two contacts, or the operator. The licensee's mails show no
// prices; the operator's name ids instead of people.
type Role string

const (
	RoleBilling  Role = "billing"
	RoleLicensee Role = "licensee"
	RoleOperator Role = "operator"
)

// Notice is one mail to be sent, written in the transaction of the event that
// it tells of, at most once per event and recipient. It holds no personal
// data: who the recipient is, is looked up when it is sent. An amount of zero
// keeps its currency; if no money was asked for, it has none.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	To   Role       `json:"to"`

	InvoiceID   InvoiceID    `json:"invoice_id,omitempty"`
	Amount      Money        `json:"amount"`                 // charged, or due
	Discount    Money        `json:"discount"`               // taken off by coupon and standing discount
	OldAmount   Money        `json:"old_amount"`             // price_change: what Amount takes the place of
	Credit      Money        `json:"credit"`                 // taken off by a change; given back to the balance
	Rest        Money        `json:"rest"`                   // transfer_short
	Users       int64        `json:"people,omitempty"`       // over_limit: who used it in the window
	Covers      int64        `json:"covers,omitempty"`       // over_limit: for how many the plan is
	Renews      bool         `json:"renews,omitempty"`       // invoice_open: of the next period
	Until       time.Time    `json:"until,omitzero"`         // the instant that the kind is about
	Plan        PlanRef      `json:"plan,omitzero"`          // the plan at the event
	OldPlan     PlanRef      `json:"old_plan,omitzero"`      // plan_changed
	Reason      CancelReason `json:"reason,omitempty"`       // ended
	Code        string       `json:"code,omitempty"`         // charge_rejected: the gateway's
	WithFile    bool         `json:"with_file,omitzero"`     // attach the stamped package
	CreditNotes []string     `json:"credit_notes,omitempty"` // cn_…, to be attached
	Request     RequestID    `json:"request,omitempty"`      // confirm_order: what is carried out then
}

// Email is a notice ready to be written, with names, links and files. It
// exists only while it is being sent.
type Email struct {
	ID string // the outbox row's id: the mail's Message-ID is made of it
	Notice
	Name, Email string   // the recipient
	CC          []string // who gets the documents, too
	Language    string   // empty: English

	ProductName        string
	Activation         licensing.Activation
	SubscriptionID     SubscriptionID // for the operator only
	SubscriptionNumber int64
	Quantity           int64
	InvoiceNumber      string
	CreditNoteNumbers  []string
	QuoteNumber        string
	Endpoint           string // whe_…
	Account            string // the address of the account that invites, is joined or moves
	Member             string // the address that has joined, or that the account is to have
	MemberRole         MemberRole
	LicenseID          licensing.LicenseID
	Licensee           string // "Name <e-mail>", as the licence shows it
	ForOther           bool   // who pays is told that the licence goes to another address
	ValidUntil         time.Time
	Version            string // of the attached file; empty: none published yet
	Link               string // the page that the one button leads to; a secret only where it is the mail's purpose
	At                 time.Time
	Attachments        []Attachment
}

// Attachment is a file of an email.
type Attachment struct {
	Name        string
	ContentType string
	Data        []byte
}

// Envelope is a notice of the outbox that was claimed to be sent.
type Envelope struct {
	ID           string // ntc_…
	Subscription string
	At           time.Time // of the event
	Notice       Notice
}
