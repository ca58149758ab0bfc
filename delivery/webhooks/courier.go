// Package webhooks sends events to the endpoints that accounts and the vendor have
// named, by Standard Webhooks 1.0: at least once, and each subscription's in order.
package webhooks

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"github.com/okviz/licensing/billing"
)

// Store is what the courier needs of the database. Errors: billing.ErrNotFound.
type Store interface {
	Lease(ctx context.Context, name, holder string, life time.Duration) (held bool, err error)
	FanOutWebhooks(ctx context.Context) error
	DueWebhookEndpoints(ctx context.Context) (ids []string, err error)
	DueWebhooks(ctx context.Context, endpoint string, limit int) (e billing.WebhookEndpoint, due []billing.WebhookDelivery, err error)
	FeedEvent(ctx context.Context, id string) (billing.FeedEvent, error)
	WebhookTried(ctx context.Context, d billing.WebhookDelivery) error
	ResealWebhook(ctx context.Context, was billing.WebhookEndpoint, secret, former string) error
}

const (
	every     = time.Second // it is swept
	leaseLife = 30 * time.Second
	// endpoints are sent to at once, and to each of them this many of its
	// subscriptions' events.
	endpoints = 32
	abreast   = 4
	// patience is how long a try may take.
	patience = 15 * time.Second
	// heard is how many bytes of an answer are kept, and headers how many are read of
	// its headers.
	heard   = 1 << 10
	headers = 16 << 10
)

// Courier sends webhooks.
type Courier struct {
	store   Store
	payload func(billing.FeedEvent) ([]byte, error)
	secret  billing.Secret
	public  *http.Client // https, to public addresses
	own     *http.Client // of the operator's endpoints: https, to public addresses and the networks
	plain   *http.Client // likewise: http, to the networks alone
	log     *slog.Logger
	now     func() time.Time

	mutex sync.Mutex
	busy  map[string]bool // the endpoints that are being sent to
}

// New makes a courier. payload makes the body of an event's webhook. networks are
// sent to though they are not public, also without https.
func New(store Store, payload func(billing.FeedEvent) ([]byte, error), secret billing.Secret, networks []netip.Prefix, log *slog.Logger, now func() time.Time) *Courier {
	return &Courier{
		store: store, payload: payload, secret: secret, public: client(&net.Dialer{Control: guard(nil)}), own: client(&net.Dialer{Control: guard(networks)}), plain: client(&net.Dialer{Control: within(networks)}), log: log, now: now, busy: map[string]bool{},
	}
}

// control is asked about each address before it is dialled, once its name has been
// resolved: a name that resolves to something else the next time gains nothing.
type control func(network, address string, c syscall.RawConn) error

// guard refuses what is not a public address, but for the networks.
func guard(networks []netip.Prefix) control {
	var v4, v6 []netip.Prefix
	for _, n := range networks {
		if n.Addr().Is4() {
			v4 = append(v4, n)
		} else {
			v6 = append(v6, n)
		}
	}
	return ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...)).Safe
}

// within refuses what is not in the networks.
func within(networks []netip.Prefix) control {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		for _, n := range networks {
			if n.Contains(at.Addr().Unmap()) {
				return nil
			}
		}
		return ssrf.ErrProhibitedIP
	}
}

func client(dialer *net.Dialer) *http.Client {
	return &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{ // without a proxy: that would dial in our place
			DialContext: dialer.DialContext, TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience,
			MaxResponseHeaderBytes: headers, MaxIdleConnsPerHost: abreast, IdleConnTimeout: time.Minute, DisableCompression: true, ForceAttemptHTTP2: true,
		},
	}
}

// Run has one process at a time send what is due, until the context ends. Where that
// one goes away, another takes over.
func (c *Courier) Run(ctx context.Context) {
	me := rand.Text()
	var held bool
	var leased time.Time
	var sending sync.WaitGroup
	defer sending.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if c.now().Sub(leased) > leaseLife/3 {
			asked := c.now()
			if held, err = c.store.Lease(ctx, "webhooks", me, leaseLife); err == nil {
				leased = asked
			}
		}
		if err == nil && held {
			err = c.sweep(ctx, &sending)
		}
		if err != nil && ctx.Err() == nil {
			c.log.Warn("webhooks wait to be sent", "error", err)
		}
	}
}

// sweep begins to send to every endpoint that something is due for, beside those
// that are being sent to: a slow one holds up nobody else.
func (c *Courier) sweep(ctx context.Context, sending *sync.WaitGroup) error {
	if err := c.store.FanOutWebhooks(ctx); err != nil {
		return err
	}
	due, err := c.store.DueWebhookEndpoints(ctx)
	if err != nil {
		return err
	}
	mathrand.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] }) // when places are few, each has its turn
	for _, id := range due {
		if !c.take(id) {
			continue
		}
		sending.Go(func() {
			defer c.leave(id)
			if err := c.send(ctx, id); err != nil && ctx.Err() == nil {
				c.log.Warn("webhooks wait to be sent", "endpoint", id, "error", err)
			}
		})
	}
	return nil
}

func (c *Courier) take(endpoint string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.busy[endpoint] || len(c.busy) >= endpoints {
		return false
	}
	c.busy[endpoint] = true
	return true
}

func (c *Courier) leave(endpoint string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.busy, endpoint)
}

// send sends what is due to an endpoint, some subscriptions' events at once.
func (c *Courier) send(ctx context.Context, id string) error {
	for began := c.now(); c.now().Sub(began) < leaseLife/3; { // another process may have the lease then
		e, due, err := c.store.DueWebhooks(ctx, id, abreast)
		if err != nil || len(due) == 0 {
			return err
		}
		secrets, err := c.secrets(ctx, e)
		if err != nil {
			return err
		}
		errs := make([]error, len(due))
		var tries sync.WaitGroup
		for i, d := range due {
			tries.Go(func() { errs[i] = c.try(ctx, e, secrets, d) })
		}
		tries.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// secrets are those that an endpoint's webhooks are signed with.
func (c *Courier) secrets(ctx context.Context, e billing.WebhookEndpoint) ([][]byte, error) {
	sealed := []string{e.Secret, e.Former}
	var list [][]byte
	stale := false
	for i, s := range sealed {
		if s == "" || i > 0 && !c.now().Before(e.FormerUntil) {
			continue
		}
		secret, current, good := c.secret.Unseal(billing.WebhookSeal, e.ID, s)
		if !good && i > 0 {
			continue // the former one cannot sign any more; the current one does
		}
		if !good {
			return nil, errors.New("its secret was encrypted with a value that OKVIZ_SECRET no longer has: rotate it")
		}
		if list = append(list, secret); !current {
			stale = true
			sealed[i] = seal(c.secret, e.ID, secret)
		}
	}
	if !stale {
		return list, nil
	}
	return list, c.store.ResealWebhook(ctx, e, sealed[0], sealed[1])
}

// seal encrypts an endpoint's secret as it is stored.
func seal(s billing.Secret, endpoint string, secret []byte) string {
	nonce := make([]byte, 12)
	rand.Read(nonce) // never fails
	return s.Seal(billing.WebhookSeal, endpoint, nonce, secret)
}

// try sends a delivery once, and writes down what became of it.
func (c *Courier) try(ctx context.Context, e billing.WebhookEndpoint, secrets [][]byte, d billing.WebhookDelivery) error {
	body, err := c.body(ctx, d)
	began := c.now()
	switch {
	case errors.Is(err, billing.ErrNotFound):
		d.WebhookAnswer, d.Tries = billing.WebhookAnswer{Error: "the event is no longer kept"}, 1<<20
	case err != nil:
		return err
	default:
		d.Tries++
		d.WebhookAnswer = c.post(ctx, e, d.Event, billing.WebhookSignatures(secrets, d.Event, began, body), began, body)
		d.Took = c.now().Sub(began)
	}
	if ctx.Err() != nil { // told to stop: it is sent again
		return ctx.Err()
	}
	d.NextAt = time.Time{}
	if wait, again := billing.WebhookWait(d.Tries, d.Type); again && !d.Taken() {
		d.NextAt = billing.Instant(c.now().Add(wait))
	}
	return c.store.WebhookTried(ctx, d)
}

// body is what a delivery carries.
func (c *Courier) body(ctx context.Context, d billing.WebhookDelivery) ([]byte, error) {
	if d.Type == billing.WebhookTest {
		return json.Marshal(map[string]any{"type": d.Type, "timestamp": d.CreatedAt.UTC(), "data": map[string]any{"endpoint": d.Endpoint}})
	}
	event, err := c.store.FeedEvent(ctx, d.Event)
	if err != nil {
		return nil, err
	}
	return c.payload(event)
}

// post sends a webhook. What it says of an error has nothing of the address: it may
// hold a credential.
func (c *Courier) post(ctx context.Context, e billing.WebhookEndpoint, id, signature string, at time.Time, body []byte) billing.WebhookAnswer {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return billing.WebhookAnswer{Error: "the address cannot be used"}
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "okviz-webhooks",
		"webhook-id": id, "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": signature,
	} {
		r.Header.Set(name, value)
	}
	client := c.own
	switch {
	case e.Account != "":
		client = c.public
	case r.URL.Scheme != "https":
		client = c.plain
	}
	answer, err := client.Do(r)
	if err != nil {
		return billing.WebhookAnswer{Error: said(err)}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, heard))
	if err != nil {
		return billing.WebhookAnswer{Error: said(err)}
	}
	return billing.WebhookAnswer{Code: answer.StatusCode, Body: printable(text)}
}

// said is why a webhook could not be sent, for the endpoint's owner.
func said(err error) string {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	var timeout net.Error
	var dns *net.DNSError
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return "the address is not public, or does not resolve"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer within %d seconds", int(patience.Seconds()))
	case errors.As(err, &dns):
		return "the address is not public, or does not resolve"
	}
	return "the connection failed"
}

// printable is a text as it can be stored and shown.
func printable(text []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(text), ""))
}
