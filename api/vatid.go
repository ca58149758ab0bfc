package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
)

// VATRegister knows which VAT ids the member states have given out.
type VATRegister interface {
	// Lookup asks for an id as billing.NormalVATID writes it. An error: it
	// cannot be asked now.
	Lookup(ctx context.Context, id string) (billing.VATEntry, error)
}

// For how long an answer of the register is good, and how often a guest's
// network may have it asked.
const (
	entryLife, missingLife, awayLife = 6 * time.Hour, 5 * time.Minute, time.Minute
	lookupsASecond, lookupsAtOnce    = 0.1, 10
	entriesKept                      = 10_000
)

// vatEntries are the register's latest answers.
type vatEntries struct {
	mu    sync.Mutex
	by    map[string]vatAnswer
	asked *limits
}

type vatAnswer struct {
	entry *billing.VATEntry // nil: there was no answer
	at    time.Time
	until time.Time
}

func (v *vatEntries) get(id string, now time.Time) (vatAnswer, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a, ok := v.by[id]
	return a, ok && now.Before(a.until)
}

func (v *vatEntries) put(id string, a vatAnswer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.by) >= entriesKept {
		clear(v.by)
	}
	v.by[id] = a
}

// lookup asks the register, unless its answer is still known.
func (s *server) lookup(ctx context.Context, id string) (vatAnswer, error) {
	now := billing.Instant(s.Now())
	if a, known := s.vat.get(id, now); known {
		return a, nil
	}
	if from, limited := s.guest(ctx); limited {
		if wait := s.vat.asked.wait(from, now); wait > 0 {
			return vatAnswer{}, tooMany(wait)
		}
	}
	entry, err := s.VATRegister.Lookup(ctx, id)
	a := vatAnswer{&entry, now, now.Add(entryLife)}
	switch {
	case ctx.Err() != nil:
		return a, ctx.Err() // who asked has gone, which says nothing of the register
	case err != nil:
		s.Log.Warn("the register of VAT ids cannot be asked", "error", err)
		a = vatAnswer{nil, now, now.Add(awayLife)}
	case !entry.Exists:
		a.until = now.Add(missingLife)
	}
	s.vat.put(id, a)
	return a, nil
}

// VATCheck is what the member states' register said of a VAT id.
type VATCheck struct {
	Status       string     `json:"status" enum:"verified,unverified,taxed" doc:"unverified: the register could not be asked, and the form is accepted; taxed: it could not, and the tax is a consumer's."`
	Company      string     `json:"company,omitempty" doc:"The business's name, where its state discloses it."`
	Consultation string     `json:"consultation,omitempty" doc:"The number that proves the question; for operators."`
	CheckedAt    *time.Time `json:"checked_at,omitempty"`
}

func viewVATCheck(c billing.VATCheck) *VATCheck {
	if c.Status == "" {
		return nil
	}
	v := VATCheck{Status: string(c.Status), Consultation: c.Consultation, CheckedAt: instant(c.At)}
	if c.Taxed {
		v.Status = "taxed"
	}
	return &v
}

// vatID puts a body's VAT id into billing details, as it is stored, with what
// the register says of it. company is who it belongs to, where that is known.
func (s *server) vatID(ctx context.Context, b TaxBody, d *billing.BillingDetails) (company string, err error) {
	d.VATID, d.VATCheck = "", billing.VATCheck{}
	if b.VATID == nil {
		return "", nil
	}
	if d.VATID, err = billing.NormalVATID(b.Country, *b.VATID); err != nil || d.VATID == "" || s.VATRegister == nil || !billing.InEuropeanUnion(b.Country) || b.Country == s.Policy.SellerCountry { // the tax there is the same
		return "", err
	}
	a, err := s.lookup(ctx, d.VATID)
	if err != nil {
		return "", err
	}
	if a.entry != nil {
		company = a.entry.Company
	}
	d.VATCheck, err = s.Policy.Unverified.Checked(a.entry, a.at)
	return company, err
}

// ownVATID is vatID for a body that is billing details itself: its field is vat_id.
func (s *server) ownVATID(ctx context.Context, b TaxBody, d *billing.BillingDetails) error {
	_, err := s.vatID(ctx, b, d)
	var refused *billing.Error
	if errors.As(err, &refused) {
		err = refusal(refused.Code, "vat_id", refused.Detail)
	}
	return err
}
