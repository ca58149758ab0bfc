package api

import (
	"context"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"github.com/okviz/licensing/billing"
)

// The rate limits. Licence checks are counted by licence and not by address,
// because a whole company's viewers may share one address.
const (
	requestsASecond, requestsAtOnce = 20, 200
	checksASecond, checksAtOnce     = 50, 500
	// Licences that are none, and are not known to be: an address may have the
	// database asked for so many.
	guessesASecond, guessesAtOnce = 1, 100
	// Activation keys that are none.
	keysASecond, keysAtOnce       = 1.0 / 60, 10
	returnsASecond, returnsAtOnce = 1, 20   // from the gateway's pages and the bank's
	limitsKept                    = 100_000 // addresses or licences, in each of two halves
)

// limits counts requests by a key. The half that was not used lately is
// forgotten when the other one is full, so that nobody fills the memory.
type limits struct {
	each  rate.Limit
	burst int

	mu        sync.Mutex
	used, old map[string]*rate.Limiter
}

func newLimits(each rate.Limit, burst int) *limits {
	return &limits{each: each, burst: burst, used: map[string]*rate.Limiter{}}
}

// wait is how long the key must wait for its next request; nothing: it may go
// on, and has been counted.
func (l *limits) wait(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return reserve(l.of(key), now)
}

// left is how long the key must wait, without counting: for what is counted
// only once it is known to have failed.
func (l *limits) left(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	missing := 1 - l.of(key).TokensAt(now)
	return time.Duration(max(0, missing/float64(l.each)) * float64(time.Second))
}

// of finds the count of a key, or begins it. The caller holds mu.
func (l *limits) of(key string) *rate.Limiter {
	r := l.used[key]
	if r == nil {
		if r = l.old[key]; r == nil {
			r = rate.NewLimiter(l.each, l.burst)
		}
		if len(l.used) >= limitsKept {
			l.old, l.used = l.used, map[string]*rate.Limiter{}
		}
		l.used[key] = r
	}
	return r
}

func reserve(r *rate.Limiter, now time.Time) time.Duration {
	next := r.ReserveN(now, 1)
	delay := next.DelayFrom(now)
	if delay > 0 {
		next.CancelAt(now)
	}
	return delay
}

// network is what an address is counted as: an IPv6 customer has a /64.
func network(address string) string { return prefixOf(address, 32, 64) }

// sourceNetwork is whose mails and declines count together, in the database: an
// attacker has a whole IPv4 /24 or IPv6 /48.
func sourceNetwork(address string) string { return prefixOf(address, 24, 48) }

// prefixOf is the network of an address, with so many bits of IPv4 or of IPv6.
func prefixOf(address string, v4, v6 int) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	bits := v4
	if a = a.Unmap().WithZone(""); a.Is6() {
		bits = v6
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return address
	}
	return p.String()
}

func tooMany(wait time.Duration) *Problem {
	return later("too_many_requests", "too many requests: try again later", wait)
}

// later is the problem of what is possible again after a time.
func later(code billing.Code, detail string, wait time.Duration) *Problem {
	p := problem(http.StatusTooManyRequests, string(code), detail)
	p.retryAfter = int(math.Ceil(wait.Seconds()))
	return p
}

// paced limits the requests of every address, except licence checks.
func (s *server) paced(g *gin.Context) {
	counted, back := s.requests, strings.HasPrefix(g.Request.URL.Path, "/return/")
	if back {
		counted = s.returns
	}
	if !s.RateLimits || !back && !isAPI(g.Request.URL.Path) || g.FullPath() == checkPath {
		return
	}
	if wait := counted.wait(network(g.ClientIP()), s.Now()); wait > 0 {
		writeProblem(g, tooMany(wait))
	}
}

// guest tells whether a caller is held to the limits of guests, and from
// which network.
func (s *server) guest(ctx context.Context) (network string, limited bool) {
	network, _ = ctx.Value(sourceKey{}).(string)
	return network, s.RateLimits && !callerOf(ctx).operator
}

// take counts an attempt, or refuses it with the code.
func (s *server) take(ctx context.Context, code billing.Code, detail string, of ...billing.Allowance) error {
	wait, err := s.Stores.Access.Take(ctx, billing.Instant(s.Now()), of...)
	if err != nil || wait == 0 {
		return err
	}
	return later(code, detail, wait)
}

// mayMail counts the mails that a guest has sent to addresses, and limits
// them by recipient and by source network.
func (s *server) mayMail(ctx context.Context, emails ...string) error {
	from, limited := s.guest(ctx)
	if !limited {
		return nil
	}
	var of []billing.Allowance
	for _, email := range emails {
		of = append(of, s.Secret.MailTo(email), s.Secret.MailsFrom(from))
	}
	return s.takeMails(ctx, of...)
}

// maySignIn counts a link to sign in. The other mails to the address do not
// count, so that nobody can use the customer's links up with quotes.
func (s *server) maySignIn(ctx context.Context, email string) error {
	from, limited := s.guest(ctx)
	if !limited {
		return nil
	}
	return s.takeMails(ctx, s.Secret.SignInLinksTo(email), s.Secret.MailsFrom(from))
}

func (s *server) takeMails(ctx context.Context, of ...billing.Allowance) error {
	return s.take(ctx, codeTooManyMails, "too many mails to this address or from your network: try again later", of...)
}

const codeTooManyMails billing.Code = "too_many_mails"

// mayDecline counts a try of a card as a decline of the source network until
// settled is told what became of it: tries that are made at once are limited too.
func (s *server) mayDecline(ctx context.Context) (settled func(*billing.Outcome), err error) {
	from, limited := s.guest(ctx)
	if !limited {
		return func(*billing.Outcome) {}, nil
	}
	now, of := billing.Instant(s.Now()), s.Secret.DeclinesFrom(from)
	if err := s.take(ctx, billing.CodeTooManyAttempts, "too many cards were declined: try again later", of); err != nil {
		return nil, err
	}
	return func(became *billing.Outcome) {
		if became == nil || became.Code == billing.CodeCardDeclined {
			return
		}
		if err := s.Stores.Access.GiveBack(context.WithoutCancel(ctx), now, of.Subject); err != nil {
			s.Log.Warn("a card's try was not given back", "error", err)
		}
	}, nil
}
