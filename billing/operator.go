package billing

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"time"
)

// OperatorRole is what an operator's API key may be used for.
type OperatorRole string

// The roles. docs/operators.md says what each may do.
const (
	OperatorRead    OperatorRole = "read"
	OperatorSupport OperatorRole = "support"
	OperatorFinance OperatorRole = "finance"
	OperatorAdmin   OperatorRole = "admin"
)

// OperatorRoles are all roles.
var OperatorRoles = []OperatorRole{OperatorRead, OperatorSupport, OperatorFinance, OperatorAdmin}

// Valid tells whether there is such a role.
func (r OperatorRole) Valid() bool { return slices.Contains(OperatorRoles, r) }

// Operator is a person or a program that works for the vendor.
type Operator struct {
	ID          string // opr_…
	Name        string // unique
	CreatedAt   time.Time
	SuspendedAt *time.Time // nil: not suspended
}

// OperatorSession is a console that an operator has signed in to.
type OperatorSession struct {
	ID        string // ops_…
	Operator  string // a name; empty: of a key that belongs to no named operator
	Role      OperatorRole
	Key       string // the API key that it was begun with, and ends with; empty: the identity provider
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Who did something, where it was not a named operator.
const (
	ActorCustomer = "customer"
	ActorEngine   = "engine"
	ActorOperator = "operator" // a key that belongs to no named operator
)

var operatorName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)

// ValidOperatorName tells whether an operator may have this name: 1 to 64
// letters, digits and . _ @ + -, and not the name of another kind of actor.
func ValidOperatorName(name string) bool {
	return operatorName.MatchString(name) && !slices.Contains([]string{ActorCustomer, ActorEngine, ActorOperator}, name)
}

// KindOfActor is ActorCustomer, ActorEngine or ActorOperator: what is shown
// to those who need not know an operator's name.
func KindOfActor(actor string) string {
	if actor == ActorCustomer || actor == ActorEngine {
		return actor
	}
	return ActorOperator
}

// Actor is an operator who changes something, and from where. The zero Actor
// is nobody: a customer or the engine.
type Actor struct {
	Name string
	From string // such as "api 192.0.2.7" or "command line on host"
}

type actorKey struct{}

// As marks what is done under a context as an operator's.
func As(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// ActorOf is the operator who acts under a context.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

// ActorName names who does what only operators and customers do: the context's
// operator, or else a customer.
func ActorName(ctx context.Context) string { return cmp.Or(ActorOf(ctx).Name, ActorCustomer) }
