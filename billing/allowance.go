package billing

import "time"

// Allowance is how often something may happen to a subject within a time.
type Allowance struct {
	Subject string // what is counted and of whom; a person only as an HMAC
	Limit   int
	Window  time.Duration
}
