package models

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

// newsRow is what a webhook of a gateway says.
type newsRow struct {
	Gateway   string
	Event     string
	Kind      billing.NewsKind
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

func (newsRow) TableName() string { return "gateway_events" }

// What became of news.
const (
	newsActed   = "acted"
	newsIgnored = "ignored"
)

// newsClaim is how long a claimed event may take, in real time.
const newsClaim = 30 * time.Second

// KeepNews stores an event, once. If it is fresh, the caller has
// half a minute to act on it, before a sweeper does.
func (s *Store) KeepNews(ctx context.Context, gateway string, n billing.News) (fresh bool, err error) {
	row := newsRow{
		Gateway: gateway, Event: n.ID, Kind: n.Kind, Reference: n.Reference, Dispute: n.Dispute,
		Currency: n.Amount.Currency, Amount: n.Amount.Amount, Live: n.Live, ToldAt: n.Created,
	}
	if n.Kind == billing.NewsOther {
		row.Result = newsIgnored
	} else {
		row.NextAt = optional(s.db.NowFunc().Add(newsClaim))
	}
	r := s.db.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	return r.RowsAffected == 1 && row.NextAt != nil, r.Error
}

// ClaimNews claims events that were not acted on yet, so that no other process
// does meanwhile; what was tried least comes first.
func (s *Store) ClaimNews(ctx context.Context, gateway string, limit int) ([]billing.News, error) {
	db, now := s.db.WithContext(ctx), s.db.NowFunc()
	var rows []newsRow
	err := db.Where("next_at <= ? AND gateway = ?", now, gateway).Order("attempts, next_at").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, err
	}
	var claimed []billing.News
	for _, r := range rows {
		mine := db.Model(&newsRow{}).Where("gateway = ? AND event = ? AND next_at <= ?", r.Gateway, r.Event, now).
			Update("next_at", now.Add(newsClaim))
		if mine.Error != nil {
			return claimed, mine.Error
		}
		if mine.RowsAffected == 1 {
			claimed = append(claimed, billing.News{
				ID: r.Event, Kind: r.Kind, Reference: r.Reference, Dispute: r.Dispute,
				Amount: billing.Money{Amount: r.Amount, Currency: r.Currency}, Live: r.Live, Created: r.ToldAt,
			})
		}
	}
	return claimed, nil
}

// NewsDone says that news was acted on, or that it is not known here what it is
// about.
func (s *Store) NewsDone(ctx context.Context, gateway, event string, ignored bool) error {
	result := newsActed
	if ignored {
		result = newsIgnored
	}
	return s.db.WithContext(ctx).Model(&newsRow{}).Where("gateway = ? AND event = ?", gateway, event).
		Updates(map[string]any{"next_at": nil, "result": result}).Error
}

// PutNewsOff lets news be acted on again: soon, and after many attempts after
// some minutes.
func (s *Store) PutNewsOff(ctx context.Context, gateway, event string) error {
	db := s.db.WithContext(ctx)
	row, err := one[newsRow](db.Where("gateway = ? AND event = ?", gateway, event))
	if err != nil {
		return err
	}
	wait := min(time.Second<<min(row.Attempts, 10), 10*time.Minute)
	return db.Model(&newsRow{}).Where("gateway = ? AND event = ? AND next_at IS NOT NULL", gateway, event).
		Updates(map[string]any{"attempts": row.Attempts + 1, "next_at": s.db.NowFunc().Add(wait)}).Error
}

// WaitingNews counts the events that were not acted on yet.
func (s *Store) WaitingNews(ctx context.Context) (n int64, err error) {
	err = s.db.WithContext(ctx).Model(&newsRow{}).Where("next_at IS NOT NULL").Count(&n).Error
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
