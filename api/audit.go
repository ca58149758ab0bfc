package api

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

func (s *operators) auditRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/operator/audit", "list-audit", "What operators have changed, the oldest first", "Operator", operator(billing.OperatorRoles...)), s.listAudit)
	huma.Register(h, route(http.MethodGet, "/v1/operator/audit/verify", "verify-audit", "Check that no row of the audit log was changed, removed or added by hand", "Operator", operator(billing.OperatorRoles...)), s.verifyAudit)
}

func (s *operators) listAudit(ctx context.Context, in *struct {
	After   string `query:"after" maxLength:"19" doc:"Rows with a greater id; the next_cursor of the previous page."`
	Actor   string `query:"actor" maxLength:"128"`
	Subject string `query:"subject" maxLength:"128" doc:"An id."`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct{ Body List[billing.AuditRow] }, error) {
	after, err := strconv.ParseInt(cmp.Or(in.After, "0"), 10, 64)
	if err != nil || after < 0 {
		return nil, invalid("after", "is not the id of a row")
	}
	rows, err := s.Store.AuditLog(ctx, billing.AuditSelection{After: after, Actor: in.Actor, Subject: in.Subject}, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	list := listed(rows, in.Limit, func(r billing.AuditRow) string { return strconv.FormatInt(r.ID, 10) }, func(r billing.AuditRow) billing.AuditRow { return r })
	return &struct{ Body List[billing.AuditRow] }{list}, nil
}

func (s *operators) verifyAudit(ctx context.Context, _ *struct{}) (*struct{ Body billing.AuditCheck }, error) {
	found, err := s.Store.VerifyAudit(ctx)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body billing.AuditCheck }{found}, nil
}
