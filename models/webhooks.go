package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type webhookEndpointRow struct {
	ID           string
	Account      billing.AccountID
	Member       billing.AccountID
	URL          string                `gorm:"column:url"`
	Types        []billing.FeedPattern `gorm:"serializer:json"`
	Description  string
	Disabled     billing.WebhookDisabled
	Secret       string // sealed, as the former one is
	Former       string
	FormerUntil  *time.Time
	FailingSince *time.Time
	Told         int64 // the place in the feed up to which there are deliveries
	CreatedAt    time.Time
}

type webhookDeliveryRow struct {
	ID           string
	Endpoint     string
	Seq          int64 // the event's place in the feed; 0: a test
	Event        string
	Type         billing.FeedType
	Subscription string // what is sent in order
	Status       billing.WebhookStatus
	Tries        int64
	CreatedAt    time.Time
	TriedAt      *time.Time
	NextAt       *time.Time // nil: it is done with
	Code         int
	Body         string
	Error        string
	Took         int64 // milliseconds
}

func (webhookEndpointRow) TableName() string { return "webhook_endpoints" }
func (webhookDeliveryRow) TableName() string { return "webhook_deliveries" }

func (r webhookEndpointRow) endpoint() billing.WebhookEndpoint {
	return billing.WebhookEndpoint{
		ID: r.ID, Account: r.Account, URL: r.URL, Types: r.Types, Description: r.Description, Disabled: r.Disabled, CreatedAt: r.CreatedAt,
		FailingSince: whenever(r.FailingSince), Secret: r.Secret, Former: r.Former, FormerUntil: whenever(r.FormerUntil),
	}
}

func (r webhookDeliveryRow) delivery() billing.WebhookDelivery {
	return billing.WebhookDelivery{
		ID: r.ID, Endpoint: r.Endpoint, Event: r.Event, Type: r.Type, Subscription: billing.SubscriptionID(r.Subscription), Status: r.Status, Tries: r.Tries,
		CreatedAt: r.CreatedAt, TriedAt: whenever(r.TriedAt), NextAt: whenever(r.NextAt),
		WebhookAnswer: billing.WebhookAnswer{Code: r.Code, Body: r.Body, Error: r.Error, Took: time.Duration(r.Took) * time.Millisecond},
	}
}

// settings are what the audit log says of an endpoint: an address may hold a
// credential.
func (r webhookEndpointRow) settings() any {
	return map[string]any{"account": r.Account, "types": r.Types, "disabled": r.Disabled}
}

// lastTold is the place of the newest event.
func lastTold(tx *gorm.DB) (seq int64, err error) {
	row, err := one[counterRow](tx.Where("name = ?", feedCounter))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return row.Value, err
}

// CreateWebhookEndpoint has the events from now on sent to an address. Errors: a
// *billing.Error too_many_endpoints.
func (s *Store) CreateWebhookEndpoint(ctx context.Context, e billing.WebhookEndpoint) (billing.WebhookEndpoint, error) {
	row := webhookEndpointRow{ID: e.ID, Account: e.Account, Member: e.Member, URL: e.URL, Types: e.Types, Description: e.Description, Secret: e.Secret, CreatedAt: s.db.NowFunc()}
	err := s.tx(ctx, func(tx *gorm.DB) error {
		if e.Account != "" { // locked, so that not more are made than may be, and for nobody who is erased
			if _, err := one[accountRow](locked(tx).Where("id = ? AND email <> ?", e.Account, erasedAddress(e.Account))); err != nil {
				return err
			}
		}
		var n int64
		if err := tx.Model(&webhookEndpointRow{}).Where("account = ?", e.Account).Count(&n).Error; err != nil {
			return err
		}
		if n >= billing.WebhookEndpoints {
			return &billing.Error{Code: billing.CodeTooManyEndpoints, Detail: "there are as many webhook endpoints as there may be: delete one"}
		}
		var err error
		if row.Told, err = lastTold(tx); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "webhook_endpoint.create", row.ID, nil, row.settings())
	})
	return row.endpoint(), err
}

// WebhookEndpoint reads an endpoint of an account; empty: of the vendor. Errors:
// ErrNotFound.
func (s *Store) WebhookEndpoint(ctx context.Context, account billing.AccountID, id string) (billing.WebhookEndpoint, error) {
	row, err := one[webhookEndpointRow](s.db.WithContext(ctx).Where("id = ? AND account = ?", id, account))
	return row.endpoint(), err
}

// WebhookEndpoints lists those of an account, the newest first.
func (s *Store) WebhookEndpoints(ctx context.Context, account billing.AccountID) ([]billing.WebhookEndpoint, error) {
	var rows []webhookEndpointRow
	err := s.db.WithContext(ctx).Where("account = ?", account).Order("id DESC").Find(&rows).Error
	list := make([]billing.WebhookEndpoint, len(rows))
	for i, r := range rows {
		list[i] = r.endpoint()
	}
	return list, err
}

// ChangeWebhookEndpoint changes an endpoint: its address, types, description, secrets,
// and whether it is disabled. One that is enabled again gets what happens from now
// on. Errors: ErrNotFound.
func (s *Store) ChangeWebhookEndpoint(ctx context.Context, account billing.AccountID, id string, change func(e *billing.WebhookEndpoint)) (billing.WebhookEndpoint, error) {
	var row webhookEndpointRow
	err := s.tx(ctx, func(tx *gorm.DB) (err error) {
		if row, err = one[webhookEndpointRow](locked(tx).Where("id = ? AND account = ?", id, account)); err != nil {
			return err
		}
		was, e := row, row.endpoint()
		change(&e)
		row.URL, row.Types, row.Description, row.Secret, row.Former, row.FormerUntil = e.URL, e.Types, e.Description, e.Secret, e.Former, optional(e.FormerUntil)
		switch {
		case was.Disabled == "" && e.Disabled != "":
			err = disable(tx, &row, e.Disabled)
		case was.Disabled != "" && e.Disabled == "":
			row.Disabled, row.FailingSince = "", nil
			row.Told, err = lastTold(tx)
		}
		if err != nil {
			return err
		}
		if err := save(tx, row.ID, &row); err != nil {
			return err
		}
		return s.audit(ctx, tx, "webhook_endpoint.change", id, was.settings(), row.settings())
	})
	return row.endpoint(), err
}

// DeleteWebhookEndpoint forgets an endpoint with its deliveries. Errors: ErrNotFound.
func (s *Store) DeleteWebhookEndpoint(ctx context.Context, account billing.AccountID, id string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[webhookEndpointRow](locked(tx).Where("id = ? AND account = ?", id, account))
		if err != nil {
			return err
		}
		if err := forgetEndpoints(tx, "id = ?", id); err != nil {
			return err
		}
		return s.audit(ctx, tx, "webhook_endpoint.delete", id, row.settings(), nil)
	})
}

func forgetEndpoints(tx *gorm.DB, where string, args ...any) error {
	which := tx.Model(&webhookEndpointRow{}).Select("id").Where(where, args...)
	if err := tx.Where("endpoint IN (?)", which).Delete(&webhookDeliveryRow{}).Error; err != nil {
		return err
	}
	return tx.Where(where, args...).Delete(&webhookEndpointRow{}).Error
}

// disable gives up what waits for an endpoint. The caller has locked its row, and
// saves it.
func disable(tx *gorm.DB, row *webhookEndpointRow, why billing.WebhookDisabled) error {
	row.Disabled = why
	return tx.Model(&webhookDeliveryRow{}).Where("endpoint = ? AND next_at IS NOT NULL", row.ID).
		Updates(map[string]any{"next_at": nil, "status": billing.WebhookFailed}).Error
}

// SendWebhook has a test sent to an endpoint, or where event is not empty that event
// of the feed once more. Errors: ErrNotFound.
func (s *Store) SendWebhook(ctx context.Context, e billing.WebhookEndpoint, event string) (d billing.WebhookDelivery, err error) {
	now := s.db.NowFunc()
	row := webhookDeliveryRow{
		ID: NewID("whd"), Endpoint: e.ID, Event: NewID("evt"), Type: billing.WebhookTest, Status: billing.WebhookPending, CreatedAt: now, NextAt: &now,
	}
	row.Subscription = row.ID // it waits for nothing
	err = s.tx(ctx, func(tx *gorm.DB) error {
		if event != "" {
			rows, err := feedRows(tx.Where("id = ?", event), billing.FeedSelection{Account: e.Account}, 1)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return billing.ErrNotFound
			}
			row.Event, row.Seq, row.Type, row.Subscription = rows[0].ID, rows[0].Seq, rows[0].Type, string(rows[0].Subscription)
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "webhook_endpoint.send", e.ID, nil, map[string]any{"event": row.Event})
	})
	return row.delivery(), err
}

// ReplayWebhooks has the events of a span of real time sent to an endpoint once more,
// those that it takes, at most limit. Errors: a *billing.Error too_many_events.
func (s *Store) ReplayWebhooks(ctx context.Context, e billing.WebhookEndpoint, from, to time.Time, limit int) (n int, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		rows, err := feedRows(tx.Where("created_at >= ? AND created_at < ?", from, to), billing.FeedSelection{Account: e.Account, Types: e.Types}, limit+1)
		if err != nil {
			return err
		}
		if n = len(rows); n > limit {
			return &billing.Error{Code: billing.CodeTooManyEvents, Field: "to", Detail: "the span has too many events: replay a shorter one"}
		}
		if err := deliver(tx, e.ID, rows); err != nil {
			return err
		}
		return s.audit(ctx, tx, "webhook_endpoint.replay", e.ID, nil, map[string]any{"from": from, "to": to, "events": n})
	})
	return n, err
}

// deliver writes deliveries of events to an endpoint.
func deliver(tx *gorm.DB, endpoint string, events []feedRow) error {
	if len(events) == 0 {
		return nil
	}
	now := tx.NowFunc()
	rows := make([]webhookDeliveryRow, len(events))
	for i, e := range events {
		rows[i] = webhookDeliveryRow{
			ID: NewID("whd"), Endpoint: endpoint, Seq: e.Seq, Event: e.ID, Type: e.Type, Subscription: string(e.Subscription),
			Status: billing.WebhookPending, CreatedAt: now, NextAt: &now,
		}
	}
	return tx.CreateInBatches(&rows, 500).Error
}

// fanOut is how many events are read for an endpoint at once.
const fanOut = 200

// FanOutWebhooks writes deliveries of the events that are new to the endpoints that
// take them.
func (s *Store) FanOutWebhooks(ctx context.Context) error {
	db := s.db.WithContext(ctx)
	last, err := lastTold(db)
	if err != nil {
		return err
	}
	var ids []string
	if err := db.Model(&webhookEndpointRow{}).Where("disabled = '' AND told < ?", last).Order("id").Pluck("id", &ids).Error; err != nil {
		return err
	}
	for _, id := range ids {
		err = errors.Join(err, s.tx(ctx, func(tx *gorm.DB) error {
			row, err := one[webhookEndpointRow](locked(tx).Where("id = ? AND disabled = ''", id))
			if errors.Is(err, billing.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			events, err := feedRows(tx.Where("seq <= ?", last), billing.FeedSelection{Account: row.Account, After: row.Told, Types: row.Types}, fanOut)
			if err != nil {
				return err
			}
			told := last
			if len(events) == fanOut {
				told = events[fanOut-1].Seq
			}
			if err := deliver(tx, id, events); err != nil {
				return err
			}
			return tx.Model(&webhookEndpointRow{}).Where("id = ?", id).Update("told", told).Error
		}))
	}
	return err
}

// DueWebhookEndpoints are the endpoints to which something is due to be sent.
func (s *Store) DueWebhookEndpoints(ctx context.Context) (ids []string, err error) {
	err = s.db.WithContext(ctx).Model(&webhookDeliveryRow{}).Distinct("endpoint").Where("next_at <= ?", s.db.NowFunc()).Pluck("endpoint", &ids).Error
	return ids, err
}

// DueWebhooks are what is due to be sent to an endpoint, of each subscription the
// earliest that waits, so that none overtakes another. Of an endpoint that is no
// more nothing is due, and nothing stays.
func (s *Store) DueWebhooks(ctx context.Context, endpoint string, limit int) (e billing.WebhookEndpoint, due []billing.WebhookDelivery, err error) {
	db := s.db.WithContext(ctx)
	row, err := one[webhookEndpointRow](db.Where("id = ?", endpoint))
	if errors.Is(err, billing.ErrNotFound) { // deleted while something was put into its queue
		return e, nil, db.Where("endpoint = ?", endpoint).Delete(&webhookDeliveryRow{}).Error
	}
	if err != nil {
		return e, nil, err
	}
	var rows []webhookDeliveryRow
	err = db.Where("endpoint = ? AND next_at <= ?", endpoint, s.db.NowFunc()).
		Where("NOT EXISTS (SELECT 1 FROM webhook_deliveries earlier WHERE earlier.endpoint = webhook_deliveries.endpoint AND " +
			"earlier.subscription = webhook_deliveries.subscription AND earlier.next_at IS NOT NULL AND " +
			"(earlier.seq < webhook_deliveries.seq OR earlier.seq = webhook_deliveries.seq AND earlier.id < webhook_deliveries.id))").
		Order("seq, id").Limit(limit).Find(&rows).Error
	for _, r := range rows {
		due = append(due, r.delivery())
	}
	return row.endpoint(), due, err
}

// FeedEvent reads an event. Errors: ErrNotFound.
func (s *Store) FeedEvent(ctx context.Context, id string) (billing.FeedEvent, error) {
	db := s.db.WithContext(ctx)
	row, err := one[feedRow](db.Where("id = ?", id))
	if err != nil {
		return billing.FeedEvent{}, err
	}
	return s.told(db, row)
}

// WebhookTried writes down what an endpoint answered to a delivery, and when it is
// tried again; zero: never. An endpoint that is gone, or has failed for too long, is
// disabled, and its owner told.
func (s *Store) WebhookTried(ctx context.Context, d billing.WebhookDelivery) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[webhookEndpointRow](locked(tx).Where("id = ?", d.Endpoint))
		if errors.Is(err, billing.ErrNotFound) {
			return nil // deleted meanwhile, with its deliveries
		}
		if err != nil {
			return err
		}
		now := s.db.NowFunc()
		if row.Disabled != "" {
			d.NextAt = time.Time{}
		}
		status := billing.WebhookPending
		switch {
		case d.Taken():
			status = billing.WebhookDelivered
		case d.NextAt.IsZero():
			status = billing.WebhookFailed
		}
		err = tx.Model(&webhookDeliveryRow{}).Where("id = ?", d.ID).Updates(map[string]any{
			"status": status, "tries": d.Tries, "tried_at": now, "next_at": optional(d.NextAt),
			"code": d.Code, "body": d.Body, "error": d.Error, "took": d.Took.Milliseconds(),
		}).Error
		if err != nil || d.Type == billing.WebhookTest || row.Disabled != "" {
			return err
		}
		if d.Taken() {
			if row.FailingSince == nil {
				return nil
			}
			return tx.Model(&webhookEndpointRow{}).Where("id = ?", row.ID).Update("failing_since", nil).Error
		}
		if row.FailingSince == nil {
			row.FailingSince = &now
		}
		if why := disables(d.WebhookAnswer, now.Sub(*row.FailingSince)); why != "" {
			if err := disable(tx, &row, why); err != nil {
				return err
			}
			if err := s.tellDisabled(tx, row); err != nil {
				return err
			}
		}
		return save(tx, row.ID, &row)
	})
}

// disables says whether an answer of an endpoint that has failed for a while
// disables it.
func disables(a billing.WebhookAnswer, failing time.Duration) billing.WebhookDisabled {
	switch {
	case a.Code == 410:
		return billing.WebhookGone
	case failing >= billing.WebhookPatience:
		return billing.WebhookFailing
	}
	return ""
}

func (s *Store) tellDisabled(tx *gorm.DB, row webhookEndpointRow) error {
	now := s.db.NowFunc()
	n := billing.Notice{Kind: billing.NoticeWebhookDisabled, To: billing.RoleBilling, Code: string(row.Disabled)}
	if row.Account == "" {
		n.To = billing.RoleOperator
	}
	return tx.Create(newMail(row.ID, now.Unix(), n, now)).Error // it may happen again: the instant tells the mails apart
}

// ResealWebhook puts an endpoint's secrets under the current value of the server's
// secret, unless they have been changed meanwhile.
func (s *Store) ResealWebhook(ctx context.Context, was billing.WebhookEndpoint, secret, former string) error {
	return s.db.WithContext(ctx).Model(&webhookEndpointRow{}).Where("id = ? AND secret = ? AND former = ?", was.ID, was.Secret, was.Former).
		Updates(map[string]any{"secret": secret, "former": former}).Error
}

// WebhookDeliveries lists an endpoint's deliveries, the newest first, from below the
// id before.
func (s *Store) WebhookDeliveries(ctx context.Context, endpoint, before string, limit int) ([]billing.WebhookDelivery, error) {
	q := s.db.WithContext(ctx).Where("endpoint = ?", endpoint).Order("id DESC").Limit(limit)
	if before != "" {
		q = q.Where("id < ?", before)
	}
	var rows []webhookDeliveryRow
	err := q.Find(&rows).Error
	list := make([]billing.WebhookDelivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
	}
	return list, err
}
