package billing

import (
	"encoding/json"
	"time"
)

// AuditRow is one change that an operator made. Personal data stand in it by
// reference only.
type AuditRow struct {
	ID      int64           `json:"id" doc:"From 1, without gaps."`
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor" doc:"An operator's name; operator for a key of no named operator; cli: and a user's name for the command line."`
	From    string          `json:"from" doc:"The API or the console with the client's address, or the command line with its host."`
	Action  string          `json:"action" doc:"Such as coupon.put."`
	Subject string          `json:"subject" doc:"What was changed, by id."`
	Before  json.RawMessage `json:"before" doc:"Ids and figures; null where there was nothing, or it is personal."`
	After   json.RawMessage `json:"after" doc:"Null where nothing is left, or it is personal."`
	Hash    string          `json:"hash" doc:"SHA-256 over the hash of the row before and this row, in hex."`
}

// AuditNumbers is the subject of the rows that tell of skipped numbers.
const AuditNumbers = "numbers"

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
