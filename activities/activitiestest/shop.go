// Package activitiestest sets up a small shop for tests of steps and
// workflows: the real steps over a database file, the sandbox gateway, a
// catalogue of a few plans, and a mailbox.
package activitiestest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/documents"
	"github.com/okviz/licensing/delivery/packages"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/payments/sandbox"
)

// What is sold, in US dollars without tax (the customer lives outside of the
// European Union).
const (
	Product = "calendar-pro"
	Monthly = "calendar-pro_users_1-20_monthly"  // 9.90
	Bigger  = "calendar-pro_users_21-50_monthly" // 19.90
	Yearly  = "calendar-pro_users_1-20_yearly"   // 99.00
)

const catalogue = `products:
- id: calendar-pro
  name: Calendar Pro
  trial: true
  plans:
  - {type: users, tier: 1-20, covers: 20, cycle: monthly, prices: [{currency: USD, amount: 990}]}
  - {type: users, tier: 21-50, covers: 50, cycle: monthly, prices: [{currency: USD, amount: 1990}]}
  - {type: users, tier: 1-20, covers: 20, cycle: yearly, prices: [{currency: USD, amount: 9900}]}
- id: no-trial
  name: No Trial
  plans:
  - {type: users, tier: 1-20, covers: 20, cycle: monthly, prices: [{currency: USD, amount: 990}]}
`

// The people of every order.
const (
	BillingName, BillingEmail   = "Bianca Payer", "bianca@reseller.example"
	LicenseeName, LicenseeEmail = "Lars User", "lars@customer.example"
	OperatorEmail               = "desk@okviz.example"
)

// Shop is the steps with all that they need.
type Shop struct {
	*activities.Activities
	DB      *models.Store
	Sandbox *sandbox.Gateway
	Mailbox *Mailbox
	Keys    licensing.KeyRing
}

// New opens a shop. now is what its steps take for real time.
func New(t testing.TB, now func() time.Time) *Shop {
	t.Helper()
	stocked.Do(func() { stock(t) })
	file := filepath.Join(t.TempDir(), "shop.db")
	check(t, os.WriteFile(file, database, 0o600))
	store, err := models.Open(sqlite(file), billing.DefaultPolicy())
	check(t, err)
	t.Cleanup(func() { check(t, store.Close()) })
	gateway, err := sandbox.New(sandbox.NewMemory(), "https://shop.example/sandbox", "whsec_test")
	check(t, err)
	current, err := licensing.GenerateKey(rand.Reader)
	check(t, err)
	next, err := licensing.GenerateKey(rand.Reader)
	check(t, err)
	papers, err := Documents()
	check(t, err)
	s := &Shop{DB: store, Sandbox: gateway, Mailbox: &Mailbox{}, Keys: licensing.KeyRing{Current: current, Next: next}}
	s.Activities = &activities.Activities{
		Store: store, Gateway: gateway, Mailer: s.Mailbox, Files: packages.NewStamper(store, s.Keys, billing.DefaultPolicy().File),
		Documents: papers,
		PublicURL: "https://shop.example", Secret: billing.Secret{"a secret of the tests, with 32 characters"}, OperatorEmail: OperatorEmail, Now: now,
	}
	return s
}

// Documents is what every shop writes documents with: made once, since it tries the fonts out.
var Documents = sync.OnceValues(func() (*documents.Writer, error) {
	return documents.New(documents.Vendor{Name: "OKVIZ"}, nil)
})

// database is the file that every shop begins with, tables and catalogue: made once, since that
// takes longer than most tests.
var (
	stocked  sync.Once
	database []byte
)

func stock(t testing.TB) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stock.db")
	store, err := models.Open(sqlite(file), billing.DefaultPolicy())
	check(t, err)
	check(t, store.Migrate(t.Context()))
	sold, err := billing.ParseCatalogue([]byte(catalogue))
	check(t, err)
	_, err = store.ApplyCatalogue(t.Context(), sold, false)
	check(t, err)
	check(t, store.Close())
	database, err = os.ReadFile(file)
	check(t, err)
}

func sqlite(file string) string { return "sqlite://" + filepath.ToSlash(file) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Order is what a checkout asks for.
type Order struct {
	Product  string // Product, where it is empty
	Plan     string // Monthly, where it is empty
	Token    string // empty: no card
	Trial    bool
	Clock    string
	NotAfter time.Time
	Licensee string // LicenseeEmail, where it is empty
}

// Place writes an order down as the API does, and returns the subscription and
// the command that carries the order out.
func (s *Shop) Place(t testing.TB, o Order) (billing.SubscriptionID, billing.Command) {
	t.Helper()
	if o.Product == "" {
		o.Product = Product
	}
	if o.Plan == "" {
		o.Plan = Monthly
	}
	if o.Licensee == "" {
		o.Licensee = LicenseeEmail
	}
	product, err := s.DB.Product(context.Background(), o.Product)
	check(t, err)
	plan, err := product.Plan(o.Plan)
	check(t, err)
	price, err := plan.PriceIn("USD")
	check(t, err)
	sub := billing.Subscription{
		ID: billing.SubscriptionID(models.NewID("sub")), Status: billing.Incomplete, Product: product.ID, Plan: plan.Ref(), Quantity: 1, Price: price,
		Collection: billing.ByCard, CreatedAt: billing.Instant(s.Now()), TestClock: o.Clock,
	}
	order := billing.Order{
		Subscription: sub.ID, License: licensing.LicenseID(models.NewID("lic")), Pay: billing.PayNow,
		Billing:  billing.BillingDetails{Contact: billing.Contact{Name: BillingName, Email: BillingEmail}, Country: "US"},
		Licensee: billing.Contact{Name: LicenseeName, Email: o.Licensee},
	}
	if o.Trial {
		order.Pay = billing.PayTrial
	}
	c := billing.Command{Action: billing.ActionPurchase, NotAfter: o.NotAfter}
	c = s.begin(t, sub.ID, c, o.Token, &order, &sub)
	return sub.ID, c
}

// Ask writes a command's request down as the API does.
func (s *Shop) Ask(t testing.TB, subscription billing.SubscriptionID, c billing.Command, token string) billing.Command {
	t.Helper()
	return s.begin(t, subscription, c, token, nil, nil)
}

func (s *Shop) begin(t testing.TB, subscription billing.SubscriptionID, c billing.Command, token string, o *billing.Order, sub *billing.Subscription) billing.Command {
	t.Helper()
	c.Request = billing.RequestID(models.NewID("req"))
	_, _, err := s.DB.Begin(context.Background(), billing.Request{
		ID: c.Request, Caller: "test", Route: "POST /" + string(c.Action), Key: string(c.Request), BodyHash: "-",
		Subscription: subscription, Actor: billing.ActorCustomer, Command: c, Token: token,
	}, o, sub)
	check(t, err)
	return c
}

// State reads a subscription.
func (s *Shop) State(t testing.TB, subscription billing.SubscriptionID) billing.Subscription {
	t.Helper()
	snapshot, err := s.DB.Snapshot(context.Background(), subscription)
	check(t, err)
	return snapshot.Subscription
}

// Charged lists the instants and amounts (minor units) of the charges that the
// gateway made; declined ones are negative.
func (s *Shop) Charged(t testing.TB, subscription billing.SubscriptionID) []Charge {
	t.Helper()
	list, err := s.Sandbox.List(context.Background(), subscription)
	check(t, err)
	charges := []Charge{}
	for _, c := range list {
		amount := c.Amount.Amount
		if c.Status == billing.PaymentDeclined {
			amount = -amount
		}
		charges = append(charges, Charge{c.At.Format(time.DateTime), amount})
	}
	return charges
}

// Charge is a line of Charged.
type Charge struct {
	At     string // "2026-01-31 10:00:00"
	Amount int64
}

// Audit holds the books against the gateway's ledger: what was charged is
// what is paid, once; numbers have no gaps; nothing is left in flight.
func (s *Shop) Audit(t testing.TB, subscription billing.SubscriptionID) {
	t.Helper()
	invoices, err := s.DB.Invoices(context.Background(), "", subscription, "", 1000)
	check(t, err)
	charges, err := s.Sandbox.List(context.Background(), subscription)
	check(t, err)
	charged := map[billing.InvoiceID]int64{}
	for _, c := range charges {
		if c.Status != billing.PaymentSucceeded {
			continue
		}
		if _, twice := charged[c.Invoice]; twice {
			t.Errorf("invoice %s was charged twice", c.Invoice)
		}
		charged[c.Invoice] = c.Amount.Amount
	}
	var numbers []string
	for _, inv := range invoices {
		if inv.InFlight != "" {
			t.Errorf("invoice %s is still in flight (%s)", inv.ID, inv.InFlight)
		}
		due := int64(0)
		if inv.Status == billing.InvoicePaid {
			due = inv.AmountDue().Amount
			numbers = append(numbers, inv.Number)
		} else if inv.Number != "" {
			t.Errorf("invoice %s is %s and has the number %s", inv.ID, inv.Status, inv.Number)
		}
		if charged[inv.ID] != due {
			t.Errorf("invoice %s is %s over %d, and %d was charged for it", inv.ID, inv.Status, due, charged[inv.ID])
		}
		delete(charged, inv.ID)
	}
	for id := range charged {
		t.Errorf("invoice %s was charged and is not in the books", id)
	}
	slices.Sort(numbers)
	if len(slices.Compact(numbers)) != len(numbers) {
		t.Errorf("numbers are given twice: %v", numbers)
	}
}

// Mailbox keeps the emails that were delivered.
type Mailbox struct {
	mu     sync.Mutex
	emails []billing.Email
	fail   func(billing.Email) error
}

// Fail makes deliveries fail where f returns an error; nil mends the mailbox.
func (m *Mailbox) Fail(f func(billing.Email) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = f
}

// ErrAway is a mail server that does not answer.
var ErrAway = errors.New("the mail server is away")

// Deliver implements activities.Mailer.
func (m *Mailbox) Deliver(_ context.Context, l billing.Email) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(l); err != nil {
			return err
		}
	}
	m.emails = append(m.emails, l)
	return nil
}

// Emails are the emails that were delivered, in their order.
func (m *Mailbox) Emails() []billing.Email {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.emails)
}

// Kinds are the kinds of the emails that were delivered.
func (m *Mailbox) Kinds() []billing.NoticeKind {
	kinds := []billing.NoticeKind{}
	for _, l := range m.Emails() {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}
