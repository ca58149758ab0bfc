package models

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

func TestAUsedLinkEndsTheOlderOnes(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		a, b := accountRow{ID: "cus_1", Email: "ada@contoso.example"}, accountRow{ID: "cus_2", Email: "bea@contoso.example"}
		must(t, s.db.Create(&a).Error)
		must(t, s.db.Create(&b).Error)
		confirm := func(n string) error {
			_, _, _, err := s.ConfirmLogin(t.Context(), "token "+n, "session "+n)
			return err
		}
		for i, n := range []string{"1", "2", "3", "4"} {
			must(t, s.BeginLogin(t.Context(), "lgn_"+n, "token "+n, []billing.AccountID{a.ID, b.ID, a.ID, a.ID}[i]))
		}
		must(t, confirm("3"))
		if err := confirm("1"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an older link: %v", err)
		}
		must(t, confirm("2")) // another account's
		must(t, confirm("4")) // a newer one
	})
}

func TestALinkSignsInOnceWithinItsTime(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		a := accountRow{ID: "cus_1", Email: "ada@contoso.example"}
		must(t, s.db.Create(&a).Error)
		must(t, s.BeginLogin(t.Context(), "lgn_1", "token one", a.ID))
		ok := 0
		for _, err := range together(8, func(i int) error {
			_, _, _, err := s.ConfirmLogin(t.Context(), "token one", "session "+string(rune('a'+i)))
			return err
		}) {
			if err == nil {
				ok++
			} else if !errors.Is(err, billing.ErrNotFound) {
				t.Error(err)
			}
		}
		sessions, err := s.Sessions(t.Context(), a.ID)
		must(t, err)
		if ok != 1 || len(sessions) != 1 {
			t.Errorf("%d confirmed, %d sessions", ok, len(sessions))
		}
		must(t, s.BeginLogin(t.Context(), "lgn_2", "token two", a.ID))
		must(t, s.db.Model(&loginRow{}).Where("id = ?", "lgn_2").Update("expires_at", s.db.NowFunc()).Error)
		if _, _, _, err := s.ConfirmLogin(t.Context(), "token two", "late"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("at the end of its time: %v", err)
		}
		var rows []loginRow
		must(t, s.db.Order("id").Find(&rows).Error)
		if strings.Contains(rows[0].Hash, "token") || rows[0].ExpiresAt.Sub(rows[0].CreatedAt) != 15*time.Minute {
			t.Errorf("%+v", rows[0])
		}
	})
}

func TestASessionEndsWithItsTimeOrWhenItIsEnded(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		a := accountRow{ID: "cus_1", Email: "ada@contoso.example"}
		must(t, s.db.Create(&a).Error)
		for _, n := range []string{"1", "2", "3"} {
			must(t, s.BeginLogin(t.Context(), "lgn_"+n, "token "+n, a.ID))
			_, _, _, err := s.ConfirmLogin(t.Context(), "token "+n, "session "+n)
			must(t, err)
		}
		first, err := s.Session(t.Context(), "session 1")
		must(t, err)
		if first.Person != (billing.Account{ID: "cus_1", Email: "ada@contoso.example"}) {
			t.Errorf("%+v", first)
		}
		must(t, s.EndSessions(t.Context(), "cus_2", first.Session)) // somebody else's is not theirs to end
		_, err = s.Session(t.Context(), "session 1")
		must(t, err)
		must(t, s.EndSessions(t.Context(), a.ID, first.Session))
		second, err := s.Session(t.Context(), "session 2")
		must(t, err)
		must(t, s.db.Model(&sessionRow{}).Where("id = ?", second.Session).Update("expires_at", s.db.NowFunc()).Error)
		for _, ended := range []string{"session 1", "session 2", ""} {
			if _, err := s.Session(t.Context(), ended); !errors.Is(err, billing.ErrNotFound) {
				t.Errorf("%s: %v", ended, err)
			}
		}
		must(t, s.EndSessions(t.Context(), a.ID, ""))
		if _, err := s.Session(t.Context(), "session 3"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("ended everywhere: %v", err)
		}
	})
}
