package billing

import "time"

// Account is an e-mail address with all that belongs to it, made by its first
// order (rules.md, Who takes part).
type Account struct {
	ID    string // cus_…
	Email string
}

// Session is a browser that has signed in to an account.
type Session struct {
	ID        string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// APIKey is a program's credential. The key itself is shown once and kept as a
// hash.
type APIKey struct {
	ID        string
	Scope     string // "operator" or "account"
	CreatedAt time.Time
}
