package backoffice

import (
	"context"
	"errors"
	"fmt"

	"github.com/okviz/licensing/billing"
)

// PrivacyStore is what is asked for an address's personal data.
type PrivacyStore interface {
	PersonalData(ctx context.Context, email string) (billing.PersonalData, error)
	Erase(ctx context.Context, email string) (billing.Erasure, error)
	Scrub(ctx context.Context) error
}

// ErrNotScrubbed says that an address is erased, but that the file of the
// database may still have its bytes. Erasing it again tries that again.
var ErrNotScrubbed = errors.New("erased, but perhaps not from the bytes of the database's file: erase again")

// Erase removes an address from every table, and then from the bytes of the
// database's file. Errors: ErrNotScrubbed, and a *billing.Error
// subscriptions_running or money_open.
func Erase(ctx context.Context, store PrivacyStore, email string) (billing.Erasure, error) {
	done, err := store.Erase(ctx, email)
	if err != nil {
		return done, err
	}
	if err := store.Scrub(ctx); err != nil {
		return done, fmt.Errorf("%w: %w", ErrNotScrubbed, err)
	}
	return done, nil
}
