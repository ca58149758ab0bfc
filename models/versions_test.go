package models

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

func TestVersionsAreListedByTheirNumbers(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		for _, v := range []string{"2.9.0", "2.10.0", "1.0.0", "2.10.0.1", "10.0.0"} {
			must(t, s.PutVersion(t.Context(), "calendar-pro", billing.Version{Version: v, Changelog: "What is new in " + v + " 🎉"}, []byte(v)))
		}
		must(t, s.PutVersion(t.Context(), "smart-filter-pro", billing.Version{Version: "99.0.0"}, []byte("other")))
		versions, err := s.Versions(t.Context(), "calendar-pro")
		must(t, err)
		var got []string
		for _, v := range versions {
			got = append(got, v.Version)
			if v.Changelog != "What is new in "+v.Version+" 🎉" || v.ReleasedAt.IsZero() {
				t.Errorf("version %+v", v)
			}
		}
		if diff := cmp.Diff([]string{"10.0.0", "2.10.0.1", "2.10.0", "2.9.0", "1.0.0"}, got); diff != "" {
			t.Error(diff)
		}
		if err := s.PutVersion(t.Context(), "no-such-product", billing.Version{Version: "1.0.0"}, []byte("x")); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown product: %v", err)
		}
		if _, err := s.Package(t.Context(), "calendar-pro", "3.0.0"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown version: %v", err)
		}
	})
}

func TestAPackageComesBackByteForByte(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		small := make([]byte, 256)
		for i := range small {
			small[i] = byte(i)
		}
		large := bytes.Repeat(small, 16<<12-1) // almost the 16 MiB that may be uploaded
		for _, pkg := range [][]byte{small, large, small} {
			must(t, s.PutVersion(t.Context(), "calendar-pro", billing.Version{Version: "2.4.2"}, pkg))
			got, err := s.Package(t.Context(), "calendar-pro", "2.4.2")
			must(t, err)
			if sha256.Sum256(got) != sha256.Sum256(pkg) {
				t.Errorf("%d bytes came back for %d", len(got), len(pkg))
			}
		}
		versions, err := s.Versions(t.Context(), "calendar-pro")
		must(t, err)
		if len(versions) != 1 {
			t.Errorf("a version that was replaced is there %d times", len(versions))
		}
	})
}

// offered are the versions that a product offers, the newest first.
func (s shop) offered(product string) []string {
	s.Helper()
	versions, err := s.Versions(s.Context(), product)
	must(s, err)
	list := []string{}
	for _, v := range versions {
		list = append(list, v.Version)
	}
	return list
}

func TestAWithdrawnVersionIsOfferedNoLongerAndIsNotForgotten(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		put := func(v, changelog string) {
			t.Helper()
			must(t, s.PutVersion(t.Context(), "calendar-pro", billing.Version{Version: v, Changelog: changelog,
				Build: billing.Build{GUID: "calendar", Kids: []string{"one", "two"}}}, []byte(v+changelog)))
		}
		put("2.4.2", "")
		put("2.5.0", "broken")
		must(t, s.WithdrawVersion(t.Context(), "calendar-pro", "2.5.0"))
		if diff := cmp.Diff([]string{"2.4.2"}, s.offered("calendar-pro")); diff != "" {
			t.Errorf("offered (-want +got):\n%s", diff)
		}
		all, err := s.AllVersions(t.Context(), "calendar-pro")
		must(t, err)
		if len(all) != 2 || !all[0].Withdrawn() || all[1].Withdrawn() {
			t.Fatalf("all versions: %+v", all)
		}
		if diff := cmp.Diff(billing.Build{GUID: "calendar", Kids: []string{"one", "two"}}, all[0].Build); diff != "" {
			t.Errorf("what is known of a withdrawn version (-want +got):\n%s", diff)
		}
		must(t, s.db.Model(&versionRow{}).Where("version = ?", "2.5.0").Update("withdrawn_at", opening).Error)
		must(t, s.WithdrawVersion(t.Context(), "calendar-pro", "2.5.0")) // may be said again
		if all, _ = s.AllVersions(t.Context(), "calendar-pro"); !all[0].WithdrawnAt.Equal(opening) {
			t.Error("it is withdrawn anew")
		}
		for product, version := range map[string]string{"calendar-pro": "9.9.9", "no-such-product": "2.4.2"} {
			if err := s.WithdrawVersion(t.Context(), product, version); !errors.Is(err, billing.ErrNotFound) {
				t.Errorf("%s %s: %v", product, version, err)
			}
		}
		put("2.5.0", "repaired")
		if diff := cmp.Diff([]string{"2.5.0", "2.4.2"}, s.offered("calendar-pro")); diff != "" {
			t.Errorf("offered again (-want +got):\n%s", diff)
		}
	})
}

// A press knows a package that takes another's place by its release.
func TestAReplacedPackageIsReleasedLater(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		var last time.Time
		for range 3 { // within a second
			must(t, s.PutVersion(t.Context(), "calendar-pro", billing.Version{Version: "2.4.2"}, []byte("x")))
			versions, err := s.Versions(t.Context(), "calendar-pro")
			must(t, err)
			if !versions[0].ReleasedAt.After(last) {
				t.Errorf("released at %s, after %s", versions[0].ReleasedAt, last)
			}
			last = versions[0].ReleasedAt
		}
	})
}

func TestAVersionOfAnotherVisualIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		put := func(product, version, guid, want string) {
			t.Helper()
			err := s.PutVersion(t.Context(), product, billing.Version{Version: version, Build: billing.Build{GUID: guid}}, []byte("x"))
			var refused *billing.Error
			if got := errors.As(err, &refused); got && string(refused.Code) != want || !got && (err != nil || want != "") {
				t.Errorf("%s %s of %s: %v, want %q", product, version, guid, err, want)
			}
		}
		put("calendar-pro", "1.0.0", "calendar", "")
		put("calendar-pro", "1.1.0", "calendar", "")
		put("calendar-pro", "1.2.0", "filter", "package_wrong_guid")
		put("smart-filter-pro", "1.0.0", "calendar", "package_wrong_guid")
		put("smart-filter-pro", "1.0.0", "calender", "") // a mistake, put right by the next line
		put("smart-filter-pro", "1.0.0", "filter", "")
		// Another visual may begin where nothing of the old one is offered.
		must(t, s.WithdrawVersion(t.Context(), "calendar-pro", "1.0.0"))
		must(t, s.WithdrawVersion(t.Context(), "calendar-pro", "1.1.0"))
		put("calendar-pro", "2.0.0", "calendar2", "")
		if diff := cmp.Diff([]string{"2.0.0"}, s.offered("calendar-pro")); diff != "" {
			t.Errorf("offered (-want +got):\n%s", diff)
		}
	})
}

func TestTheFirstVersionIsToldToEveryLicenseeWhoWaitsForIt(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		trial := newOrder("trial@contoso.example")
		trial.detail.Pay = billing.PayTrial
		bought, ended := newOrder("ada@contoso.example"), newOrder("ended@contoso.example")
		unpaid, held := newOrder("unpaid@contoso.example"), newOrder("held@contoso.example")
		s.buy(trial)
		s.buy(bought)
		s.buy(ended)
		s.command(ended.sub.ID, billing.Command{Action: billing.ActionCancelNow, Refund: billing.RefundNone}, opening)
		s.place(unpaid)
		s.buy(held)
		must(t, s.db.Model(&licenseRow{}).Where("id = ?", held.detail.License).Update("suspended", true).Error)
		ready := func() map[string]billing.Notice {
			t.Helper()
			var rows []outboxRow
			must(t, s.db.Where("kind = ?", billing.NoticeVersionReady).Find(&rows).Error)
			list := map[string]billing.Notice{}
			for _, r := range rows {
				list[r.Subscription] = r.Notice
			}
			if len(list) != len(rows) {
				t.Errorf("%d letters for %d subscriptions", len(rows), len(list))
			}
			return list
		}
		must(t, s.PutVersion(t.Context(), "smart-filter-pro", billing.Version{Version: "1.0.0"}, []byte("x")))
		if got := ready(); len(got) != 0 {
			t.Errorf("another product's: %v", got)
		}
		must(t, s.PutVersion(t.Context(), "calendar-pro", billing.Version{Version: "1.0.0"}, []byte("x")))
		n := billing.Notice{Kind: billing.NoticeVersionReady, To: billing.RoleLicensee, WithFile: true, Plan: bought.sub.Plan}
		want := map[string]billing.Notice{string(bought.sub.ID): n, string(trial.sub.ID): n}
		if diff := cmp.Diff(want, ready()); diff != "" {
			t.Errorf("letters (-want +got):\n%s", diff)
		}
		// Once: neither the next version, nor the first one after all were withdrawn.
		must(t, s.PutVersion(t.Context(), "calendar-pro", billing.Version{Version: "1.1.0"}, []byte("x")))
		must(t, s.WithdrawVersion(t.Context(), "calendar-pro", "1.0.0"))
		must(t, s.WithdrawVersion(t.Context(), "calendar-pro", "1.1.0"))
		must(t, s.PutVersion(t.Context(), "calendar-pro", billing.Version{Version: "1.2.0"}, []byte("x")))
		if diff := cmp.Diff(want, ready()); diff != "" {
			t.Errorf("letters later (-want +got):\n%s", diff)
		}
	})
}
