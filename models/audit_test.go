package models

import (
	"context"
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

var anna = billing.Actor{Name: "anna", From: "api 192.0.2.7"}

func (s shop) auditLog() []billing.AuditRow {
	s.Helper()
	rows, err := s.AuditLog(s.Context(), billing.AuditSelection{}, 1000)
	must(s, err)
	return rows
}

func TestTheAuditLogIsOneChainOfAllProcesses(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			url := d.url(t)
			processes := []*Store{open(t, url), open(t, url)}
			must(t, processes[0].Migrate(t.Context()))
			ctx := billing.As(t.Context(), anna)
			for _, err := range together(20, func(i int) error {
				return processes[i%2].PutCoupon(ctx, billing.Coupon{Code: NewID("C"), Percent: 10})
			}) {
				must(t, err)
			}
			found, err := processes[1].VerifyAudit(t.Context())
			must(t, err)
			if found.Rows != 20 || !found.OK() || len(found.Head) != 64 {
				t.Errorf("20 changes of two processes: %+v", found)
			}
		})
	}
}

func TestABrokenAuditLogIsFound(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx := billing.As(t.Context(), anna)
		for _, percent := range []int64{10, 20, 30, 40} {
			must(t, s.PutCoupon(ctx, billing.Coupon{Code: "SPRING", Percent: percent}))
		}
		verify := func() billing.AuditCheck {
			t.Helper()
			found, err := s.VerifyAudit(t.Context())
			must(t, err)
			return found
		}
		if found := verify(); !found.OK() || found.Rows != 4 {
			t.Fatalf("untouched: %+v", found)
		}
		var rows []auditRow
		must(t, s.db.Order("id").Find(&rows).Error)
		if !strings.Contains(rows[2].Before, `"percent":20`) || !strings.Contains(rows[2].After, `"percent":30`) || rows[0].Before != "null" {
			t.Errorf("before and after: %+v", rows)
		}
		for name, broken := range map[string]struct {
			damage string
			at     int64
		}{
			"a figure":         {"UPDATE audit_log SET state_after = 'null' WHERE id = 2", 2},
			"a name":           {"UPDATE audit_log SET actor = 'bob' WHERE id = 3", 3},
			"a time":           {"UPDATE audit_log SET at = '2020-01-01 00:00:00' WHERE id = 1", 1},
			"a row within":     {"DELETE FROM audit_log WHERE id = 2", 2},
			"the last row":     {"DELETE FROM audit_log WHERE id = 4", 4},
			"a row at the end": {"INSERT INTO audit_log SELECT 5, at, actor, origin, action, subject, state_before, state_after, hash FROM audit_log WHERE id = 4", 5},
			"the first rows":   {"DELETE FROM audit_log WHERE id < 3", 1},
		} {
			must(t, s.db.Exec(broken.damage).Error)
			if found := verify(); found.OK() || found.Broken != broken.at {
				t.Errorf("%s: %+v, want broken at %d", name, found, broken.at)
			}
			must(t, s.db.Exec("DELETE FROM audit_log").Error)
			must(t, s.db.Create(&rows).Error)
			if found := verify(); !found.OK() {
				t.Fatalf("repaired after %s: %+v", name, found)
			}
		}
	})
}

func TestAChangeThatFailsLeavesNoAuditRow(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx := billing.As(t.Context(), anna)
		shop := openShop(t, s)
		if _, err := s.AddOperator(ctx, "anna"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddOperator(ctx, "anna"); err == nil {
			t.Fatal("two operators are called anna")
		}
		sold, err := billing.ParseCatalogue([]byte(strings.ReplaceAll(catalogue, "990", "1990")))
		must(t, err)
		_, err = s.ApplyCatalogue(ctx, sold, true)
		must(t, err)
		if rows := shop.auditLog(); len(rows) != 1 || rows[0].Action != "operator.add" || rows[0].Actor != "anna" || rows[0].From != anna.From {
			t.Errorf("%+v", rows)
		}
	})
}

func TestAnOperatorsCommandIsAuditedWithItsChangeset(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		shop := openShop(t, s)
		sub := shop.buy(newOrder("ada@contoso.example"))
		command := func(ctx context.Context, actor string, action billing.Action) {
			t.Helper()
			r := billing.Request{ID: billing.RequestID(NewID("req")), Caller: actor, Route: "POST", Key: NewID("key"), Subscription: sub.ID, Actor: actor, Command: billing.Command{Action: action}}
			r.Command.Request = r.ID
			_, _, err := s.Begin(ctx, r, nil, nil)
			must(t, err)
			shop.command(sub.ID, r.Command, opening.AddDate(0, 0, 1)) // as a worker, which knows no caller
		}
		command(t.Context(), billing.ActorCustomer, billing.ActionCancel)
		if rows := shop.auditLog(); len(rows) != 0 {
			t.Errorf("a customer's commands are audited: %+v", rows)
		}
		// A request that no workflow answers, such as for the page that takes a card.
		_, _, err := s.Begin(billing.As(t.Context(), anna), billing.Request{
			ID: "req_page", Caller: "anna", Route: "POST", Key: NewID("key"), Subscription: sub.ID, Actor: "anna", Outcome: &billing.Outcome{},
			Command: billing.Command{Action: billing.ActionPaymentMethod},
		}, nil, nil)
		must(t, err)
		if rows := shop.auditLog(); len(rows) != 1 || rows[0].Action != "subscription.payment-method" || rows[0].Subject != string(sub.ID) {
			t.Errorf("the page that takes a card: %+v", rows)
		}
		command(billing.As(t.Context(), anna), "anna", billing.ActionSuspend)
		rows := shop.auditLog()[1:]
		if len(rows) != 1 || rows[0].Actor != "anna" || rows[0].From != anna.From || rows[0].Action != "subscription.suspend" || rows[0].Subject != string(sub.ID) ||
			strings.Contains(string(rows[0].Before), "suspended") || !strings.Contains(string(rows[0].After), `"suspended":true`) {
			t.Errorf("suspended: %+v", rows)
		}
		for _, r := range rows {
			if text := string(r.Before) + string(r.After); strings.Contains(text, "contoso") || strings.Contains(text, "Ada") {
				t.Errorf("it names somebody: %s", text)
			}
		}
	})
}
