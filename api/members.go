package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// memberStore is what the routes of members need of the database. Errors:
// billing.ErrNotFound.
type memberStore interface {
	Members(ctx context.Context, account billing.AccountID) ([]billing.Member, error)
	Invite(ctx context.Context, account billing.AccountID, email string, role billing.MemberRole) (billing.Member, error)
	AcceptInvitation(ctx context.Context, id string) (billing.Member, error)
	RemoveMember(ctx context.Context, account billing.AccountID, id string) error
	Memberships(ctx context.Context, person billing.AccountID) ([]billing.Membership, error)
	ActFor(ctx context.Context, session string, account billing.AccountID) error
}

func (s *accounts) memberRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/members", "list-members", "Who may use your account, and who is invited to", "Account", account()), s.listMembers)
	huma.Register(h, route(http.MethodPost, "/v1/members", "invite-member", "Invite somebody to your account, or change a member's role", "Account", status(http.StatusCreated), bySession(), by(billing.OperatorAdmin)), s.inviteMember)
	huma.Register(h, route(http.MethodDelete, "/v1/members/{id}", "remove-member", "Remove a member, who loses access at once, or withdraw an invitation", "Account", bySession(), by(billing.OperatorAdmin)), s.removeMember)
	huma.Register(h, route(http.MethodPost, "/v1/invitations/accept", "accept-invitation", "Accept an invitation, with the mailed link's token", "Account"), s.acceptInvitation)
	huma.Register(h, route(http.MethodPut, "/v1/me/account", "use-account", "Look at another account that you may use, in this session", "Account", bySession(billing.MemberFinance, billing.MemberTechnical)), s.useAccount)
}

// Member is somebody who may use an account, or is invited to.
type Member struct {
	ID        string             `json:"id" doc:"mem_…, or of the account's own address cus_…"`
	Email     string             `json:"email"`
	Role      billing.MemberRole `json:"role" enum:"owner,finance,technical"`
	Status    string             `json:"status" enum:"invited,joined"`
	JoinedAt  *time.Time         `json:"joined_at" doc:"Null: the invitation is not accepted yet."`
	ExpiresAt *time.Time         `json:"expires_at" doc:"Of an invitation; null: it is accepted."`
	Removable bool               `json:"removable" doc:"False for the account's own address, which is always an owner."`
}

func viewMember(m billing.Member) Member {
	v := Member{ID: m.ID, Email: m.Email, Role: m.Role, Status: "joined", JoinedAt: m.JoinedAt, Removable: m.ID != string(m.Account)}
	if m.JoinedAt == nil {
		v.Status, v.ExpiresAt = "invited", &m.ExpiresAt
	}
	return v
}

func (s *accounts) listMembers(ctx context.Context, in *AccountInput) (*struct{ Body List[Member] }, error) {
	a, err := s.accountOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	rows, err := s.Store.Members(ctx, a.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[Member]{Data: []Member{}}
	for _, m := range rows {
		out.Data = append(out.Data, viewMember(m))
	}
	return &struct{ Body List[Member] }{out}, nil
}

// inviteMember answers the same whether or not the address has an account.
func (s *accounts) inviteMember(ctx context.Context, in *struct {
	AccountInput
	Body struct {
		Email string             `json:"email" minLength:"3" maxLength:"254"`
		Role  billing.MemberRole `json:"role" enum:"owner,finance,technical"`
	}
}) (*struct{ Body Member }, error) {
	a, err := s.accountOf(ctx, in.AccountInput)
	if err != nil {
		return nil, s.answer(err)
	}
	email, err := emailAddress("email", in.Body.Email)
	if err == nil {
		err = s.mayMail(ctx, email)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	m, err := s.Store.Invite(ctx, a.ID, email, in.Body.Role)
	if err != nil {
		return nil, s.answer(err)
	}
	s.Commands.Deliver(ctx, m.ID)
	return &struct{ Body Member }{viewMember(m)}, nil
}

func (s *accounts) removeMember(ctx context.Context, in *struct {
	AccountInput
	ID string `path:"id" maxLength:"64"`
}) (*struct{}, error) {
	a, err := s.accountOf(ctx, in.AccountInput)
	if err == nil {
		err = s.Store.RemoveMember(ctx, a.ID, in.ID)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return nil, nil
}

// TokenInput is what a mailed link brings.
type TokenInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"255" doc:"What stands after the # of the mailed link." example:"lgn_Zm9y"`
	}
}

func linkExpired() error {
	return problem(http.StatusForbidden, "confirmation_expired", "this link has been used, has expired or was replaced by a later one")
}

// acceptInvitation signs nobody in: that takes a link of its own.
func (s *accounts) acceptInvitation(ctx context.Context, in *TokenInput) (*struct{ Body Member }, error) {
	id, good := s.Secret.InvitationOf(in.Body.Token)
	if !good {
		return nil, linkExpired()
	}
	m, err := s.Store.AcceptInvitation(ctx, id)
	if errors.Is(err, billing.ErrNotFound) {
		return nil, linkExpired()
	}
	if err != nil {
		return nil, s.answer(err)
	}
	s.Commands.Deliver(ctx, m.ID)
	return &struct{ Body Member }{viewMember(m)}, nil
}

func (s *accounts) useAccount(ctx context.Context, in *struct {
	Body struct {
		Account string `json:"account" minLength:"1" maxLength:"64" doc:"The id of one of your accounts." example:"cus_…"`
	}
}) (*struct{}, error) {
	c := callerOf(ctx)
	if c.session == "" {
		return nil, problem(http.StatusConflict, string(billing.CodeNotPossibleNow), "there is no session")
	}
	if err := s.Store.ActFor(ctx, c.session, billing.AccountID(in.Body.Account)); err != nil {
		return nil, s.answer(err)
	}
	return nil, nil
}
