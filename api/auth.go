package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// caller is who makes a request.
type caller struct {
	key      string // key_…; empty: nobody has signed in
	operator bool
	order    string // sub_…: the holder of that order's checkout token
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// actor names the caller in the audit history.
func (c caller) actor() string {
	if c.operator {
		return "operator"
	}
	return "customer"
}

// authenticate finds out who calls, and whether they may, before the request
// is looked at any further. A credential that is not good is 401 on every
// route.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	header := ctx.Header("Authorization")
	var c caller
	var err error
	if header != "" {
		c, err = s.recognise(ctx.Context(), header)
	}
	if err == nil {
		err = c.mayUse(ctx.Operation().Security)
	}
	if err != nil {
		writeProblem(unwrap(ctx), s.answer(err))
		return
	}
	next(huma.WithValue(ctx, callerKey{}, c))
}

// mayUse holds a caller to a route's security: none at all is for everybody,
// checkout for the holder of an order's token as well (see needOrder), and all
// else for operators.
func (c caller) mayUse(security []map[string][]string) error {
	checkout := slices.ContainsFunc(security, func(s map[string][]string) bool { _, ok := s["checkout"]; return ok })
	switch {
	case len(security) == 0 || c.operator || checkout && c.order != "":
		return nil
	case c == caller{}:
		return problem(http.StatusUnauthorized, "unauthorized", "this needs a credential")
	}
	return problem(http.StatusForbidden, "forbidden", "this credential is not for this")
}

func (s *server) recognise(ctx context.Context, header string) (caller, error) {
	bad := problem(http.StatusUnauthorized, "unauthorized", "this credential is not known")
	scheme, credential, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return caller{}, bad
	}
	if strings.HasPrefix(credential, "cot_") {
		if order, ok := s.orderOf(credential); ok {
			return caller{order: order}, nil
		}
		return caller{}, bad
	}
	id, scope, _, err := s.Store.APIKey(ctx, credential)
	if errors.Is(err, billing.ErrNotFound) {
		return caller{}, bad
	}
	return caller{key: id, operator: scope == "operator"}, err
}

// needOrder holds a checkout token to its order. Another one is 404: whether
// it exists is nobody's business.
func needOrder(ctx context.Context, id string) error {
	if c := callerOf(ctx); c.order != "" && c.order != id {
		return billing.ErrNotFound
	}
	return nil
}

// checkoutTokenLife is how long an order's token is good.
const checkoutTokenLife = 24 * time.Hour

// checkoutToken is a credential for one order: its id and an expiry under an
// HMAC. Nothing is stored: an order that was placed at one instant has one
// token, however often its answer is given.
func (s *server) checkoutToken(subscription string, placed time.Time) string {
	expires := binary.BigEndian.AppendUint64(nil, uint64(placed.Add(checkoutTokenLife).Unix()))
	body := append(expires, subscription...)
	return "cot_" + base64.RawURLEncoding.EncodeToString(append(s.sign("checkout", body), body...))
}

// orderOf is the order that a checkout token is for.
func (s *server) orderOf(token string) (subscription string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(token, "cot_"))
	if err != nil || len(raw) < sha256.Size+8 {
		return "", false
	}
	mac, body := raw[:sha256.Size], raw[sha256.Size:]
	expires := time.Unix(int64(binary.BigEndian.Uint64(body)), 0)
	if !hmac.Equal(mac, s.sign("checkout", body)) || !s.Now().Before(expires) {
		return "", false
	}
	return string(body[8:]), true
}

// sign makes the HMAC of something for one purpose.
func (s *server) sign(purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, s.Secret)
	h.Write([]byte(purpose + "\x00"))
	h.Write(body)
	return h.Sum(nil)
}
