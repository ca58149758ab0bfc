package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// How far back and ahead tasks are looked for.
const (
	tasksSince  = 30 * 24 * time.Hour
	tasksAhead  = 30 * 24 * time.Hour
	tasksLately = 5 * time.Minute
)

// Tasks are what needs a person, as far as the database tells: every kind, also
// those of which there is nothing.
func (s *Store) Tasks(ctx context.Context) ([]billing.Task, error) {
	db, now := s.db.WithContext(ctx), s.db.NowFunc()
	late, err := subscriptionsOf(db.Where("status = ?", billing.PastDue))
	if err != nil {
		return nil, err
	}
	everDisputed, err := subscriptionsOf(db.Where("id IN (?)", db.Model(&eventRow{}).Select("subscription").Where("kind = ?", billing.EventDisputed)))
	if err != nil {
		return nil, err
	}
	tasks := []billing.Task{
		billing.NewTask(billing.TaskPastDue, those(late, func(billing.Subscription) bool { return true })),
		billing.NewTask(billing.TaskRejected, those(late, func(s billing.Subscription) bool { return s.Dunning.Rejection != "" })),
		billing.NewTask(billing.TaskDispute, those(everDisputed, billing.Subscription.Disputed)),
	}
	for _, t := range []struct {
		kind   billing.TaskKind
		of     *gorm.DB
		column string
	}{
		{billing.TaskTransfer, db.Model(&eventRow{}).Distinct("subscription").
			Where("kind IN ? AND at >= ?", []billing.EventKind{billing.EventTransferShort, billing.EventTransferUnused}, now.Add(-tasksSince)), "subscription"},
		{billing.TaskStatementLine, db.Model(&statementLineRow{}).Where("settled = ''").Order("id"), "id"},
		{billing.TaskRefund, db.Model(&refundRow{}).Distinct("subscription").Where("status = ?", billing.RefundPending), "subscription"},
		{billing.TaskMail, db.Model(&outboxRow{}).Where("failed AND resent_as IS NULL").Order("id DESC"), "id"},
		{billing.TaskLate, db.Model(&subscriptionRow{}).Where("test_clock = '' AND next_at < ?", now.Add(-tasksLately)).Order("next_at"), "id"},
		{billing.TaskExpiringKey, db.Model(&apiKeyRow{}).
			Where("account = '' AND revoked_at IS NULL AND expires_at >= ? AND expires_at < ?", now, now.Add(tasksAhead)).Order("expires_at"), "id"},
	} {
		var ids []string
		if err := t.of.Pluck(t.column, &ids).Error; err != nil {
			return nil, err
		}
		tasks = append(tasks, billing.NewTask(t.kind, ids))
	}
	return tasks, nil
}

// subscriptionsOf are those of a query, the newest first.
func subscriptionsOf(q *gorm.DB) (rows []subscriptionRow, err error) {
	err = q.Select("id", "state").Order("number DESC").Find(&rows).Error
	return rows, err
}

// those are the ids of the subscriptions of which something holds.
func those(rows []subscriptionRow, holds func(billing.Subscription) bool) (ids []string) {
	for _, r := range rows {
		if holds(r.State) {
			ids = append(ids, string(r.ID))
		}
	}
	return ids
}
