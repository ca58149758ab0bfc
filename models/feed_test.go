package models

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// feed reads all events of a selection from a place on, three at a time.
func (s shop) feed(which billing.FeedSelection) (list []billing.FeedEvent) {
	s.Helper()
	for {
		page, err := s.Feed(s.Context(), which, 3)
		must(s, err)
		if len(page) == 0 {
			return list
		}
		list, which.After = append(list, page...), page[len(page)-1].Seq
	}
}

func types(events []billing.FeedEvent) string {
	var list []string
	for _, e := range events {
		list = append(list, string(e.Type))
	}
	return strings.Join(list, " ")
}

func TestTheFeedTellsALifeInItsOrderToThoseWhoMayKnow(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		o.detail.Licensee.Email = "bea@contoso.example"
		sub := s.buy(o)
		all := s.feed(billing.FeedSelection{})
		if got := types(all); got != "subscription.created subscription.activated license.issued invoice.paid" {
			t.Fatal(got)
		}
		invoice, license := all[3].Invoice, all[2]
		if invoice.Number != "INV-2026-000001" || invoice.Charge != "" || invoice.Method != "" {
			t.Errorf("the invoice: %+v", invoice)
		}
		if license.Issued.Licensee != "BI team <bea@contoso.example>" || license.Issued.ActivationKey != "" || license.Issued.Number != sub.Number {
			t.Errorf("the licence: %+v", license.Issued)
		}
		if o := all[1].Overview; o.BillingAccount != "ada@contoso.example" || o.Status != billing.Active || o.Card == nil {
			t.Errorf("the subscription: %+v", o)
		}
		if o := all[0].Overview; o.Status != billing.Incomplete {
			t.Errorf("the subscription was %s when it was created", o.Status)
		}
		s.command(sub.ID, billing.Command{Action: billing.ActionCancel}, opening.Add(time.Hour))
		must(t, s.SetSites(t.Context(), all[2].License.ID, []string{"reports.contoso.example"}, 5))
		s.due(sub.ID)

		ada, err := s.AccountOf(t.Context(), "ada@contoso.example")
		must(t, err)
		bea, err := s.AccountOf(t.Context(), "bea@contoso.example")
		must(t, err)
		rest := "subscription.cancel_scheduled license.updated license.updated subscription.ended license.updated"
		for who, want := range map[billing.AccountID]string{
			ada.ID:  types(all) + " " + rest,
			bea.ID:  "license.issued license.updated license.updated license.updated",
			"cus_x": "",
		} {
			if got := types(s.feed(billing.FeedSelection{Account: who})); got != want {
				t.Errorf("%s reads %s", who, got)
			}
		}
		for pattern, want := range map[billing.FeedPattern]string{"invoice.*": "invoice.paid", "subscription.ended": "subscription.ended", "refund.*": ""} {
			if got := types(s.feed(billing.FeedSelection{Types: []billing.FeedPattern{pattern}})); got != want {
				t.Errorf("%s: %s", pattern, got)
			}
		}
		place, err := s.FeedPlace(t.Context(), all[3].ID)
		must(t, err)
		if got := types(s.feed(billing.FeedSelection{After: place})); got != rest {
			t.Errorf("after the invoice: %s", got)
		}
	})
}

func TestTheFeedKeepsNoPersonalData(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		must(t, s.SetSites(t.Context(), sub.License, []string{"reports.contoso.example"}, 5))
		must(t, s.SetTenant(t.Context(), sub.License, "0f1e2d3c-contoso"))
		var kept []string
		must(t, s.db.Table("feed").Pluck("object", &kept).Error)
		if len(kept) != 6 {
			t.Fatalf("%d events", len(kept))
		}
		for _, object := range kept {
			for _, personal := range []string{"contoso", "Ada", "BI team", "4242"} {
				if strings.Contains(object, personal) {
					t.Errorf("%s is kept in %s", personal, object)
				}
			}
		}
	})
}

func TestAnEventIsToldWithItsChangesetOrNotAtAll(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		_, paid := s.reserved(o)
		paid.Redeem = "NONE" // which there is not
		if err := s.Post(t.Context(), paid); err == nil {
			t.Fatal("it was posted")
		}
		if got := types(s.feed(billing.FeedSelection{})); got != "subscription.created" {
			t.Errorf("told: %s", got)
		}
	})
}

// publishing publishes an event in a transaction that commits once it may.
func publishing(ctx context.Context, s *Store, product string, told chan<- struct{}, may <-chan struct{}) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		err := s.publish(tx, billing.FeedEvent{Type: billing.FeedVersionPublished, FeedObject: billing.FeedObject{Product: product}})
		told <- struct{}{}
		<-may
		return err
	})
}

func TestAReaderOfTheFeedNeverMissesALateCommit(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		open := make(chan struct{})
		close(open)
		must(t, publishing(t.Context(), s, "first", make(chan struct{}, 9), open))

		told, may, slow, fast := make(chan struct{}, 9), make(chan struct{}), make(chan error, 1), make(chan error, 1)
		go func() { slow <- publishing(t.Context(), s, "slow", told, may) }()
		<-told
		go func() { fast <- publishing(t.Context(), s, "fast", told, open) }()
		var early error
		select { // if it could overtake, it would have by then
		case early = <-fast:
			fast <- early
		case <-time.After(300 * time.Millisecond):
		}
		which := billing.FeedSelection{}
		var seen []string
		read := func() {
			page, err := s.Feed(t.Context(), which, 100)
			must(t, err)
			for _, e := range page {
				seen, which.After = append(seen, e.Product), e.Seq
			}
		}
		read()
		close(may)
		must(t, errors.Join(<-slow, <-fast))
		read()
		if !slices.Equal(seen, []string{"first", "slow", "fast"}) {
			t.Errorf("read: %v", seen)
		}
	})
}

func TestManyWritersAndAReaderAgreeOnTheFeed(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		const writers, each = 8, 12
		done := make(chan []error, 1)
		go func() {
			done <- together(writers, func(int) error {
				for range each {
					err := s.tx(t.Context(), func(tx *gorm.DB) error {
						e := billing.FeedEvent{Type: billing.FeedVersionPublished}
						if err := s.publish(tx, e, e); err != nil {
							return err
						}
						return tx.Raw("SELECT 1").Row().Err() // and more, before it commits
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}()
		which, seen, over := billing.FeedSelection{}, []string{}, false
		for {
			page, err := s.Feed(t.Context(), which, 7)
			must(t, err)
			for _, e := range page {
				if e.Seq <= which.After {
					t.Fatalf("%d after %d", e.Seq, which.After)
				}
				seen, which.After = append(seen, e.ID), e.Seq
			}
			if over && len(page) == 0 {
				break
			}
			select {
			case errs := <-done:
				must(t, errors.Join(errs...))
				over = true
			default:
			}
		}
		var all []string
		must(t, s.db.Model(&feedRow{}).Order("seq").Pluck("id", &all).Error)
		if len(all) != 2*writers*each || !slices.Equal(seen, all) {
			t.Errorf("%d events, of which %d were read", len(all), len(seen))
		}
	})
}
