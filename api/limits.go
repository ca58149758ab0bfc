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

	mailsAnHour = 5 // to an address that did not ask: trials, quotes, links to sign in with
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
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap(); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

func tooMany(wait time.Duration) *Problem {
	p := problem(http.StatusTooManyRequests, "too_many_requests", "too many requests: try again later")
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

// mayMail limits the mails that guests can have sent to an address.
func (s *server) mayMail(ctx context.Context, email string) error {
	if !s.RateLimits {
		return nil
	}
	n, err := s.Stores.Access.Unsolicited(ctx, email, billing.Instant(s.Now()).Add(-time.Hour))
	if err != nil {
		return err
	}
	if n >= mailsAnHour {
		p := problem(http.StatusTooManyRequests, "too_many_mails", "too many mails to this address: try again later")
		p.retryAfter = 3600
		return p
	}
	return nil
}
