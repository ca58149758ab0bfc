package models

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

func (s shop) claim(subscription billing.SubscriptionID, limit int) []billing.Envelope {
	s.Helper()
	claimed, err := s.ClaimNotices(s.Context(), subscription, limit)
	must(s, err)
	return claimed
}

// earlier makes as if all outbox rows and their claims were older.
func (s shop) earlier(by time.Duration) {
	s.Helper()
	var rows []outboxRow
	must(s, s.db.Find(&rows).Error)
	for _, r := range rows {
		r.CreatedAt = r.CreatedAt.Add(-by)
		if r.ClaimedUntil != nil {
			lapsed := r.ClaimedUntil.Add(-by)
			r.ClaimedUntil = &lapsed
		}
		must(s, save(s.db, r.ID, &r))
	}
}

func TestAnEventIsOneEmailToEachRecipient(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		b, emails := s.snapshot(sub.ID), s.rows("outbox")
		p := *b.Decide(billing.Command{Action: billing.ActionCancel}, opening).Changeset
		p.Notices = append(p.Notices, p.Notices[0])
		if err := s.Post(t.Context(), p); !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("the same letter twice: %v", err)
		}
		if s.rows("outbox") != emails || s.snapshot(sub.ID).Subscription.CancelAtPeriodEnd {
			t.Errorf("a part of it was written: %d letters", s.rows("outbox"))
		}
	})
}

func TestANoticeIsSentByOneAtATime(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		s.buy(newOrder("bea@fabrikam.example"))
		first := s.claim(sub.ID, 1)
		second := s.claim(sub.ID, 10)
		if len(first) != 1 || len(second) != 1 || first[0].ID == second[0].ID {
			t.Fatalf("claimed %v, then %v", first, second)
		}
		byRole := map[billing.Role]billing.Envelope{}
		for _, e := range append(first, second...) {
			byRole[e.Notice.To] = e
		}
		receipt := byRole[billing.RoleBilling]
		end := time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC)
		want := billing.Envelope{ID: receipt.ID, Subscription: string(sub.ID), At: opening, Notice: billing.Notice{
			Kind: billing.NoticeReceipt, To: billing.RoleBilling, InvoiceID: receipt.Notice.InvoiceID,
			Amount: billing.Money{Amount: 990, Currency: "USD"}, Until: end, Plan: sub.Plan,
		}}
		if diff := cmp.Diff(want, receipt); diff != "" {
			t.Error(diff)
		}
		if n := byRole[billing.RoleLicensee].Notice; n.Kind != billing.NoticeLicense || !n.WithFile {
			t.Errorf("the licensee's is %+v", n)
		}
		if again := s.claim(sub.ID, 10); len(again) != 0 {
			t.Errorf("claimed twice: %v", again)
		}

		must(t, s.ReleaseNotice(t.Context(), first[0].ID))
		if again := s.claim(sub.ID, 10); len(again) != 1 || again[0].ID != first[0].ID {
			t.Errorf("after the release: %v", again)
		}
		must(t, s.NoticeDone(t.Context(), first[0].ID, false))
		must(t, s.NoticeDone(t.Context(), second[0].ID, true))
		for _, e := range []billing.Envelope{first[0], second[0]} {
			must(t, s.ReleaseNotice(t.Context(), e.ID)) // too late
		}
		s.earlier(time.Hour)
		if again := s.claim(sub.ID, 10); len(again) != 0 {
			t.Errorf("done, and claimed again: %v", again)
		}
		must(t, s.NoticeDone(t.Context(), first[0].ID, true)) // too late as well
		for id, failed := range map[string]bool{first[0].ID: false, second[0].ID: true} {
			row, err := one[outboxRow](s.db.Where("id = ?", id))
			must(t, err)
			if row.Failed != failed || row.DoneAt == nil {
				t.Errorf("row %+v", row)
			}
		}
	})
}

func TestAClaimLapsesAfterTwoMinutes(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		s.claim(sub.ID, 10)
		s.earlier(100 * time.Second)
		if again := s.claim(sub.ID, 10); len(again) != 0 {
			t.Errorf("claimed after 100 seconds: %v", again)
		}
		s.earlier(30 * time.Second)
		if again := s.claim(sub.ID, 10); len(again) != 2 {
			t.Errorf("after 130 seconds: %v", again)
		}
	})
}

func TestTheSweeperTakesWhatIsLeftOverAndWasTriedLeast(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		first := s.buy(newOrder("ada@contoso.example"))
		s.buy(newOrder("bea@fabrikam.example"))
		if fresh := s.claim("", 10); len(fresh) != 0 {
			t.Errorf("took %d of which their workflow takes care", len(fresh))
		}
		for _, e := range s.claim(first.ID, 10) {
			must(t, s.ReleaseNotice(t.Context(), e.ID))
		}
		s.earlier(3 * time.Minute)
		for _, e := range s.claim("", 2) {
			if e.Subscription == string(first.ID) {
				t.Error("what has failed before stands in the way of others")
			}
		}
		if rest := s.claim("", 10); len(rest) != 2 {
			t.Errorf("%d are left", len(rest))
		}
	})
}

func TestParallelClaimersNeverGetTheSameNotice(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		const n = 100
		rows := make([]outboxRow, n)
		for i := range rows {
			rows[i] = outboxRow{ID: NewID("ntc"), Subscription: "sub_1", Revision: int64(i), At: opening, CreatedAt: time.Now().Add(-time.Hour)}
		}
		must(t, s.db.Create(&rows).Error)
		type answer struct {
			claimed []billing.Envelope
			err     error
		}
		claimed := map[string]bool{}
		for range 100 { // until nothing waits
			before := len(claimed)
			for _, a := range together(8, func(i int) answer {
				subscription := "sub_1"
				if i%2 == 0 {
					subscription = ""
				}
				c, err := s.ClaimNotices(t.Context(), billing.SubscriptionID(subscription), 15)
				return answer{c, err}
			}) {
				must(t, a.err)
				for _, e := range a.claimed {
					if claimed[e.ID] {
						t.Errorf("%s was claimed twice", e.ID)
					}
					claimed[e.ID] = true
				}
			}
			if len(claimed) == before {
				break
			}
		}
		if len(claimed) != n {
			t.Errorf("claimed %d of %d", len(claimed), n)
		}
	})
}
