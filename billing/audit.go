package billing

import (
	"encoding/json"
	"time"
)

// AuditRow is one change that an operator made. Personal data stand in it by
// reference only.
type AuditRow struct {
	ID      int64           `json:"id"` // from 1, without gaps
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"`   // an operator's name, ActorOperator, or cli: and a user's name
	From    string          `json:"from"`    // where it was done
	Action  string          `json:"action"`  // such as coupon.put
	Subject string          `json:"subject"` // an id
	Before  json.RawMessage `json:"before"`  // null where there was nothing
	After   json.RawMessage `json:"after"`   // null where nothing is left, or it is personal
	Hash    string          `json:"hash"`    // SHA-256 over the hash of the row before and this row, in hex
}

// AuditSelection narrows a list of the audit log down. Empty: all.
type AuditSelection struct {
	After   int64 // rows with a greater id
	Actor   string
	Subject string
}

// AuditCheck is what a look at the whole audit log has found.
type AuditCheck struct {
	Rows   int64  `json:"rows"`
	Head   string `json:"head" doc:"The last row's hash. Kept elsewhere, it proves later that no row before it has changed."`
	Broken int64  `json:"broken_at" doc:"The id of the first row that was changed, removed or added by hand; 0: none."`
}

// OK tells whether the log is as it was written.
func (c AuditCheck) OK() bool { return c.Broken == 0 }
