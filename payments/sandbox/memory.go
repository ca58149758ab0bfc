package sandbox

import (
	"context"
	"github.com/okviz/licensing/billing"
	"maps"
	"slices"
	"sync"
)

// memory is a Ledger that lasts as long as the process.
type memory struct {
	mu        sync.Mutex
	customers map[billing.AccountID]Customer // by account
	methods   map[string]Method              // by id, as all below
	forms     map[string]Form
	payments  map[billing.ChargeID]Payment
	invoices  map[billing.InvoiceID]billing.ChargeID // invoice → payment
}

// NewMemory returns an empty Ledger for tests.
func NewMemory() Ledger {
	return &memory{
		customers: map[billing.AccountID]Customer{},
		methods:   map[string]Method{},
		forms:     map[string]Form{},
		payments:  map[billing.ChargeID]Payment{},
		invoices:  map[billing.InvoiceID]billing.ChargeID{},
	}
}

func (l *memory) Customer(_ context.Context, c Customer) (Customer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if kept, ok := l.customers[c.Account]; ok {
		return kept, nil
	}
	l.customers[c.Account] = c
	return c, nil
}

func (l *memory) AddMethod(_ context.Context, m Method) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.customers {
		if c.ID == m.Customer {
			l.methods[m.ID] = m
			return nil
		}
	}
	return ErrNotFound
}

func (l *memory) UpdateMethod(_ context.Context, id string, f func(*Method) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return change(l.methods, id, f)
}

func (l *memory) OpenForm(_ context.Context, f Form) (Form, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, kept := range l.forms {
		if kept.Key == f.Key {
			return kept, nil
		}
	}
	l.forms[f.ID] = f
	return f, nil
}

func (l *memory) Form(_ context.Context, id string) (Form, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok := l.forms[id]
	if !ok {
		return Form{}, ErrNotFound
	}
	return f, nil
}

func (l *memory) UpdateForm(_ context.Context, id string, f func(*Form) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return change(l.forms, id, f)
}

// change keeps what f makes of an entry, unless f fails.
func change[ID ~string, T any](kept map[ID]T, id ID, f func(*T) error) error {
	entry, ok := kept[id]
	if !ok {
		return ErrNotFound
	}
	if err := f(&entry); err != nil {
		return err
	}
	kept[id] = entry
	return nil
}

func (l *memory) Open(_ context.Context, p Payment) (Payment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id, ok := l.invoices[p.Invoice]; ok {
		return l.payments[id].clone(), nil
	}
	l.invoices[p.Invoice] = p.ID
	l.payments[p.ID] = p.clone()
	return p, nil
}

func (l *memory) Payment(_ context.Context, id billing.ChargeID) (Payment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.payments[id]
	if !ok {
		return Payment{}, ErrNotFound
	}
	return p.clone(), nil
}

func (l *memory) Update(_ context.Context, payment billing.ChargeID, method string, f func(*Payment, *Method) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.payments[payment]
	if !ok {
		return ErrNotFound
	}
	p = p.clone()
	var m *Method
	if method != "" {
		kept, ok := l.methods[method]
		if !ok {
			return ErrNotFound
		}
		m = &kept
	}
	if err := f(&p, m); err != nil {
		return err
	}
	l.payments[payment] = p
	if m != nil {
		l.methods[method] = *m
	}
	return nil
}

func (l *memory) Payments(_ context.Context, subscription billing.SubscriptionID) ([]Payment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Payment
	for _, p := range l.payments {
		if subscription == "" || p.Subscription == subscription {
			found = append(found, p.clone())
		}
	}
	return found, nil
}

func (l *memory) Untold(_ context.Context, limit int) ([]Payment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Payment
	for _, id := range slices.Sorted(maps.Keys(l.payments)) {
		if p := l.payments[id]; p.Untold() && len(found) < limit {
			found = append(found, p.clone())
		}
	}
	return found, nil
}

func (l *memory) UntoldForms(_ context.Context, limit int) ([]Form, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Form
	for _, id := range slices.Sorted(maps.Keys(l.forms)) {
		if f := l.forms[id]; f.Untold() && len(found) < limit {
			found = append(found, f)
		}
	}
	return found, nil
}

func (p Payment) clone() Payment {
	p.Attempts, p.Refunds, p.Events = slices.Clone(p.Attempts), slices.Clone(p.Refunds), slices.Clone(p.Events)
	return p
}
