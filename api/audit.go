package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

func (s *operators) auditRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/operator/audit", "list-audit", "What operators have changed, the oldest first", "Operator", operator(billing.OperatorRoles...)), s.listAudit)
	huma.Register(h, route(http.MethodGet, "/v1/operator/audit/verify", "verify-audit", "Check that no row of the audit log was changed, removed or added by hand", "Operator", operator(billing.OperatorRoles...)), s.verifyAudit)
}

// AuditRow is one change that an operator made.
type AuditRow struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor" doc:"An operator's name; operator for a key of no named operator; cli: and a user's name for the command line."`
	From    string    `json:"from" doc:"The API with the client's address, or the command line with its host."`
	Action  string    `json:"action" doc:"Such as coupon.put."`
	Subject string    `json:"subject" doc:"What was changed, by id."`
	Before  any       `json:"before" doc:"Ids and figures; null where there was nothing, or it is personal."`
	After   any       `json:"after"`
	Hash    string    `json:"hash" doc:"SHA-256 over the hash of the row before and this row, in hex."`
}

func (s *operators) listAudit(ctx context.Context, in *struct {
	After   int64  `query:"after" minimum:"0" doc:"Rows with a greater id; the next_cursor of the previous page."`
	Actor   string `query:"actor" maxLength:"128"`
	Subject string `query:"subject" maxLength:"128" doc:"An id."`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct{ Body List[AuditRow] }, error) {
	rows, err := s.Store.AuditLog(ctx, billing.AuditSelection{After: in.After, Actor: in.Actor, Subject: in.Subject}, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[AuditRow]{Data: []AuditRow{}}
	for i, r := range rows {
		if i == in.Limit {
			next := strconv.FormatInt(rows[i-1].ID, 10)
			out.NextCursor = &next
			break
		}
		v := AuditRow{ID: r.ID, At: r.At, Actor: r.Actor, From: r.From, Action: r.Action, Subject: r.Subject, Hash: r.Hash}
		for _, state := range []struct {
			text json.RawMessage
			view *any
		}{{r.Before, &v.Before}, {r.After, &v.After}} {
			if err := json.Unmarshal(state.text, state.view); err != nil {
				return nil, s.answer(err)
			}
		}
		out.Data = append(out.Data, v)
	}
	return &struct{ Body List[AuditRow] }{out}, nil
}

func (s *operators) verifyAudit(ctx context.Context, _ *struct{}) (*struct{ Body billing.AuditCheck }, error) {
	found, err := s.Store.VerifyAudit(ctx)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body billing.AuditCheck }{found}, nil
}
