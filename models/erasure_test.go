package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

// Somebody who orders while the same address is erased is refused the erasure, or
// becomes another account.
func TestNoOrderIsPlacedForAnAccountThatIsErasedMeanwhile(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx, shop := t.Context(), openShop(t, s)
		for range 15 {
			a := newOrder("ada@contoso.example")
			shop.place(a)
			must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", a.sub.ID).Update("state", `{"status":"incomplete_expired"}`).Error)
			must(t, s.db.Model(&requestRow{}).Where("subscription = ?", a.sub.ID).Update("outcome", `{}`).Error)
			next := newOrder("ada@contoso.example")
			for _, err := range together(2, func(i int) error {
				if i == 0 {
					_, _, err := s.Begin(ctx, next.request, &next.detail, &next.sub)
					return err
				}
				_, err := s.Erase(ctx, "ada@contoso.example")
				return err
			}) {
				var refusal *billing.Error
				if !errors.As(err, &refusal) || refusal.Code != billing.CodeSubscriptionsRun {
					must(t, err)
				}
			}
			sub, err := one[subscriptionRow](s.db.Where("id = ?", next.sub.ID))
			must(t, err)
			account, err := s.Account(ctx, sub.BillingAccount)
			must(t, err)
			if strings.HasPrefix(account.Email, "erased-") {
				t.Error("an order that waits for its payment is of an erased account")
			}
			must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", next.sub.ID).Update("state", `{"status":"incomplete_expired"}`).Error)
			must(t, s.db.Model(&requestRow{}).Where("subscription = ?", next.sub.ID).Update("outcome", `{}`).Error)
		}
	})
}

// Whatever a command has read before is stale after an erasure, and an erasure waits
// for a command that is under way.
func TestAnErasureAndACommandDoNotMix(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		a := newOrder("ada@contoso.example")
		openShop(t, s).place(a)
		must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", a.sub.ID).Update("state", `{"status":"incomplete_expired"}`).Error)
		_, err := s.Erase(t.Context(), "ada@contoso.example")
		var refusal *billing.Error
		if !errors.As(err, &refusal) || refusal.Code != billing.CodeMoneyOpen {
			t.Errorf("with a command under way: %v", err)
		}
		must(t, s.db.Model(&requestRow{}).Where("subscription = ?", a.sub.ID).Update("outcome", `{}`).Error)
		before, err := one[subscriptionRow](s.db.Where("id = ?", a.sub.ID))
		must(t, err)
		_, err = s.Erase(t.Context(), "ada@contoso.example")
		must(t, err)
		after, err := one[subscriptionRow](s.db.Where("id = ?", a.sub.ID))
		must(t, err)
		if after.Revision != before.Revision+1 || after.State.Revision != after.Revision {
			t.Errorf("revision %d was %d", after.Revision, before.Revision)
		}
	})
}

// A hand-over that has read the order before brings nobody back, and hands nothing
// to an account that has been erased meanwhile.
func TestAnAmendmentBringsNobodyBackWhoWasErased(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		shop := openShop(t, s)
		sub := shop.buy(newOrder("ada@contoso.example"))
		b := shop.snapshot(sub.ID)
		account, err := s.OpenAccount(t.Context(), "eve@contoso.example")
		must(t, err)
		_, err = s.Erase(t.Context(), "eve@contoso.example")
		must(t, err)
		b.Amendment = billing.Amendment{Contact: billing.Contact{Name: "Eve", Email: "eve@contoso.example"}, Account: account.ID}
		d := b.Decide(billing.Command{Action: billing.ActionHandOver}, opening)
		var refusal *billing.Error
		if err := s.Post(t.Context(), *d.Changeset); !errors.As(err, &refusal) || refusal.Code != billing.CodeRequestExpired {
			t.Errorf("handed to somebody who was erased: %v", err)
		}
	})
}

// Rows are moved when pages of the file are split, and overwritten there, too.
func TestSQLitesFileHasNothingLeftOfWhoWasErased(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "engine.db")
	s := open(t, "sqlite://"+filepath.ToSlash(file))
	must(t, s.Migrate(t.Context()))
	var accounts []accountRow
	var erase []string
	for i := range 1500 { // in no order, so that the index is split in its middle
		email := fmt.Sprintf("%04d-customer@contoso.example", i*7919%1500)
		if i%50 == 0 {
			email = fmt.Sprintf("%04d-tell-tale@contoso.example", i*7919%1500)
			erase = append(erase, email)
		}
		accounts = append(accounts, accountRow{ID: billing.AccountID(NewID("cus")), Email: email})
	}
	must(t, s.db.CreateInBatches(accounts, 100).Error)
	for _, email := range erase {
		_, err := s.Erase(t.Context(), email)
		must(t, err)
	}
	must(t, s.Scrub(t.Context()))
	for _, name := range []string{file, file + "-wal"} {
		bytes, err := os.ReadFile(name)
		must(t, err)
		if n := strings.Count(string(bytes), "tell-tale"); n > 0 {
			t.Errorf("%s has the address %d times", filepath.Base(name), n)
		}
	}
}
