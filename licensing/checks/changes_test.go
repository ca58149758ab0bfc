package checks_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/checks"
)

// shelf is a database of licences, and counts how often one is read.
type shelf struct {
	checks.Store
	mu      sync.Mutex
	away    bool
	revoked map[licensing.LicenseID]time.Time // when
	entra   bool                              // how the product is activated
	reads   int
	within  time.Duration // of the last question
}

func (s *shelf) License(_ context.Context, id licensing.LicenseID) (licensing.Issued, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.away {
		return licensing.Issued{}, errors.New("the database is away")
	}
	at := s.revoked[id]
	return licensing.Issued{ChangedAt: at, License: licensing.License{
		ID: id, Product: "p", Activation: s.activation(), State: licensing.StateActive, ValidUntil: monday.AddDate(1, 0, 0), Revoked: !at.IsZero(),
	}}, nil
}

func (s *shelf) activation() licensing.Activation {
	if s.entra {
		return licensing.ActivationEntra
	}
	return licensing.ActivationNone
}

func (s *shelf) Changes(_ context.Context, within time.Duration) (map[licensing.LicenseID]time.Time, map[string]licensing.Activation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.within = within; s.away {
		return nil, nil, errors.New("the database is away")
	}
	return s.revoked, map[string]licensing.Activation{"p": s.activation()}, nil
}

func (s *shelf) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// followed asks a shelf about licences at five-second steps.
type followed struct {
	*checks.Checks
	t     *testing.T
	shelf *shelf
	now   time.Time
}

func follow(t *testing.T) *followed {
	f := &followed{t: t, shelf: &shelf{revoked: map[licensing.LicenseID]time.Time{}}, now: monday}
	f.Checks = checks.New(f.shelf, licensing.KeyRing{}, nil, slog.New(slog.DiscardHandler), func() time.Time { return f.now })
	f.pass(5 * time.Second)
	return f
}

// pass lets time pass, and has the changes followed.
func (f *followed) pass(length time.Duration) {
	for range length / (5 * time.Second) {
		f.now = f.now.Add(5 * time.Second)
		if err := f.Follow(f.t.Context()); (err != nil) != f.shelf.away {
			f.t.Fatal(err)
		}
	}
}

func (f *followed) asked(n int) licensing.Code {
	f.t.Helper()
	id := licensing.LicenseID("lic_" + fmt.Sprintf("%026d", n))
	l, known := f.Cached(id)
	if !known {
		var err error
		if l, err = f.Read(f.t.Context(), id); err != nil {
			f.t.Fatal(err)
		}
	}
	return l.Status(f.now)
}

func TestWhatDoesNotChangeIsReadOnceHoweverManyLicencesAreAskedFor(t *testing.T) {
	f := follow(t)
	for range 12 {
		for n := range 1000 {
			if code := f.asked(n); code != licensing.Active {
				t.Fatal(code)
			}
		}
		f.pass(5 * time.Minute)
	}
	if f.shelf.reads != 1000 {
		t.Errorf("in an hour 1000 licences were read %d times", f.shelf.reads)
	}
}

func TestAChangeElsewhereIsSeenWithinThirtySecondsAndAloneReadAgain(t *testing.T) {
	f := follow(t)
	f.asked(1)
	f.asked(2)
	f.pass(time.Hour)
	f.shelf.set(func() { f.shelf.revoked["lic_00000000000000000000000001"] = f.now })
	f.pass(25 * time.Second)
	if one, two := f.asked(1), f.asked(2); one != licensing.Revoked || two != licensing.Active {
		t.Errorf("25 seconds later %s and %s", one, two)
	}
	if f.shelf.reads != 3 {
		t.Errorf("two licences, of which one was changed, were read %d times", f.shelf.reads)
	}
	f.pass(time.Minute)
	f.asked(1) // the change is still told of
	if f.shelf.reads != 3 {
		t.Error("what was read after its change is read again")
	}
	f.shelf.set(func() { f.shelf.entra = true })
	f.pass(25 * time.Second)
	if code := f.asked(2); code != licensing.NotActivated {
		t.Errorf("25 seconds after its product has changed a licence is %s", code)
	}
}

func TestWhatIsKeptAnswersWhileTheDatabaseIsAwayAndIsReadAgainThen(t *testing.T) {
	f := follow(t)
	f.asked(1)
	f.pass(time.Hour)
	f.shelf.set(func() { f.shelf.away = true })
	f.pass(time.Hour)
	if code := f.asked(1); code != licensing.Active {
		t.Errorf("while the database is away: %s", code)
	}
	f.shelf.set(func() {
		f.shelf.away, f.shelf.revoked["lic_00000000000000000000000001"] = false, f.now.Add(-50*time.Minute)
	})
	f.pass(10 * time.Second)
	if code := f.asked(1); code != licensing.Revoked {
		t.Errorf("what was changed meanwhile is %s", code)
	}
	if f.shelf.within < 2*time.Minute || f.shelf.within > 3*time.Minute {
		t.Errorf("changes of %s are asked for: a transaction may take a minute", f.shelf.within)
	}
}

func TestIdsOfLicencesAreToldFromOthers(t *testing.T) {
	f := follow(t)
	for _, id := range []string{"", "lic_", "lic_0000000000000000000000000", "lic_000000000000000000000000000", "lic_0000000000000000000000000I", "lic_0000000000000000000000000a", "sub_00000000000000000000000000", "lic_" + strings.Repeat("é", 13)} {
		if l, known := f.Cached(licensing.LicenseID(id)); !known || l.ID != "" {
			t.Errorf("%q is asked for", id)
		}
	}
}
