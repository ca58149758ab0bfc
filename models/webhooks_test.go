package models

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// endpoint makes an endpoint of an account that takes some types.
func (s shop) endpoint(account billing.AccountID, types ...billing.FeedPattern) billing.WebhookEndpoint {
	s.Helper()
	e, err := s.CreateWebhookEndpoint(s.Context(), billing.WebhookEndpoint{ID: NewID("whe"), Account: account, URL: "https://crm.contoso.example", Types: types})
	must(s, err)
	return e
}

// publishes publishes an event of a subscription.
func (s shop) publishes(account billing.AccountID, subscription billing.SubscriptionID, t billing.FeedType) {
	s.Helper()
	must(s, s.tx(s.Context(), func(tx *gorm.DB) error {
		return s.publish(tx, billing.FeedEvent{Type: t, Account: account, Subscription: subscription})
	}))
}

// dueTo are the deliveries that may be sent now.
func (s shop) dueTo(e billing.WebhookEndpoint) (due []billing.WebhookDelivery) {
	s.Helper()
	must(s, s.FanOutWebhooks(s.Context()))
	_, due, err := s.DueWebhooks(s.Context(), e.ID, 100)
	must(s, err)
	return due
}

// answered writes down what became of a delivery, as the courier does.
func (s shop) answered(d billing.WebhookDelivery, code int, now time.Time) {
	s.Helper()
	d.Tries++
	d.Code, d.NextAt = code, time.Time{}
	if wait, again := billing.WebhookWait(d.Tries, d.Type); again && !d.Taken() {
		d.NextAt = now.Add(wait)
	}
	must(s, s.WebhookTried(s.Context(), d))
}

func sent(due []billing.WebhookDelivery) (list []string) {
	for _, d := range due {
		list = append(list, string(d.Subscription)+" "+string(d.Type))
	}
	return list
}

func TestAnEndpointGetsItsOwnEventsThatItTakesEachSubscriptionsInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, now := openShop(t, store), opening
		s.db.NowFunc = func() time.Time { return now }
		must(t, s.db.Create(&[]accountRow{{ID: "cus_1", Email: "a@x.example"}, {ID: "cus_2", Email: "b@x.example"}}).Error)
		s.publishes("cus_1", "sub_0", billing.FeedInvoicePaid) // before the endpoint
		mine, all := s.endpoint("cus_1", "subscription.*", "invoice.paid"), s.endpoint("", "*")
		s.publishes("cus_1", "sub_1", billing.FeedSubscriptionCreated)
		s.publishes("cus_1", "sub_1", billing.FeedLicenseIssued)
		s.publishes("cus_1", "sub_1", billing.FeedInvoicePaid)
		s.publishes("cus_1", "sub_2", billing.FeedSubscriptionCreated)
		s.publishes("cus_2", "sub_3", billing.FeedInvoicePaid)

		first := s.dueTo(mine)
		if want := []string{"sub_1 subscription.created", "sub_2 subscription.created"}; !slices.Equal(sent(first), want) {
			t.Fatalf("due: %v", sent(first))
		}
		if got := sent(s.dueTo(all)); !slices.Equal(got, []string{"sub_1 subscription.created", "sub_2 subscription.created", "sub_3 invoice.paid"}) {
			t.Errorf("the vendor's: %v", got)
		}
		s.answered(first[0], 500, now)
		s.answered(first[1], 200, now)
		if got := s.dueTo(mine); len(got) != 0 {
			t.Errorf("overtaking what failed: %v", sent(got))
		}
		now = now.Add(5 * time.Second)
		again := s.dueTo(mine)
		if len(again) != 1 || again[0].ID != first[0].ID || again[0].Tries != 1 {
			t.Fatalf("again: %+v", again)
		}
		s.answered(again[0], 204, now)
		last := s.dueTo(mine)
		if got := sent(last); !slices.Equal(got, []string{"sub_1 invoice.paid"}) {
			t.Errorf("then: %v", got)
		}
		s.answered(last[0], 200, now)
		if got := s.dueTo(mine); len(got) != 0 {
			t.Errorf("twice: %v", sent(got))
		}
	})
}

func TestAnEndpointThatIsGoneOrFailsForAWeekIsDisabledAndItsOwnerTold(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, now := openShop(t, store), opening
		s.db.NowFunc = func() time.Time { return now }
		must(t, s.db.Create(&accountRow{ID: "cus_1", Email: "a@x.example"}).Error)
		gone, failing := s.endpoint("", "*"), s.endpoint("cus_1", "*")
		tell := func() { s.publishes("cus_1", "sub_1", billing.FeedInvoicePaid) }
		status := func(e billing.WebhookEndpoint) billing.WebhookDisabled {
			t.Helper()
			e, err := s.WebhookEndpoint(t.Context(), e.Account, e.ID)
			must(t, err)
			return e.Disabled
		}
		fails := func() {
			for _, d := range s.dueTo(failing) {
				s.answered(d, 503, now)
			}
		}
		tell()
		tell()
		s.answered(s.dueTo(gone)[0], 410, now)
		if status(gone) != billing.WebhookGone || len(s.dueTo(gone)) != 0 {
			t.Errorf("%q, %v", status(gone), s.dueTo(gone))
		}
		// It fails for six days, takes one, and fails again.
		fails()
		now = now.AddDate(0, 0, 6)
		s.answered(s.dueTo(failing)[0], 200, now)
		fails()
		now = now.AddDate(0, 0, 6)
		fails()
		if status(failing) != "" {
			t.Fatalf("disabled: %q", status(failing))
		}
		tell()
		now = now.AddDate(0, 0, 1)
		fails()
		if status(failing) != billing.WebhookFailing {
			t.Fatalf("%q after a week", status(failing))
		}
		var mails []outboxRow
		must(t, s.db.Where("kind = ?", billing.NoticeWebhookDisabled).Order("at").Find(&mails).Error)
		if len(mails) != 2 || mails[0].Subscription != gone.ID || mails[0].Recipient != billing.RoleOperator || mails[0].Notice.Code != "gone" ||
			mails[1].Subscription != failing.ID || mails[1].Recipient != billing.RoleBilling || mails[1].Notice.Code != "failing" {
			t.Errorf("mails: %+v", mails)
		}
		if to, _, err := s.NoticeAccount(t.Context(), failing.ID, nil); err != nil || to.Email != "a@x.example" {
			t.Errorf("mailed to %v %v", to, err)
		}
		// Enabled again, it gets what happens from then on.
		tell()
		_, err := s.ChangeWebhookEndpoint(t.Context(), "cus_1", failing.ID, func(e *billing.WebhookEndpoint) { e.Disabled = "" })
		must(t, err)
		if got := s.dueTo(failing); len(got) != 0 {
			t.Errorf("of the past: %v", sent(got))
		}
		tell()
		fails()
		if got := status(failing); got != "" {
			t.Errorf("an old failure counts: %q", got)
		}
	})
}

func TestWhatWasSentIsSentAgainWhereItIsAskedFor(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, now := openShop(t, store), opening
		s.db.NowFunc = func() time.Time { return now }
		must(t, s.db.Create(&accountRow{ID: "cus_1", Email: "a@x.example"}).Error)
		for _, account := range []billing.AccountID{"cus_1", "cus_2", "cus_1", "cus_1"} {
			s.publishes(account, "sub_1", billing.FeedInvoicePaid)
			s.publishes(account, "sub_1", billing.FeedLicenseUpdated)
			now = now.Add(time.Hour)
		}
		e := s.endpoint("cus_1", "invoice.*")
		n, err := s.ReplayWebhooks(t.Context(), e, opening, opening.Add(3*time.Hour), 2)
		must(t, err)
		if got := sent(s.dueTo(e)); n != 2 || len(got) != 1 {
			t.Errorf("%d events, due %v", n, got)
		}
		var refused *billing.Error
		if _, err := s.ReplayWebhooks(t.Context(), e, opening, now, 2); !errors.As(err, &refused) || refused.Code != billing.CodeTooManyEvents {
			t.Errorf("more than may be: %v", err)
		}
		events := s.feed(billing.FeedSelection{})
		if _, err := s.SendWebhook(t.Context(), e, events[1].ID); err != nil {
			t.Errorf("one that it does not take of itself: %v", err)
		}
		if _, err := s.SendWebhook(t.Context(), e, events[2].ID); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("another's: %v", err)
		}
		// A test is sent past what waits, and once.
		d, err := s.SendWebhook(t.Context(), e, "")
		must(t, err)
		if due := s.dueTo(e); len(due) != 2 || due[0].ID != d.ID || due[0].Type != billing.WebhookTest {
			t.Errorf("due: %+v", due)
		}
		s.answered(d, 410, now)
		list, err := s.WebhookDeliveries(t.Context(), e.ID, "", 10)
		must(t, err)
		if len(list) != 4 || list[0].ID != d.ID || list[0].Status != billing.WebhookFailed || list[0].Code != 410 {
			t.Errorf("deliveries: %+v", list)
		}
		if e, err = s.WebhookEndpoint(t.Context(), "cus_1", e.ID); err != nil || e.Disabled != "" {
			t.Errorf("a test disables: %v %v", e.Disabled, err)
		}
		must(t, s.DeleteWebhookEndpoint(t.Context(), "cus_1", e.ID))
		if n := s.rows("webhook_deliveries") + s.rows("webhook_endpoints"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// What was put into the queue of an endpoint while it was deleted is gone the next
// time that somebody looks.
func TestNothingStaysDueForAnEndpointThatIsNoMore(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		must(t, s.db.Create(&accountRow{ID: "cus_1", Email: "a@x.example"}).Error)
		e := s.endpoint("cus_1", "*")
		must(t, s.DeleteWebhookEndpoint(t.Context(), e.Account, e.ID))
		_, err := s.SendWebhook(t.Context(), e, "")
		must(t, err)
		if _, due, err := s.DueWebhooks(t.Context(), e.ID, 10); err != nil || len(due) != 0 {
			t.Errorf("due: %v, %v", due, err)
		}
		ids, err := s.DueWebhookEndpoints(t.Context())
		must(t, err)
		if len(ids) != 0 {
			t.Errorf("due for ever: %v", ids)
		}
	})
}

func TestNoEndpointIsMadeForWhoWasErased(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		must(t, s.db.Create(&accountRow{ID: "cus_1", Email: erasedAddress("cus_1")}).Error)
		_, err := s.CreateWebhookEndpoint(t.Context(), billing.WebhookEndpoint{ID: NewID("whe"), Account: "cus_1", URL: "https://crm.contoso.example"})
		if !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("made: %v", err)
		}
	})
}
