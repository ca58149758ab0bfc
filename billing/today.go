package billing

// TaskKind is a kind of things that need a person.
type TaskKind string

const (
	TaskPastDue       TaskKind = "past_due"         // sub_…: payments that failed and are tried again
	TaskRejected      TaskKind = "gateway_rejected" // sub_…: of these, where the gateway rejects our calls
	TaskDispute       TaskKind = "dispute"          // sub_…: not decided yet
	TaskTransfer      TaskKind = "transfer"         // sub_…: money came by transfer that was too little or not needed, in the last 30 days
	TaskStatementLine TaskKind = "statement_line"   // stl_…: a line of a bank statement that nobody has settled
	TaskRefund        TaskKind = "pending_refund"   // sub_…: the gateway has not confirmed one
	TaskMail          TaskKind = "given_up_mail"    // ntc_…: could not be sent, and was not sent again
	TaskLate          TaskKind = "late_step"        // sub_…: what was due five minutes ago is not done
	TaskDifference    TaskKind = "difference"       // sub_…: rows and workflows disagree
	TaskExpiringKey   TaskKind = "expiring_key"     // key_…: an operator's API key that expires within 30 days
	TaskOrphanedBuild TaskKind = "orphaned_build"   // product/version: after a rotation of the signing keys it would know none
	TaskOutdatedBuild TaskKind = "outdated_build"   // product/version: it knows none that signs
)

// TaskIDs is how many ids of a kind are listed at most.
const TaskIDs = 100

// Task is a kind of things that need a person, and which they are.
type Task struct {
	Kind  TaskKind `json:"kind" enum:"past_due,gateway_rejected,dispute,transfer,statement_line,pending_refund,given_up_mail,late_step,difference,expiring_key,orphaned_build,outdated_build"`
	Count int64    `json:"count"`
	IDs   []string `json:"ids" doc:"Of what is to be looked at: sub_…, ntc_… (a mail), key_…, or product/version; 100 at most."`
}

// NewTask lists ids, of which there may be more.
func NewTask(kind TaskKind, ids []string) Task {
	return Task{kind, int64(len(ids)), append([]string{}, ids[:min(TaskIDs, len(ids))]...)}
}
