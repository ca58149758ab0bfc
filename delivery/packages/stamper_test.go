package packages_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/packages"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/pbiviz"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// shelf keeps packages as a store would, the newest version first.
type shelf struct {
	mu       sync.Mutex
	versions []billing.Version
	packages map[string][]byte
	reads    int
}

func (s *shelf) put(version string, released time.Time, pkg []byte, kids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions = slices.DeleteFunc(s.versions, func(v billing.Version) bool { return v.Version == version })
	s.versions = append(s.versions, billing.Version{Version: version, ReleasedAt: released, Build: billing.Build{Kids: kids}})
	slices.SortFunc(s.versions, func(a, b billing.Version) int { return b.Compare(a) })
	if s.packages == nil {
		s.packages = map[string][]byte{}
	}
	s.packages[version] = pkg
}

func (s *shelf) Versions(context.Context, string) ([]billing.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.versions), nil
}

func (s *shelf) Package(_ context.Context, _, version string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return s.packages[version], nil
}

func key(t *testing.T) licensing.Key {
	t.Helper()
	k, err := licensing.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func license() licensing.Issued {
	return licensing.Issued{License: licensing.License{
		ID: "lic_1", Product: "calendar-pro", PlanID: "p", Type: licensing.Users, Quantity: 1,
		State: licensing.StateActive, ValidUntil: now.Add(time.Hour), PeriodEnd: now.Add(time.Hour), Revision: 1,
	}}
}

// verified is the licence of a stamped file.
func verified(t *testing.T, file billing.Attachment, keys licensing.KeyRing) licensing.Claims {
	t.Helper()
	_, token, err := pbiviz.Token(file.Data)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := licensing.Verify(token, keys.Public(), now, "calendar-pro")
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// term is that of the rules: 400 days.
var term = billing.DefaultPolicy().File

// A licence of three years, bought now: its file ends after 400 days; the first
// one, where the vendor wants it, so many days after the 14 of the money-back.
func TestAFileEndsBeforeALicenceThatLastsForYears(t *testing.T) {
	keys := licensing.KeyRing{Current: key(t)}
	var s shelf
	s.put("1.0.0", now, activitiestest.Package(t, keys.Current.Public().String()))
	l := license()
	l.ValidUntil, l.MoneyBackUntil = now.AddDate(3, 0, 0), now.AddDate(0, 0, 14)
	for _, c := range []struct {
		name   string
		term   licensing.FileTerm
		signed time.Time
		want   time.Time
	}{
		{"400 days", term, now, now.AddDate(0, 0, 400)},
		{"90 days", licensing.FileTerm{Life: 90 * 24 * time.Hour}, now, now.AddDate(0, 0, 90)},
		{"a first file of 7 days", licensing.FileTerm{Life: term.Life, AfterMoneyBack: 7 * 24 * time.Hour}, now.AddDate(0, 0, 3), now.AddDate(0, 0, 21)},
		{"in the window's last instant", licensing.FileTerm{Life: term.Life, AfterMoneyBack: 7 * 24 * time.Hour}, now.AddDate(0, 0, 14), now.AddDate(0, 0, 21)},
		{"after the window", licensing.FileTerm{Life: term.Life, AfterMoneyBack: 7 * 24 * time.Hour}, now.AddDate(0, 0, 14).Add(time.Second), now.AddDate(0, 0, 414).Add(time.Second)},
		{"in the last year", term, now.AddDate(2, 6, 0), now.AddDate(3, 0, 0)},
	} {
		file, _, err := packages.NewStamper(&s, keys, c.term).Stamp(t.Context(), l, "", c.signed)
		if err != nil {
			t.Fatal(err)
		}
		if ends := time.Unix(verified(t, file, keys).ExpiresAt, 0).UTC(); !ends.Equal(c.want) {
			t.Errorf("%s: the file ends %v, want %v", c.name, ends, c.want)
		}
	}
}

func TestNewestVersionIsStampedUnlessOneIsNamed(t *testing.T) {
	keys := licensing.KeyRing{Current: key(t)}
	var s shelf
	for _, v := range []string{"2.9.0", "2.10.0", "1.0.0"} {
		s.put(v, now, activitiestest.Package(t, keys.Current.Public().String()))
	}
	stamper := packages.NewStamper(&s, keys, term)
	for ask, want := range map[string]string{"": "2.10.0", "2.9.0": "2.9.0", "7.0.0": ""} {
		file, version, err := stamper.Stamp(t.Context(), license(), ask, now)
		if err != nil || version != want {
			t.Errorf("asked for %q: %q, %v, want %q", ask, version, err, want)
		}
		if want == "" {
			if file.Data != nil {
				t.Errorf("asked for %q: there is a file", ask)
			}
			continue
		}
		if file.Name != "calendar-pro-"+want+".pbiviz" || file.ContentType != "application/octet-stream" {
			t.Errorf("the file is %s (%s)", file.Name, file.ContentType)
		}
		if c := verified(t, file, keys); c.Subject != "lic_1" || c.Kind != licensing.KindEmbedded || c.ExpiresAt != now.Add(time.Hour).Unix() {
			t.Errorf("its licence says %+v", c)
		}
	}
}

// A build of a visual carries two keys. What it knows of ours signs for it,
// the current one first; where it knows none, no file is made that could
// never work.
func TestFileIsSignedWithAKeyThatItsCodeKnows(t *testing.T) {
	former, current, next, lost := key(t), key(t), key(t), key(t)
	keys := licensing.KeyRing{Current: current, Next: next, Former: []licensing.FormerKey{{PublicKey: former.Public(), Until: now.Add(time.Hour)}}}
	for _, c := range []struct {
		name  string
		knows []licensing.Key
		kids  []string // recorded at the upload: of what is published
		want  string
		code  string // of the error
	}{
		{"both", []licensing.Key{next, current}, []string{current.ID(), next.ID()}, current.ID(), ""},
		{"the current one", []licensing.Key{current, lost}, []string{current.ID()}, current.ID(), ""},
		{"the next one", []licensing.Key{next, lost}, []string{next.ID()}, next.ID(), ""},
		{"the next and a former one", []licensing.Key{former, next}, []string{next.ID(), former.ID()}, next.ID(), ""},
		{"a former one", []licensing.Key{former}, []string{former.ID()}, "", licensing.UnknownKey},
		{"a key that is not ours", []licensing.Key{lost}, []string{lost.ID()}, "", licensing.UnknownKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			var literals []string
			for _, k := range c.knows {
				literals = append(literals, k.Public().String())
			}
			var s shelf
			s.put("1.0.0", now, activitiestest.Package(t, literals...), c.kids...)
			stamper := packages.NewStamper(&s, keys, term)
			build, check := stamper.Inspect(activitiestest.Package(t, literals...))
			file, _, err := stamper.Stamp(t.Context(), license(), "", now)
			if c.code != "" {
				var e *licensing.Error
				if !errors.As(err, &e) || e.Code != c.code {
					t.Errorf("got %v, want %s", err, c.code)
				}
				var b *billing.Error
				if !errors.As(check, &b) || b.Code != billing.CodePackageWithoutKey {
					t.Errorf("the upload got %v, want package_without_key", check)
				}
				return
			}
			if err != nil || check != nil {
				t.Fatal(err, check)
			}
			if diff := cmp.Diff(billing.Build{GUID: "shopVisual0123456789ABCDEF", Kids: c.kids}, build); diff != "" {
				t.Errorf("what is recorded of it (-want +got):\n%s", diff)
			}
			one := licensing.KeyRing{Current: current}
			if c.want == next.ID() {
				one.Current = next
			}
			verified(t, file, one)
		})
	}
}

func TestLicenceThatIsNoLongerValidIsNotStamped(t *testing.T) {
	keys := licensing.KeyRing{Current: key(t)}
	var s shelf
	s.put("1.0.0", now, activitiestest.Package(t, keys.Current.Public().String()))
	l := license()
	l.ValidUntil = now
	_, _, err := packages.NewStamper(&s, keys, term).Stamp(t.Context(), l, "", now)
	var e *licensing.Error
	if !errors.As(err, &e) || e.Code != licensing.InvalidClaims {
		t.Errorf("got %v, want invalid_claims", err)
	}
}

func TestReplacedPackageIsReadAgainAndOthersOnlyOnce(t *testing.T) {
	keys := licensing.KeyRing{Current: key(t)}
	var s shelf
	s.put("1.0.0", now, activitiestest.Package(t, keys.Current.Public().String()))
	stamper := packages.NewStamper(&s, keys, term)
	stamp := func() []byte {
		file, _, err := stamper.Stamp(t.Context(), license(), "", now)
		if err != nil {
			t.Fatal(err)
		}
		return file.Data
	}
	first := stamp()
	if again := stamp(); !bytes.Equal(first, again) || s.reads != 1 {
		t.Errorf("read %d times for two files that are the same: %t", s.reads, bytes.Equal(first, again))
	}
	s.put("1.0.0", now.Add(time.Second), activitiestest.Package(t, keys.Current.Public().String(), "another build"))
	if bytes.Equal(first, stamp()) || s.reads != 2 {
		t.Error("the replaced package was not read")
	}
}

func TestStamperMayBeUsedByManyAtOnce(t *testing.T) {
	keys := licensing.KeyRing{Current: key(t)}
	var s shelf
	for _, v := range []string{"1.0.0", "2.0.0", "3.0.0"} {
		s.put(v, now, activitiestest.Package(t, keys.Current.Public().String()))
	}
	stamper := packages.NewStamper(&s, keys, term)
	var wg sync.WaitGroup
	for _, v := range []string{"1.0.0", "2.0.0", "3.0.0", "", "1.0.0", "2.0.0", "3.0.0", ""} {
		wg.Go(func() {
			if _, _, err := stamper.Stamp(t.Context(), license(), v, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestUploadThatIsNoPackageIsRefused(t *testing.T) {
	_, err := packages.NewStamper(&shelf{}, licensing.KeyRing{Current: key(t)}, term).Inspect([]byte("not a zip"))
	var e *pbiviz.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v, want a *pbiviz.Error", err)
	}
}
