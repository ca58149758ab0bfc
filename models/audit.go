package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type auditRow struct {
	ID      int64
	At      time.Time
	Actor   string
	Origin  string
	Action  string
	Subject string
	Before  string `gorm:"column:state_before"`
	After   string `gorm:"column:state_after"`
	Hash    string
}

func (auditRow) TableName() string { return "audit_log" }

// chained is the row's hash after another row's: of that hash and of all that
// the row says, as a JSON list.
func (r auditRow) chained(previous string) (string, error) {
	content, err := json.Marshal([]any{
		previous, r.ID, r.At.UTC().Format(time.RFC3339), r.Actor, r.Origin, r.Action, r.Subject, r.Before, r.After,
	})
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), err
}

// auditCounter counts the rows of the log. A transaction that appends holds it, so that
// all processes make one chain.
const auditCounter = "audit"

// audit appends to the log what the context's operator changes in this
// transaction; it writes nothing of a customer or the engine. It is a
// transaction's last write, since other writers wait for it.
func (s *Store) audit(ctx context.Context, tx *gorm.DB, action, subject string, before, after any) error {
	return s.appendAudit(tx, billing.ActorOf(ctx), action, subject, before, after)
}

func (s *Store) appendAudit(tx *gorm.DB, who billing.Actor, action, subject string, before, after any) error {
	if who.Name == "" {
		return nil
	}
	id, err := count(tx, auditCounter)
	if err != nil {
		return err
	}
	last, err := one[auditRow](tx.Order("id DESC").Limit(1))
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return err
	}
	row := auditRow{ID: id, At: s.db.NowFunc(), Actor: who.Name, Origin: who.From, Action: action, Subject: subject}
	for _, state := range []struct {
		of   any
		text *string
	}{{before, &row.Before}, {after, &row.After}} {
		text, err := json.Marshal(state.of)
		if err != nil {
			return err
		}
		*state.text = string(text)
	}
	if row.Hash, err = row.chained(last.Hash); err != nil {
		return err
	}
	return tx.Create(&row).Error
}

// Audit appends to the log what the context's operator has done and no single
// transaction does.
func (s *Store) Audit(ctx context.Context, action, subject string, before, after any) error {
	return s.tx(ctx, func(tx *gorm.DB) error { return s.audit(ctx, tx, action, subject, before, after) })
}

// AuditLog lists rows of the log, the oldest first.
func (s *Store) AuditLog(ctx context.Context, which billing.AuditSelection, limit int) ([]billing.AuditRow, error) {
	q := s.db.WithContext(ctx).Where("id > ?", which.After)
	if which.Actor != "" {
		q = q.Where("actor = ?", which.Actor)
	}
	if which.Subject != "" {
		q = q.Where("subject = ?", which.Subject)
	}
	var rows []auditRow
	err := q.Order("id").Limit(limit).Find(&rows).Error
	list := make([]billing.AuditRow, len(rows))
	for i, r := range rows {
		list[i] = billing.AuditRow{
			ID: r.ID, At: r.At.UTC(), Actor: r.Actor, From: r.Origin, Action: r.Action, Subject: r.Subject, Before: json.RawMessage(r.Before), After: json.RawMessage(r.After), Hash: r.Hash,
		}
	}
	return list, err
}

// VerifyAudit reads the whole log, as it was at one moment, and looks whether
// every row follows from the one before it and none is missing at its end.
func (s *Store) VerifyAudit(ctx context.Context) (billing.AuditCheck, error) {
	var found billing.AuditCheck
	err := s.snapshot(ctx, func(tx *gorm.DB) error {
		c, err := one[counterRow](tx.Where("name = ?", auditCounter))
		if err != nil && !errors.Is(err, billing.ErrNotFound) {
			return err
		}
		for {
			var rows []auditRow
			if err := tx.Where("id > ?", found.Rows).Order("id").Limit(1000).Find(&rows).Error; err != nil {
				return err
			}
			for _, r := range rows {
				hash, err := r.chained(found.Head)
				if err != nil {
					return err
				}
				if r.ID != found.Rows+1 || r.Hash != hash {
					found.Broken = found.Rows + 1
					return nil
				}
				found.Rows, found.Head = r.ID, r.Hash
			}
			if len(rows) == 0 {
				if found.Rows != c.Value {
					found.Broken = found.Rows + 1
				}
				return nil
			}
		}
	})
	return found, err
}

// figures are what the log says of a subscription.
type figures struct {
	Status    billing.Status `json:"status"`
	Revision  int64          `json:"revision"`
	Plan      string         `json:"plan"`
	Quantity  int64          `json:"quantity"`
	Price     string         `json:"price"`
	NextPrice string         `json:"next_price,omitempty"`
	Scheduled string         `json:"scheduled_plan,omitempty"`
	PeriodEnd time.Time      `json:"period_end,omitzero"`
	AtEnd     bool           `json:"cancel_at_period_end,omitempty"`
	Suspended bool           `json:"suspended,omitempty"`
	Revoked   bool           `json:"revoked,omitempty"`
}

func (s *Store) figures(sub billing.Subscription) figures {
	f := figures{
		Status: sub.Status, Revision: sub.Revision, Plan: sub.Plan.ID, Quantity: sub.Quantity, Price: sub.Price.String(),
		Scheduled: sub.ScheduledChange.Plan.ID, PeriodEnd: sub.Period.End, AtEnd: sub.CancelAtPeriodEnd,
	}
	if !sub.NextPrice.IsZero() {
		f.NextPrice = sub.NextPrice.String()
	}
	e := sub.Entitlement(s.policy)
	f.Suspended, f.Revoked = e.Suspended, e.Revoked
	return f
}

// commanded is what has become of an operator's command.
type commanded struct {
	figures
	Request billing.RequestID   `json:"request"`
	Code    billing.Code        `json:"code,omitempty"`
	Invoice billing.InvoiceID   `json:"invoice,omitempty"`
	Amount  *int64              `json:"amount,omitempty"`
	Refund  billing.RefundScope `json:"refund,omitempty"`
}

// auditCommand writes an operator's command into the log, in the transaction of the
// changeset that answers it.
func (s *Store) auditCommand(tx *gorm.DB, row subscriptionRow, p billing.Changeset, r requestRow) error {
	if r.Origin == "" || p.Subscription.Revision == p.From {
		return nil
	}
	after := commanded{s.figures(p.Subscription), p.Request, p.Outcome.Code, p.Outcome.Invoice, r.Command.Amount, r.Command.Refund}
	if r.Command.Invoice != "" {
		after.Invoice = r.Command.Invoice
	}
	return s.appendAudit(tx, billing.Actor{Name: r.Actor, From: r.Origin}, "subscription."+string(r.Command.Action), string(row.ID), s.figures(row.State), after)
}
