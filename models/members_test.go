package models

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

// withMember makes an account and somebody who has joined it.
func withMember(t *testing.T, s *Store) (account, person billing.AccountID, member string) {
	t.Helper()
	must(t, s.db.Create(&accountRow{ID: "cus_1", Email: "ada@contoso.example"}).Error)
	m, err := s.Invite(t.Context(), "cus_1", "Fred@contoso.example", billing.MemberFinance)
	must(t, err)
	m, err = s.AcceptInvitation(t.Context(), m.ID)
	must(t, err)
	return "cus_1", m.Person, m.ID
}

func TestAnInvitationIsAcceptedOnceHoweverManyTryAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		must(t, s.db.Create(&accountRow{ID: "cus_1", Email: "ada@contoso.example"}).Error)
		m, err := s.Invite(t.Context(), "cus_1", "fred@contoso.example", billing.MemberFinance)
		must(t, err)
		ok := 0
		for _, err := range together(6, func(int) error {
			_, err := s.AcceptInvitation(t.Context(), m.ID)
			return err
		}) {
			if err == nil {
				ok++
			} else if !errors.Is(err, billing.ErrNotFound) {
				t.Error(err)
			}
		}
		if ok != 1 {
			t.Errorf("%d have accepted", ok)
		}
	})
}

func TestWhatAMemberDoesWhileBeingRemovedLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		account, person, member := withMember(t, s)
		must(t, s.db.Create(&sessionRow{ID: "ses_1", Hash: hashKey("session"), Account: person, ExpiresAt: s.db.NowFunc().Add(sessionLife)}).Error)
		together(3, func(i int) error {
			switch i {
			case 0:
				return s.RemoveMember(t.Context(), account, member)
			case 1:
				return s.ActFor(t.Context(), "ses_1", account)
			}
			_, err := s.PutAPIKey(t.Context(), "okv_member", billing.APIKey{Account: account, Member: person, Access: billing.AccessWrite})
			return err
		})
		if in, err := s.Session(t.Context(), "session"); err == nil && in.Account.ID == account {
			t.Errorf("the session still looks at %+v", in)
		}
		if k, err := s.APIKey(t.Context(), "okv_member"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("the key still is %+v, %v", k, err)
		}
		m, err := s.Invite(t.Context(), account, "fred@contoso.example", billing.MemberFinance)
		must(t, err)
		_, err = s.AcceptInvitation(t.Context(), m.ID)
		must(t, err)
		if _, err := s.APIKey(t.Context(), "okv_member"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("a key has come back with its maker: %v", err)
		}
	})
}

func TestAnErasedMemberIsExportedBeforeAndNowhereAfter(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		account, person, _ := withMember(t, s)
		_, err := s.Invite(t.Context(), account, "gail@contoso.example", billing.MemberTechnical)
		must(t, err)
		_, err = s.BeginEmailChange(t.Context(), person, "fred@fabrikam.example", false)
		must(t, err)
		_, err = s.PutAPIKey(t.Context(), "okv_member", billing.APIKey{Account: account, Member: person, Access: billing.AccessRead})
		must(t, err)
		for email, tables := range map[string][]string{
			"fred@contoso.example": {"members", "email_changes"}, "gail@contoso.example": {"members"}, "fred@fabrikam.example": {"email_changes"}, "ada@contoso.example": {"members"},
		} {
			data, err := s.PersonalData(t.Context(), email)
			must(t, err)
			for _, table := range tables {
				if len(data.Tables[table]) == 0 {
					t.Errorf("the export of %s has nothing of %s", email, table)
				}
			}
		}
		for _, email := range []string{"fred@contoso.example", "gail@contoso.example"} {
			_, err = s.Erase(t.Context(), email)
			must(t, err)
		}
		for _, row := range []any{&[]memberRow{}, &[]emailChangeRow{}, &[]apiKeyRow{}} {
			must(t, s.db.Find(row).Error)
			if text, err := json.Marshal(row); err != nil || strings.Contains(string(text), "fred@") || strings.Contains(string(text), "gail@") || strings.Contains(string(text), string(person)) {
				t.Errorf("%s is left: %v", text, err)
			}
		}
	})
}

func TestAnAddressIsChangedOnceHoweverManyConfirmAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		must(t, s.db.Create(&accountRow{ID: "cus_1", Email: "ada@contoso.example"}).Error)
		c, err := s.BeginEmailChange(t.Context(), "cus_1", "ada@fabrikam.example", false)
		must(t, err)
		sides := []billing.AddressSide{billing.FormerAddress, billing.NewAddress}
		for _, err := range together(6, func(i int) error {
			_, err := s.ConfirmEmailChange(t.Context(), c.ID, sides[i%2])
			return err
		}) {
			if err != nil && !errors.Is(err, billing.ErrNotFound) {
				t.Error(err)
			}
		}
		a, err := s.Account(t.Context(), "cus_1")
		must(t, err)
		var told int64
		must(t, s.db.Model(&outboxRow{}).Where("kind = ?", billing.NoticeEmailChanged).Count(&told).Error)
		if a.Email != "ada@fabrikam.example" || told != 1 {
			t.Errorf("it is %s, told %d times", a.Email, told)
		}
	})
}

func TestAChangedAddressIsOverAfterADay(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		must(t, s.db.Create(&accountRow{ID: "cus_1", Email: "ada@contoso.example"}).Error)
		c, err := s.BeginEmailChange(t.Context(), "cus_1", "ada@fabrikam.example", true)
		must(t, err)
		must(t, s.db.Model(&emailChangeRow{}).Where("id = ?", c.ID).Update("expires_at", s.db.NowFunc()).Error)
		if _, err := s.ConfirmEmailChange(t.Context(), c.ID, billing.NewAddress); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("after its time: %v", err)
		}
	})
}
