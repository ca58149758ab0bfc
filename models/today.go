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
	var tasks []billing.Task
	add := func(kind billing.TaskKind, q *gorm.DB, column string) error {
		var ids []string
		err := q.Pluck(column, &ids).Error
		tasks = append(tasks, billing.NewTask(kind, ids))
		return err
	}
	if err := s.pastDue(db, &tasks); err != nil {
		return nil, err
	}
	if err := s.disputed(db, &tasks); err != nil {
		return nil, err
	}
	for _, t := range []struct {
		kind   billing.TaskKind
		of     *gorm.DB
		column string
	}{
		{billing.TaskTransfer, db.Model(&eventRow{}).Distinct("subscription").
			Where("kind IN ? AND at >= ?", []billing.EventKind{billing.EventTransferShort, billing.EventTransferUnused}, now.Add(-tasksSince)), "subscription"},
		{billing.TaskRefund, db.Model(&refundRow{}).Distinct("subscription").Where("status = ?", billing.RefundPending), "subscription"},
		{billing.TaskMail, db.Model(&outboxRow{}).Where("failed AND resent_as IS NULL").Order("id DESC"), "id"},
		{billing.TaskLate, db.Model(&subscriptionRow{}).Where("test_clock = '' AND next_at < ?", now.Add(-tasksLately)).Order("next_at"), "id"},
		{billing.TaskExpiringKey, db.Model(&apiKeyRow{}).
			Where("account = '' AND revoked_at IS NULL AND expires_at >= ? AND expires_at < ?", now, now.Add(tasksAhead)).Order("expires_at"), "id"},
	} {
		if err := add(t.kind, t.of, t.column); err != nil {
			return nil, err
		}
	}
	return tasks, nil
}

// pastDue adds the subscriptions whose renewal has failed, and of these those whose
// gateway rejects our calls.
func (s *Store) pastDue(db *gorm.DB, tasks *[]billing.Task) error {
	var rows []subscriptionRow
	if err := db.Select("id", "state").Where("status = ?", billing.PastDue).Order("number DESC").Find(&rows).Error; err != nil {
		return err
	}
	var all, rejected []string
	for _, r := range rows {
		all = append(all, string(r.ID))
		if r.State.Dunning.Rejection != "" {
			rejected = append(rejected, string(r.ID))
		}
	}
	*tasks = append(*tasks, billing.NewTask(billing.TaskPastDue, all), billing.NewTask(billing.TaskRejected, rejected))
	return nil
}

// disputed adds the subscriptions with a dispute that is not decided.
func (s *Store) disputed(db *gorm.DB, tasks *[]billing.Task) error {
	var rows []subscriptionRow
	ever := db.Session(&gorm.Session{NewDB: true}).Model(&eventRow{}).Select("subscription").Where("kind = ?", billing.EventDisputed)
	if err := db.Select("id", "state").Where("id IN (?)", ever).Order("number DESC").Find(&rows).Error; err != nil {
		return err
	}
	var open []string
	for _, r := range rows {
		if r.State.Disputed() {
			open = append(open, string(r.ID))
		}
	}
	*tasks = append(*tasks, billing.NewTask(billing.TaskDispute, open))
	return nil
}
