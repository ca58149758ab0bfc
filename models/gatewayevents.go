package models

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

// gatewayEventRow is what a webhook of a gateway says.
type gatewayEventRow struct {
	Gateway   string
	Event     string
	Kind      billing.GatewayEventKind
	Reference string
	Dispute   string
	Currency  string
	Amount    int64
	Live      bool
	ToldAt    time.Time // at the gateway
	CreatedAt time.Time
	Attempts  int64
	NextAt    *time.Time // when it may be acted on; nil: it has been
	Result    string
}

func (gatewayEventRow) TableName() string { return "gateway_events" }

// What became of a gateway event.
const (
	gatewayEventActed   = "acted"
	gatewayEventIgnored = "ignored"
)

// gatewayEventClaim is how long a claimed event may take, in real time.
const gatewayEventClaim = 30 * time.Second

// StoreGatewayEvent stores an event, once. If it is fresh, the caller has
// half a minute to act on it, before a sweeper does.
func (s *Store) StoreGatewayEvent(ctx context.Context, gateway string, n billing.GatewayEvent) (fresh bool, err error) {
	row := gatewayEventRow{
		Gateway: gateway, Event: n.ID, Kind: n.Kind, Reference: n.Reference, Dispute: n.Dispute,
		Currency: n.Amount.Currency, Amount: n.Amount.Amount, Live: n.Live, ToldAt: n.Created,
	}
	if n.Kind == billing.GatewayEventOther {
		row.Result = gatewayEventIgnored
	} else {
		row.NextAt = optional(s.db.NowFunc().Add(gatewayEventClaim))
	}
	r := s.db.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	return r.RowsAffected == 1 && row.NextAt != nil, r.Error
}

// ClaimGatewayEvents claims events that were not acted on yet, so that no other process
// does meanwhile; what was tried least comes first.
func (s *Store) ClaimGatewayEvents(ctx context.Context, gateway string, limit int) ([]billing.GatewayEvent, error) {
	db, now := s.db.WithContext(ctx), s.db.NowFunc()
	var rows []gatewayEventRow
	err := db.Where("next_at <= ? AND gateway = ?", now, gateway).Order("attempts, next_at").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, err
	}
	var claimed []billing.GatewayEvent
	for _, r := range rows {
		mine := db.Model(&gatewayEventRow{}).Where("gateway = ? AND event = ? AND next_at <= ?", r.Gateway, r.Event, now).
			Update("next_at", now.Add(gatewayEventClaim))
		if mine.Error != nil {
			return claimed, mine.Error
		}
		if mine.RowsAffected == 1 {
			claimed = append(claimed, billing.GatewayEvent{
				ID: r.Event, Kind: r.Kind, Reference: r.Reference, Dispute: r.Dispute,
				Amount: billing.Money{Amount: r.Amount, Currency: r.Currency}, Live: r.Live, Created: r.ToldAt,
			})
		}
	}
	return claimed, nil
}

// GatewayEventDone says that an event was acted on, or that it is not known here what it is
// about.
func (s *Store) GatewayEventDone(ctx context.Context, gateway, event string, ignored bool) error {
	result := gatewayEventActed
	if ignored {
		result = gatewayEventIgnored
	}
	return s.db.WithContext(ctx).Model(&gatewayEventRow{}).Where("gateway = ? AND event = ?", gateway, event).
		Updates(map[string]any{"next_at": nil, "result": result}).Error
}

// DeferGatewayEvent lets an event be acted on again: soon, and after many attempts after
// some minutes.
func (s *Store) DeferGatewayEvent(ctx context.Context, gateway, event string) error {
	db := s.db.WithContext(ctx)
	row, err := one[gatewayEventRow](db.Where("gateway = ? AND event = ?", gateway, event))
	if err != nil {
		return err
	}
	wait := min(time.Second<<min(row.Attempts, 10), 10*time.Minute)
	return db.Model(&gatewayEventRow{}).Where("gateway = ? AND event = ? AND next_at IS NOT NULL", gateway, event).
		Updates(map[string]any{"attempts": row.Attempts + 1, "next_at": s.db.NowFunc().Add(wait)}).Error
}

// PendingGatewayEvents counts the events that were not acted on yet.
func (s *Store) PendingGatewayEvents(ctx context.Context) (n int64, err error) {
	err = s.db.WithContext(ctx).Model(&gatewayEventRow{}).Where("next_at IS NOT NULL").Count(&n).Error
	return n, err
}

// InvoiceOfCharge finds an invoice by the gateway's reference of its charge.
// Errors: ErrNotFound.
func (s *Store) InvoiceOfCharge(ctx context.Context, gateway, charge string) (billing.Invoice, error) {
	if charge == "" {
		return billing.Invoice{}, billing.ErrNotFound
	}
	row, err := one[invoiceRow](s.db.WithContext(ctx).Where("charge = ?", charge))
	if err == nil && row.Detail.Gateway != gateway {
		err = billing.ErrNotFound
	}
	return row.Detail, err
}
