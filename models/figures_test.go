package models

import (
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// 9.90 a month from 31 January, renewed on 28 February, ended on 10 March and
// revived within the same second, ended on 20 March; and one that was never paid.
func TestReportsReadTheBooks(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		s.place(newOrder("eve@other.example"))
		var coming []billing.UpcomingRow
		must(t, s.Upcoming(t.Context(), opening, opening.AddDate(0, 2, 1), func(rows []billing.UpcomingRow) { coming = append(coming, rows...) }))
		if len(coming) != 2 || coming[0].Amount.Amount != 990 || coming[0].At != time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC) {
			t.Errorf("upcoming: %+v", coming)
		}
		s.due(sub.ID)
		end := billing.Command{Action: billing.ActionCancelNow, Refund: billing.RefundNone}
		first, last := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
		s.command(sub.ID, end, first)
		s.command(sub.ID, billing.Command{Action: billing.ActionRenew}, first)
		s.command(sub.ID, end, last)
		for at, want := range map[time.Time]int64{
			opening.Add(-time.Second): 0, opening: 990, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC): 990, first: 990, last.Add(-time.Second): 990, last: 0,
		} {
			f := billing.NewFigures(at, at.AddDate(1, 0, 0))
			must(t, s.Lives(t.Context(), f.Add))
			if got := f.MRR()[0]; got.MRR.Amount != want {
				t.Errorf("at %s: %+v, want %d", at, got, want)
			}
		}
	})
}

func TestTasksAreWhatNeedsAPerson(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		tasks := func() map[billing.TaskKind][]string {
			list, err := s.Tasks(t.Context())
			must(t, err)
			of := map[billing.TaskKind][]string{}
			for _, task := range list {
				of[task.Kind] = task.IDs
			}
			return of
		}
		has := func(kind billing.TaskKind, want ...string) {
			t.Helper()
			if got := tasks()[kind]; len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
				t.Errorf("%s: %v, want %v", kind, got, want)
			}
		}
		has(billing.TaskLate, string(sub.ID)) // its renewal was due in February
		has(billing.TaskDispute)
		invoices, err := s.Invoices(t.Context(), "", sub.ID, "", 1)
		must(t, err)
		dispute := func(status billing.DisputeStatus) {
			b := s.snapshot(sub.ID)
			b.Receipts, err = s.Receipts(t.Context(), sub.ID)
			must(t, err)
			c := billing.Command{Action: billing.ActionDispute, Dispute: billing.Dispute{ID: "dp_1", Invoice: invoices[0].ID, Amount: invoices[0].Total(), Status: status}}
			s.apply(b, b.Decide(c, opening), "dispute", "", opening)
		}
		dispute(billing.DisputeOpened)
		has(billing.TaskDispute, string(sub.ID))
		dispute(billing.DisputeWon)
		has(billing.TaskDispute)
		mails, err := s.Mails(t.Context(), billing.MailSelection{Subject: string(sub.ID)}, 1)
		must(t, err)
		has(billing.TaskMail)
		must(t, s.NoticeDone(t.Context(), mails[0].ID, true))
		has(billing.TaskMail, mails[0].ID)
		first, err := s.ResendMail(t.Context(), mails[0].ID)
		must(t, err)
		has(billing.TaskMail)
		must(t, s.NoticeDone(t.Context(), first.ID, false))
		second, err := s.ResendMail(t.Context(), first.ID)
		must(t, err)
		must(t, s.NoticeDone(t.Context(), second.ID, false))
		must(t, s.db.Where("id = ?", first.ID).Delete(&outboxRow{}).Error) // as retention does
		if _, err := s.ResendMail(t.Context(), second.ID); err != nil {
			t.Errorf("after an older one was removed: %v", err)
		}
	})
}
