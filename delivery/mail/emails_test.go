package mail_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/mail"
	"github.com/okviz/licensing/delivery/words"
	"github.com/okviz/licensing/licensing"
)

var out = flag.String("out", "", "also write every email into this folder, as HTML to be looked at")

func utc(year int, month time.Month, day, hour int) time.Time {
	return time.Date(year, month, day, hour, 0, 0, 0, time.UTC)
}

var (
	monthly20 = billing.PlanRef{ID: "calendar-pro-users-1-20-monthly", Type: licensing.Users, Tier: "1-20", Cycle: billing.Monthly}
	yearlyP1  = billing.PlanRef{ID: "calendar-pro-capacity-p1-yearly", Type: licensing.Capacity, Tier: "P1 or F64", Cycle: billing.Yearly}
	sites3y   = billing.PlanRef{ID: "calendar-pro-site-3y", Type: licensing.Site, Cycle: billing.ThreeYears}

	invoicePDF = billing.Attachment{Name: "INV-2026-000123.pdf", ContentType: "application/pdf", Data: []byte("%PDF-1.4\r\n\x00\xff\n.\r\n..\n")}
	visualFile = billing.Attachment{Name: "calendar-pro-2.4.2.pbiviz", ContentType: "application/octet-stream", Data: bytes.Repeat([]byte("PK\x03\x04\x00\r\n.\r\n\xff"), 9000)}
)

// toBilling and toLicensee are the emails that the cases below differ from.
func toBilling(n billing.Notice) billing.Email {
	n.To = billing.RoleBilling
	n.Until, n.Plan = utc(2026, 2, 28, 10), monthly20
	return billing.Email{
		ID: "out_01JXYZ", Notice: n, Name: "Ada Rossi", Email: "ada@contoso.example",
		ProductName: "Calendar Pro", SubscriptionNumber: 4540, Quantity: 1,
		Link: "https://okviz.example/account/subscriptions/sub_1", At: utc(2026, 1, 31, 10),
	}
}

func toLicensee(n billing.Notice) billing.Email {
	l := toBilling(n)
	l.To, l.WithFile = billing.RoleLicensee, true
	l.Amount, l.Credit, l.InvoiceNumber = usd(990), usd(123), "INV-2026-000123" // must not be told
	l.Name, l.Email = "Bea Bianchi", "bea@contoso.example"
	l.Activation, l.LicenseID, l.Licensee = licensing.ActivationNone, "lic_01J9", "Bea Bianchi <bea@contoso.example>"
	l.ValidUntil, l.Version = utc(2026, 3, 3, 10), "2.4.2"
	l.Link = "https://okviz.example/account/licenses/lic_01J9"
	l.Attachments = []billing.Attachment{visualFile}
	return l
}

func toOperator(n billing.Notice) billing.Email {
	l := toBilling(n)
	l.To, l.InvoiceID, l.InvoiceNumber = billing.RoleOperator, "inv_01J9", "INV-2026-000123"
	l.Name, l.Email, l.Link, l.SubscriptionID = "", "desk@okviz.example", "", "sub_01J9"
	return l
}

func aboutAccount(kind billing.NoticeKind, to, link string) billing.Email {
	return billing.Email{
		ID: "out_01JXYZ", Notice: billing.Notice{Kind: kind, To: billing.RoleBilling, Until: utc(2026, 2, 28, 10)}, Email: to, Link: link, At: utc(2026, 1, 31, 10),
		Account: "ada@contoso.example", Member: "bea@contoso.example", MemberRole: billing.MemberFinance,
	}
}

func usd(cents int64) billing.Money { return billing.Money{Amount: cents, Currency: "USD"} }

func with(l billing.Email, change func(*billing.Email)) billing.Email {
	change(&l)
	return l
}

var importing = []string{"Power BI Desktop", "Import a visual from a file", "choose “Edit”", "Admin portal", "a setting for visuals from a file may have to be switched on"}

type emailCase struct {
	name    string
	email   billing.Email
	subject string
	says    []string // in both parts
	not     []string // in neither
}

var emails = []emailCase{
	{
		"a receipt says what was paid, and has the invoice",
		with(toBilling(billing.Notice{Kind: billing.NoticeReceipt, Amount: usd(990)}), func(l *billing.Email) {
			l.InvoiceNumber, l.Attachments = "INV-2026-000123", []billing.Attachment{invoicePDF}
		}),
		"Receipt for Calendar Pro: INV-2026-000123",
		[]string{"We received $9.90.", "The invoice is attached.", "Users 1-20, billed monthly", "#4540", "31 January 2026, 10:00 UTC", "28 February 2026, 10:00 UTC"},
		nil,
	},
	{
		"a receipt tells the discount",
		toBilling(billing.Notice{Kind: billing.NoticeReceipt, Amount: usd(792), Discount: usd(198)}),
		"Receipt for Calendar Pro",
		[]string{"Discount", "$1.98", "$7.92"},
		nil,
	},
	{
		"a receipt of nothing does not thank for money",
		toBilling(billing.Notice{Kind: billing.NoticeReceipt, Amount: usd(0)}),
		"Receipt for Calendar Pro",
		[]string{"There was nothing left to pay.", "The invoice is in your account."},
		[]string{"We received"},
	},
	{
		"a licence comes with its file and how to import it",
		toLicensee(billing.Notice{Kind: billing.NoticeLicense}),
		"Your licence for Calendar Pro",
		append([]string{
			"The visual, version 2.4.2, is attached to this mail. Your licence is inside the file.", "lic_01J9", "Bea Bianchi <bea@contoso.example>", "3 March 2026, 10:00 UTC",
			"Behind a firewall", "import each updated file that we mail you",
		}, importing...),
		[]string{"Activate it", "the file follows"},
	},
	{
		"a licence without a version says that the file follows",
		with(toLicensee(billing.Notice{Kind: billing.NoticeLicense}), func(l *billing.Email) { l.Version, l.Attachments = "", nil }),
		"Your licence for Calendar Pro",
		[]string{"file follows", "We mail it to you as soon as it is"},
		[]string{"is attached", "Power BI Desktop"},
	},
	{
		"a licence whose file could not be attached leads to its page",
		with(toLicensee(billing.Notice{Kind: billing.NoticeLicense}), func(l *billing.Email) { l.Attachments = nil }),
		"Your licence for Calendar Pro",
		[]string{"ready to download on your licence’s page"},
		[]string{"is attached", "file follows"},
	},
	{
		"a licence that is typed in names exactly what to type",
		with(toLicensee(billing.Notice{Kind: billing.NoticeLicense}), func(l *billing.Email) {
			l.ProductName, l.Activation, l.Licensee = "Smart Filter Pro", licensing.ActivationLicensee, `Zoë "Bea"  O’Neil & Sons <bea@contoso.example>`
		}),
		"Your licence for Smart Filter Pro",
		[]string{"type the licence id and exactly this licensee", `Zoë "Bea"  O’Neil & Sons <bea@contoso.example>`},
		[]string{"Your licence is inside the file"},
	},
	{
		"a licence of a tenant sends nobody the key",
		with(toLicensee(billing.Notice{Kind: billing.NoticeLicense}), func(l *billing.Email) { l.Activation = licensing.ActivationEntra }),
		"Your licence for Calendar Pro",
		[]string{"The activation key is on your licence’s page"},
		nil,
	},
	{
		"a trial licence says until when all works",
		toLicensee(billing.Notice{Kind: billing.NoticeTrialLicense}),
		"Your trial licence for Calendar Pro",
		append([]string{"Everything works until 28 February 2026, 10:00 UTC", "is attached", "lic_01J9", "Behind a firewall"}, importing...),
		nil,
	},
	{
		"an updated licence says that a visual that is online needs no file",
		toLicensee(billing.Notice{Kind: billing.NoticeLicenseUpdated}),
		"Updated licence for Calendar Pro",
		append([]string{"it needs no new file", "Behind a firewall", "Import the updated file over the old one", "is attached", "lic_01J9", "3 March 2026, 10:00 UTC"}, importing...),
		nil,
	},
	{
		"a fresh file is told with how long it lasts",
		toLicensee(billing.Notice{Kind: billing.NoticeFileRenewed}),
		"A fresh licensed file of Calendar Pro",
		append([]string{"lasts until 28 February 2026", "it needs no new file", "Import this file over the old one", "is attached", "lic_01J9"}, importing...),
		nil,
	},
	{
		"a version that was awaited comes with how to import it",
		toLicensee(billing.Notice{Kind: billing.NoticeVersionReady}),
		"Calendar Pro is ready for you",
		append([]string{"Thank you for waiting", "is attached", "lic_01J9", "Behind a firewall"}, importing...),
		nil,
	},
	{
		"a card that expires is told with its day",
		toBilling(billing.Notice{Kind: billing.NoticeCardExpiring}),
		"The card for Calendar Pro expires soon",
		[]string{"good until 28 February 2026", "Use another card", "Users 1-20, billed monthly"},
		nil,
	},
	{
		"a plan that is outgrown is told with how many use it, and where larger ones are",
		toBilling(billing.Notice{Kind: billing.NoticeOverLimit, Users: 23, Covers: 20}),
		"More people use Calendar Pro than your plan covers",
		[]string{"About 23 people", "in the last 28 days", "it covers 20", "goes on working", "See larger plans", "Users 1-20, billed monthly"},
		nil,
	},
	{
		"a scheduled change tells both plans, its day and what is due then",
		toBilling(billing.Notice{Kind: billing.NoticeChangeScheduled, OldPlan: yearlyP1, Amount: usd(990)}),
		"Your plan for Calendar Pro changes on 28 February 2026",
		[]string{"28 February 2026, 10:00 UTC", "Capacity P1 or F64, billed yearly", "Users 1-20, billed monthly", "$9.90", "withdraw the change", "nothing is charged for the change"},
		nil,
	},
	{
		"who pays for a subscription from now on is told what to check",
		toBilling(billing.Notice{Kind: billing.NoticeTransferred}),
		"A subscription to Calendar Pro is yours now",
		[]string{"From now on you pay", "28 February 2026, 10:00 UTC", "billing details", "give a card"},
		nil,
	},
	{
		"a new price is announced with the old one and its day",
		toBilling(billing.Notice{Kind: billing.NoticePriceChange, OldAmount: usd(990), Amount: usd(1290)}),
		"A new price for Calendar Pro from 28 February 2026 on",
		[]string{"From 28 February 2026, 10:00 UTC on", "costs $12.90 in place of $9.90", "You need do nothing to go on", "Users 1-20, billed monthly"},
		nil,
	},
	{
		"a link to sign in with says for how long it is good, and names no subscription",
		billing.Email{
			ID: "out_01JXYZ", Notice: billing.Notice{Kind: billing.NoticeLogin, To: billing.RoleBilling, Until: utc(2026, 1, 31, 10)},
			Email: "ada@contoso.example", Link: "https://okviz.example/login#token=abc", At: utc(2026, 1, 31, 9),
		},
		"Sign in to OKVIZ",
		[]string{"Open the page behind the button", "until 31 January 2026, 10:00 UTC"},
		[]string{"subscription", "licence"},
	},
	{
		"a new API key is told with what to do if it was somebody else",
		billing.Email{
			ID: "out_01JXYZ", Notice: billing.Notice{Kind: billing.NoticeAPIKeyMade, To: billing.RoleBilling},
			Email: "ada@contoso.example", Link: "https://okviz.example/account/api-keys", At: utc(2026, 1, 31, 9),
		},
		"A new API key for your account at OKVIZ",
		[]string{"31 January 2026, 09:00 UTC", "If it was not you, end the key"},
		[]string{"subscription", "licence"},
	},
	{
		"a sign-in from a new browser is told with what to do if it was somebody else",
		billing.Email{
			ID: "out_01JXYZ", Notice: billing.Notice{Kind: billing.NoticeNewBrowser, To: billing.RoleBilling},
			Email: "ada@contoso.example", Link: "https://okviz.example/account/details", At: utc(2026, 1, 31, 9),
		},
		"You signed in to OKVIZ from a new browser",
		[]string{"31 January 2026, 09:00 UTC", "If it was not you, sign out everywhere"},
		[]string{"subscription", "licence"},
	},
	{
		"an invitation says whose account it is, what for and until when, and names no subscription",
		aboutAccount(billing.NoticeInvited, "bea@contoso.example", "https://okviz.example/confirm#token=mit_abc"),
		"You are invited to an account at OKVIZ",
		[]string{"ada@contoso.example invites you", "for finance: you may see its documents", "until 28 February 2026, 10:00 UTC", "If you do not know ada@contoso.example"},
		[]string{"subscription", "licence"},
	},
	{
		"who has joined an account is told to it, with how to remove them",
		aboutAccount(billing.NoticeJoined, "ada@contoso.example", "https://okviz.example/account/people"),
		"bea@contoso.example has joined your account at OKVIZ",
		[]string{"bea@contoso.example has accepted", "for finance", "31 January 2026, 10:00 UTC", "they lose access at once"},
		[]string{"subscription", "licence"},
	},
	{
		"the address that an account has is asked whether it is to have another",
		aboutAccount(billing.NoticeEmailFrom, "ada@contoso.example", "https://okviz.example/confirm#token=ect_abc"),
		"Confirm the new address of your account at OKVIZ",
		[]string{"bea@contoso.example in place of ada@contoso.example", "28 February 2026, 10:00 UTC", "If it was not you, do not confirm it"},
		[]string{"subscription", "licence"},
	},
	{
		"the address that an account is to have is warned of those who use it",
		aboutAccount(billing.NoticeEmailTo, "bea@contoso.example", "https://okviz.example/confirm#token=ect_abc"),
		"Confirm your address for an account at OKVIZ",
		[]string{"The account of ada@contoso.example", "28 February 2026, 10:00 UTC", "Confirm it only if you asked for it yourself"},
		[]string{"subscription", "licence"},
	},
	{
		"both addresses are told that the account has the other one",
		with(aboutAccount(billing.NoticeEmailChanged, "ada@contoso.example", ""), func(l *billing.Email) { l.CC = []string{"bea@contoso.example"} }),
		"Your account at OKVIZ has another address",
		[]string{"the account of ada@contoso.example got the address bea@contoso.example", "31 January 2026, 10:00 UTC", "tell us at once"},
		[]string{"subscription", "licence"},
	},
	{
		"who owns a webhook endpoint is told that it was disabled, and what to do",
		billing.Email{
			ID: "out_01JXYZ", Notice: billing.Notice{Kind: billing.NoticeWebhookDisabled, To: billing.RoleBilling, Code: "failing"}, Endpoint: "whe_01JXYZ",
			Email: "ada@contoso.example", Link: "https://okviz.example/docs", At: utc(2026, 1, 31, 9),
		},
		"OKVIZ sends nothing to your webhook endpoint any more",
		[]string{"whe_01JXYZ has taken no event for a week", "you can have what it has missed sent again", "your address has an account"},
		[]string{"410"},
	},
	{
		"the operator is told that a webhook endpoint says that it is gone",
		billing.Email{
			ID: "out_01JXYZ", Notice: billing.Notice{Kind: billing.NoticeWebhookDisabled, To: billing.RoleOperator, Code: "gone"}, Endpoint: "whe_01JXYZ",
			Email: "desk@okviz.example", At: utc(2026, 1, 31, 9),
		},
		"OKVIZ sends nothing to your webhook endpoint any more",
		[]string{"whe_01JXYZ answered 410 on 31 January 2026, 09:00 UTC", "you run the engine"},
		[]string{"a week"},
	},
	{
		"a quote says what it would cost until when, and that nothing is ordered",
		with(toBilling(billing.Notice{Kind: billing.NoticeQuote, Amount: usd(1208)}), func(l *billing.Email) {
			l.SubscriptionNumber, l.QuoteNumber, l.Link = 0, "Q-2026-000007", "https://okviz.example/quotes/quo_1#token=qot_abc"
			l.Attachments = []billing.Attachment{{Name: "Q-2026-000007.pdf", ContentType: "application/pdf", Data: invoicePDF.Data}}
		}),
		"Your quote for Calendar Pro: Q-2026-000007",
		[]string{"attached as PDF", "Nothing has been ordered yet", "Q-2026-000007", "$12.08", "Users 1-20, billed monthly", "28 February 2026, 10:00 UTC", "somebody asked for a quote"},
		[]string{"subscription", "the billing contact"},
	},
	{
		"an order that is to be confirmed says until when, and that nothing is issued",
		with(toBilling(billing.Notice{Kind: billing.NoticeConfirmOrder, Amount: usd(495000)}), func(l *billing.Email) {
			l.SubscriptionNumber, l.Link, l.ForOther = 0, "https://okviz.example/confirm#token=oct_abc", true
			l.Attachments = []billing.Attachment{{Name: "Pro forma.pdf", ContentType: "application/pdf", Data: invoicePDF.Data}}
		}),
		"Confirm your order of Calendar Pro",
		[]string{"Nothing is issued before", "$4,950.00", "28 February 2026, 10:00 UTC", "It is no invoice yet", "The licence goes to another address than yours", "If it was not you, you need do nothing", "somebody ordered with your address"},
		[]string{"subscription", "the billing contact", "INV-"},
	},
	{
		"a trial that is to be confirmed names no price",
		with(toLicensee(billing.Notice{Kind: billing.NoticeConfirmOrder}), func(l *billing.Email) {
			l.SubscriptionNumber, l.Link, l.Attachments = 0, "https://okviz.example/confirm#token=oct_abc", nil
		}),
		"Confirm your order of Calendar Pro",
		[]string{"Nothing is issued before", "28 February 2026, 10:00 UTC"},
		[]string{"subscription", "$", "attached", "licensee", "another address"},
	},
	{
		"a trial's start says that nothing is charged by itself",
		toBilling(billing.Notice{Kind: billing.NoticeTrialStarted}),
		"Your trial of Calendar Pro has started",
		[]string{"runs until 28 February 2026, 10:00 UTC", "add a payment method", "nothing is charged", "Users 1-20, billed monthly"},
		nil,
	},
	{
		"a trial's end is announced with the price",
		toBilling(billing.Notice{Kind: billing.NoticeTrialEnding, Amount: billing.Money{Amount: 990, Currency: "EUR"}}),
		"Your trial of Calendar Pro ends on 28 February 2026",
		[]string{"€9.90, as things stand: with tax, less discounts and your account’s balance", "28 February 2026, 10:00 UTC", "To keep it:", "To let it end:"},
		nil,
	},
	{
		"a renewal is announced with its price and day",
		with(toBilling(billing.Notice{Kind: billing.NoticeRenewalComing, Amount: billing.Money{Amount: 990, Currency: "JPY"}}), func(l *billing.Email) {
			l.Plan, l.Quantity = yearlyP1, 2
		}),
		"Calendar Pro renews on 28 February 2026",
		[]string{"¥990, as things stand", "2 × Capacity P1 or F64, billed yearly"},
		nil,
	},
	{
		"a changed plan is told from old to new, with the credit",
		with(toBilling(billing.Notice{Kind: billing.NoticePlanChanged, Amount: usd(123456), Credit: usd(495), Discount: usd(2250), OldPlan: monthly20}), func(l *billing.Email) {
			l.Plan, l.InvoiceNumber = sites3y, "INV-2026-000124"
			l.Attachments = []billing.Attachment{invoicePDF}
		}),
		"Your plan for Calendar Pro was changed",
		[]string{"Users 1-20, billed monthly", "Site, billed every three years", "$4.95", "$22.50", "$1,234.56", "INV-2026-000124", "The invoice is attached.", "31 January 2026, 10:00 UTC"},
		[]string{"balance", "In a trial"},
	},
	{
		"a change to less says where the rest of the credit is",
		toBilling(billing.Notice{Kind: billing.NoticePlanChanged, Amount: usd(0), Credit: usd(5000), OldPlan: yearlyP1}),
		"Your plan for Calendar Pro was changed",
		[]string{"$50.00", "$0.00", "account’s balance"},
		nil,
	},
	{
		"a change in a trial costs nothing",
		toBilling(billing.Notice{Kind: billing.NoticePlanChanged, OldPlan: yearlyP1}),
		"Your plan for Calendar Pro was changed",
		[]string{"In a trial a change costs nothing", "28 February 2026, 10:00 UTC"},
		[]string{"$", "Paid", "invoice"},
	},
	{
		"a cancellation says until when it works",
		toBilling(billing.Notice{Kind: billing.NoticeCancelScheduled}),
		"Calendar Pro is cancelled and works until 28 February 2026",
		[]string{"ends on 28 February 2026, 10:00 UTC", "nothing more is charged", "resume"},
		nil,
	},
	{
		"a resumption says that it goes on",
		toBilling(billing.Notice{Kind: billing.NoticeResumed}),
		"Your subscription to Calendar Pro goes on",
		[]string{"The cancellation was taken back", "28 February 2026, 10:00 UTC"},
		nil,
	},
	{
		"a failed payment names the next try and the way to another card",
		toBilling(billing.Notice{Kind: billing.NoticePaymentFailed, Amount: usd(990)}),
		"Action needed: the payment for Calendar Pro failed",
		[]string{"We could not charge $9.90", "Next try", "28 February 2026, 10:00 UTC", "it is charged at once", "Use another card"},
		nil,
	},
	{
		"a renewal that the bank asks about leads to the confirmation",
		toBilling(billing.Notice{Kind: billing.NoticeConfirmPayment, Amount: usd(990)}),
		"Action needed: confirm the payment for Calendar Pro",
		[]string{"your bank wants you to confirm the payment of $9.90", "Confirm until", "28 February 2026, 10:00 UTC", "Confirm the payment"},
		nil,
	},
	{
		"a dispute suspends the licence",
		toOperator(billing.Notice{Kind: billing.NoticeDisputeOpened, Amount: usd(990)}),
		"A payment of $9.90 is disputed",
		[]string{"suspended", "before its deadline"},
		nil,
	},
	{
		"a dispute that was won",
		toOperator(billing.Notice{Kind: billing.NoticeDisputeWon, Amount: usd(990)}),
		"The dispute over $9.90 was won",
		[]string{"reinstated"},
		nil,
	},
	{
		"a dispute that was lost",
		toOperator(billing.Notice{Kind: billing.NoticeDisputeLost, Amount: usd(990)}),
		"The dispute over $9.90 was lost",
		[]string{"has ended", "credit note"},
		nil,
	},
	{
		"a final notice names the end",
		toBilling(billing.Notice{Kind: billing.NoticeFinalNotice, Amount: usd(990)}),
		"Last notice: Calendar Pro ends on 28 February 2026 without a payment",
		[]string{"We could not charge $9.90", "ends on 28 February 2026, 10:00 UTC", "Pay with another card"},
		nil,
	},
	{
		"an end as asked",
		toBilling(billing.Notice{Kind: billing.NoticeEnded, Reason: billing.ReasonRequested}),
		"Your subscription to Calendar Pro has ended",
		[]string{"As you asked", "28 February 2026, 10:00 UTC", "the licence keeps its id"},
		[]string{"not paid"},
	},
	{
		"an end of a trial",
		toBilling(billing.Notice{Kind: billing.NoticeEnded, Reason: billing.ReasonTrialEnded}),
		"Your subscription to Calendar Pro has ended",
		[]string{"Your trial of Calendar Pro has ended. Nothing was charged."}, nil,
	},
	{
		"an end for want of payment",
		toBilling(billing.Notice{Kind: billing.NoticeEnded, Reason: billing.ReasonPaymentFailed}),
		"Your subscription to Calendar Pro has ended",
		[]string{"because it was not paid"}, nil,
	},
	{
		"an end with the money back",
		toBilling(billing.Notice{Kind: billing.NoticeEnded, Reason: billing.ReasonRefunded}),
		"Your subscription to Calendar Pro has ended",
		[]string{"your money is on its way back"}, nil,
	},
	{
		"money back says where it goes and brings its credit note",
		with(toBilling(billing.Notice{Kind: billing.NoticeMoneyBack, Amount: usd(2475), Credit: usd(300)}), func(l *billing.Email) {
			l.CreditNoteNumbers, l.Attachments = []string{"CN-2026-000007"}, []billing.Attachment{invoicePDF}
		}),
		"Your money back for Calendar Pro",
		[]string{"everything that you have paid", "CN-2026-000007", "$24.75", "$3.00", "balance", "28 February 2026, 10:00 UTC", "The credit note is attached", "no longer valid", "take some days"},
		nil,
	},
	{
		"a refund to the card alone",
		with(toBilling(billing.Notice{Kind: billing.NoticeRefunded, Amount: usd(500)}), func(l *billing.Email) {
			l.CreditNoteNumbers = []string{"CN-2026-000008"}
		}),
		"A refund for Calendar Pro",
		[]string{"CN-2026-000008", "$5.00", "31 January 2026, 10:00 UTC"},
		[]string{"balance", "no longer valid", "attached"},
	},
	{
		"a refund that failed is told to the operator, with ids",
		with(toOperator(billing.Notice{Kind: billing.NoticeRefundFailed, Amount: usd(500)}), func(l *billing.Email) { l.InvoiceID, l.InvoiceNumber = "", "" }),
		"A refund of $5.00 could not be made",
		[]string{"could not give $5.00 back", "#4540, sub_01J9", "31 January 2026, 10:00 UTC"},
		[]string{"Calendar Pro", "INV-"},
	},
	{
		"a gateway that refuses our calls is told to the operator, with its code and ids",
		toOperator(billing.Notice{Kind: billing.NoticeChargeRejected, Amount: usd(990), Code: "refused"}),
		"The gateway refused a call: refused",
		[]string{"$9.90 could not be charged: the gateway answered “refused”", "#4540, sub_01J9", "INV-2026-000123, inv_01J9", "31 January 2026, 10:00 UTC"},
		[]string{"Calendar Pro", "could not be stored"},
	},
	{
		"a gateway that refuses to store a card is told to the operator",
		with(toOperator(billing.Notice{Kind: billing.NoticeChargeRejected, Code: "not_found"}), func(l *billing.Email) { l.InvoiceID, l.InvoiceNumber = "", "" }),
		"The gateway refused a call: not_found",
		[]string{"A card could not be stored: the gateway answered “not_found”", "#4540, sub_01J9"},
		[]string{"Calendar Pro", "INV-", "$"},
	},
	{
		"an end by a dispute",
		toBilling(billing.Notice{Kind: billing.NoticeEnded, Reason: billing.ReasonDisputed}),
		"Your subscription to Calendar Pro has ended",
		[]string{"disputed at the bank"}, []string{"Renew it"},
	},
	{
		"an end by the operator",
		toBilling(billing.Notice{Kind: billing.NoticeEnded, Reason: billing.ReasonOperator}),
		"Your subscription to Calendar Pro has ended",
		[]string{"We have ended your subscription"}, []string{"Renew it"},
	},
	{
		"an order's invoice says by when to pay it, with which reference",
		with(toBilling(billing.Notice{Kind: billing.NoticeInvoiceOpen, Amount: usd(495000)}), func(l *billing.Email) {
			l.InvoiceNumber, l.Attachments = "INV-2026-000123", []billing.Attachment{invoicePDF}
		}),
		"Invoice INV-2026-000123 for Calendar Pro: please pay by 28 February 2026",
		[]string{"transfer $4,950.00", "by 28 February 2026, 10:00 UTC", "give INV-2026-000123 as the reference", "with our bank details, is attached", "The licence is issued"},
		[]string{"next period"},
	},
	{
		"a renewal's invoice says what becomes of the subscription",
		with(toBilling(billing.Notice{Kind: billing.NoticeInvoiceOpen, Amount: usd(495000), Renews: true}), func(l *billing.Email) { l.InvoiceNumber = "INV-2026-000123" }),
		"Invoice INV-2026-000123 for Calendar Pro: please pay by 28 February 2026",
		[]string{"It is for the next period", "Unpaid, the subscription ends", "is in your account"},
		[]string{"The licence is issued"},
	},
	{
		"a renewal that waits for a transfer is announced with its invoice",
		with(toBilling(billing.Notice{Kind: billing.NoticeRenewalComing, Amount: usd(495000)}), func(l *billing.Email) { l.InvoiceNumber = "INV-2026-000123" }),
		"Calendar Pro renews on 28 February 2026",
		[]string{"pay invoice INV-2026-000123 by then", "$4,950.00"},
		[]string{"do nothing", "as things stand"},
	},
	{
		"an invoice that became void is not to be paid",
		with(toBilling(billing.Notice{Kind: billing.NoticeInvoiceVoid, Amount: usd(495000)}), func(l *billing.Email) {
			l.InvoiceNumber, l.Attachments = "INV-2026-000123", []billing.Attachment{{Name: "CN-2026-000001.pdf", ContentType: "application/pdf", Data: invoicePDF.Data}}
		}),
		"Invoice INV-2026-000123 is void: please do not pay it",
		[]string{"over $4,950.00", "A credit note over all of it is attached", "kept for you"},
		nil,
	},
	{
		"a transfer that is too small is told to the operator, with what is missing",
		toOperator(billing.Notice{Kind: billing.NoticeTransferShort, Amount: usd(200000), Rest: usd(295000)}),
		"A transfer of $2,000.00 does not pay its invoice",
		[]string{"$2,950.00 is missing", "#4540, sub_01J9", "INV-2026-000123, inv_01J9"},
		[]string{"Calendar Pro"},
	},
	{
		"money that no invoice needed is told to the operator, with ids",
		toOperator(billing.Notice{Kind: billing.NoticeTransferUnused, Amount: usd(59000)}),
		"A transfer of $590.00 is on a customer’s balance",
		[]string{"$590.00 came for an invoice that is paid or void already", "#4540, sub_01J9", "INV-2026-000123, inv_01J9", "31 January 2026, 10:00 UTC"},
		[]string{"Calendar Pro"},
	},
}

func TestEveryEmailTellsItsFactsInTextAndHTML(t *testing.T) {
	for i, c := range emails {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &server{}, nil, nil)
			if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), c.email); err != nil {
				t.Fatal(err)
			}
			m := s.only(t)
			if *out != "" {
				name := filepath.Join(*out, strconv.Itoa(100+i)+"-"+string(c.email.Kind))
				if err := os.WriteFile(name+".html", []byte(m.html), 0o600); err != nil {
					t.Error(err)
				}
				if err := os.WriteFile(name+".txt", []byte(m.text), 0o600); err != nil {
					t.Error(err)
				}
			}
			if m.subject != c.subject {
				t.Errorf("subject %q, want %q", m.subject, c.subject)
			}
			link, why := c.email.Link, "the billing contact of subscription #4540"
			switch {
			case c.email.Kind == billing.NoticeConfirmOrder:
				why = "somebody ordered with your address"
			case c.email.Kind == billing.NoticeInvited:
				why = "ada@contoso.example has invited your address"
			case c.email.Account != "" && c.email.Kind != billing.NoticeJoined:
				why = "an account is to have another address"
			case c.email.SubscriptionNumber == 0 && c.email.Kind != billing.NoticeQuote && c.email.To != billing.RoleOperator:
				why = "your address has an account"
			case c.email.Kind == billing.NoticeQuote:
				why = "somebody asked for a quote with your address"
			case c.email.To == billing.RoleLicensee:
				why = "the licensee of subscription #4540"
			case c.email.To == billing.RoleOperator:
				why = "because you run the engine."
			}
			says := append([]string{strings.TrimSpace("Hello "+c.email.Name) + ",", why, link, "OKVIZ"}, c.says...)
			for part, body := range map[string]string{"text": m.text, "HTML": html.UnescapeString(m.html)} {
				for _, want := range says {
					if !strings.Contains(body, want) {
						t.Errorf("the %s does not say %q:\n%s", part, want, body)
					}
				}
				for _, not := range c.not {
					if strings.Contains(body, not) {
						t.Errorf("the %s says %q:\n%s", part, not, body)
					}
				}
			}
			buttons := 1
			if link == "" { // the operator has no page
				buttons = 0
			}
			if n := strings.Count(m.html, `href="`+link+`"`); n != buttons {
				t.Errorf("%d buttons, want %d", n, buttons)
			}
			body, _, _ := strings.Cut(m.text, "\n--\n")
			if found := regexp.MustCompile(`</?[a-z]+>|&[a-z#0-9]+;|<no value>|\{\{|January 0001|\n\n\n| \n|[.!?]\n[^\n-]`).FindString(body); found != "" {
				t.Errorf("the text has %q in it:\n%s", found, m.text)
			}
			if found := regexp.MustCompile(`<(dl|dt|dd|h)>|<p>|<no value>|\{\{|ZgotmplZ|January 0001`).FindString(m.html); found != "" {
				t.Errorf("the HTML has %q in it", found)
			}
			var files []file
			for _, a := range c.email.Attachments {
				files = append(files, file{a.Name, a.ContentType, a.Data})
			}
			if diff := cmp.Diff(files, m.files, cmp.AllowUnexported(file{})); diff != "" {
				t.Errorf("attachments (-sent +arrived):\n%.600s", diff)
			}
			if got := m.header.Get("Message-Id"); got != "<out_01JXYZ@okviz.example>" {
				t.Errorf("Message-ID %s", got)
			}
		})
	}
}

func TestEveryKindOfNoticeHasAnEmailHere(t *testing.T) {
	source, err := parser.ParseFile(token.NewFileSet(), "../../billing/notice.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	ast.Inspect(source, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Notice") {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		kinds++
		for _, c := range emails {
			if string(c.email.Kind) == kind {
				return true
			}
		}
		t.Errorf("no case above writes an email of kind %q", kind)
		return true
	})
	if kinds == 0 {
		t.Error("no kinds were found in billing/notice.go")
	}
}

// toOperators are the kinds that no customer gets: they are in English alone.
var toOperators = []billing.NoticeKind{
	billing.NoticeChargeRejected, billing.NoticeDisputeLost, billing.NoticeDisputeOpened, billing.NoticeDisputeWon,
	billing.NoticeRefundFailed, billing.NoticeTransferShort, billing.NoticeTransferUnused,
}

func TestEveryCustomersEmailIsInEachLanguage(t *testing.T) {
	sentence := regexp.MustCompile(`[a-z]\S* [a-z]\S* [a-z]`)
	for _, tag := range words.Tags()[1:] {
		for _, c := range emails {
			arrived := func(language string) received {
				s := serve(t, &server{}, nil, nil)
				email := c.email
				email.Language = language
				if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), email); err != nil {
					t.Fatalf("%s in %s: %v", c.email.Kind, tag, err)
				}
				return s.only(t)
			}
			english, theirs := arrived(""), arrived(tag)
			if c.email.To == billing.RoleOperator {
				if theirs.text != english.text {
					t.Errorf("%s to the operator is not in English", c.email.Kind)
				}
				continue
			}
			if slices.Contains(toOperators, c.email.Kind) {
				t.Errorf("%s is told to a customer", c.email.Kind)
			}
			if theirs.subject == english.subject || !strings.Contains(theirs.html, `<html lang="`+tag+`">`) {
				t.Errorf("%s in %s has the subject %q", c.email.Kind, tag, theirs.subject)
			}
			for _, line := range strings.Split(english.text, "\n") {
				if sentence.MatchString(line) && !strings.Contains(line, c.email.Licensee) && strings.Contains(theirs.text, line) {
					t.Errorf("%s in %s says in English: %s", c.email.Kind, tag, line)
				}
			}
			for _, month := range []string{"January", "February", "March"} {
				if strings.Contains(theirs.text+theirs.subject, month) {
					t.Errorf("%s in %s has the month %s", c.email.Kind, tag, month)
				}
			}
		}
	}
}

func TestAnItalianReceiptHasItalianMoneyAndDates(t *testing.T) {
	email := emailOf(t, billing.NoticeReceipt)
	email.Language, email.Amount = "it", billing.Money{Amount: 1250000, Currency: "EUR"}
	s := serve(t, &server{}, nil, nil)
	if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), email); err != nil {
		t.Fatal(err)
	}
	m := s.only(t)
	for _, want := range []string{"Ciao Ada Rossi,", "Abbiamo ricevuto 12.500,00\u00a0€.", "Piano: Utenti 1-20, fatturazione mensile", "Data: 31 gennaio 2026, 10:00 UTC"} {
		if !strings.Contains(m.text, want) {
			t.Errorf("it does not say %q:\n%s", want, m.text)
		}
	}
}

func TestTheLicenseesEmailsShowNoPrice(t *testing.T) {
	price := regexp.MustCompile(`[$€£¥]|USD|9\.90|990|1\.23|INV-|(?i:\bprice|\bpaid\b|charge)`)
	for _, c := range emails {
		if c.email.To != billing.RoleLicensee {
			continue
		}
		s := serve(t, &server{}, nil, nil)
		if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), c.email); err != nil {
			t.Fatal(err)
		}
		m := s.only(t)
		for _, part := range []string{m.subject, m.text, m.html} {
			if found := price.FindString(part); found != "" {
				t.Errorf("%s: %q in\n%s", c.name, found, part)
			}
		}
	}
}

func sender(t *testing.T, url string) *mail.Sender {
	t.Helper()
	s, err := mail.New(mail.Config{
		URL: url, From: "OKVIZ <licences@okviz.example>",
		Brand: mail.Brand{PublicURL: "https://okviz.example", SupportURL: "https://okviz.example/support"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func emailOf(t *testing.T, kind billing.NoticeKind) billing.Email {
	t.Helper()
	i := slices.IndexFunc(emails, func(c emailCase) bool { return c.email.Kind == kind })
	if i < 0 {
		t.Fatalf("no case of kind %s", kind)
	}
	return emails[i].email
}
