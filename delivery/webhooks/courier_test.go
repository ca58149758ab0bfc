package webhooks

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/okviz/licensing/billing"
)

// ledger keeps what became of deliveries.
type ledger struct {
	Store
	tried    []billing.WebhookDelivery
	resealed [2]string
}

func (l *ledger) FeedEvent(context.Context, string) (billing.FeedEvent, error) {
	return billing.FeedEvent{ID: "evt_1", Type: billing.FeedInvoicePaid}, nil
}

func (l *ledger) WebhookTried(_ context.Context, d billing.WebhookDelivery) error {
	l.tried = append(l.tried, d)
	return nil
}

func (l *ledger) ResealWebhook(_ context.Context, _ billing.WebhookEndpoint, secret, former string) error {
	l.resealed = [2]string{secret, former}
	return nil
}

var (
	server    = billing.Secret{"0123456789abcdef0123456789abcdef"}
	secret    = bytes.Repeat([]byte("s"), 32)
	former    = bytes.Repeat([]byte("f"), 32)
	here      = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	paid      = billing.WebhookDelivery{ID: "whd_1", Event: "evt_1", Type: billing.FeedInvoicePaid}
	body      = []byte(`{"type":"invoice.paid","data":{}}`)
	noAddress = "the address is not public, or does not resolve"
)

func courier(networks []netip.Prefix) (*Courier, *ledger) {
	l := &ledger{}
	payload := func(billing.FeedEvent) ([]byte, error) { return body, nil }
	return New(l, payload, server, networks, slog.New(slog.DiscardHandler), time.Now), l
}

// send tries a delivery to an address once, and says what became of it.
func (l *ledger) send(t *testing.T, c *Courier, to string) billing.WebhookDelivery {
	t.Helper()
	e := billing.WebhookEndpoint{ID: "whe_1", URL: to, Secret: seal(server, "whe_1", secret)}
	secrets, err := c.secrets(t.Context(), e)
	if err == nil {
		err = c.try(t.Context(), e, secrets, paid)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l.tried[len(l.tried)-1]
}

func TestTheSpecificationsLibraryVerifiesAWebhook(t *testing.T) {
	for name, c := range map[string]struct {
		until time.Time
		with  []byte
		good  bool
	}{
		"with the secret":              {time.Time{}, secret, true},
		"with the former one, in time": {time.Now().Add(time.Hour), former, true},
		"with the former one, late":    {time.Now().Add(-time.Second), former, false},
		"with another":                 {time.Time{}, bytes.Repeat([]byte("x"), 32), false},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			var sent []byte
			to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = r
				sent, _ = io.ReadAll(r.Body)
			}))
			defer to.Close()
			carry, l := courier(here)
			e := billing.WebhookEndpoint{ID: "whe_1", URL: to.URL, Secret: seal(server, "whe_1", secret), Former: seal(server, "whe_1", former), FormerUntil: c.until}
			secrets, err := carry.secrets(t.Context(), e)
			if err == nil {
				err = carry.try(t.Context(), e, secrets, paid)
			}
			if err != nil || !l.tried[0].Taken() || !l.tried[0].NextAt.IsZero() {
				t.Fatal(err, l.tried)
			}
			w, err := standardwebhooks.NewWebhook(billing.WebhookSecret(c.with))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Verify(sent, got.Header); (err == nil) != c.good {
				t.Errorf("verified: %v", err)
			}
			if got.Header.Get("webhook-id") != "evt_1" || !bytes.Equal(sent, body) {
				t.Errorf("sent %v %s", got.Header, sent)
			}
			// Ed25519, by hand: the library knows HMAC alone.
			key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(billing.WebhookPublicKey(c.with), "whpk_"))
			verified := false
			for s := range strings.SplitSeq(got.Header.Get("webhook-signature"), " ") {
				if v1a, is := strings.CutPrefix(s, "v1a,"); is {
					raw, _ := base64.StdEncoding.DecodeString(v1a)
					verified = verified || ed25519.Verify(key, []byte("evt_1."+got.Header.Get("webhook-timestamp")+"."+string(sent)), raw)
				}
			}
			if verified != c.good {
				t.Errorf("v1a verified: %t", verified)
			}
		})
	}
}

func TestNothingIsSentToAnAddressThatIsNotPublic(t *testing.T) {
	var taken atomic.Int64
	to := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken.Add(1) }))
	defer to.Close()
	_, port, _ := net.SplitHostPort(to.Listener.Addr().String())
	for _, host := range []string{
		"127.0.0.1", "127.8.8.8", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "10.0.0.1", "172.16.0.1", "192.168.1.1",
		"100.64.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "224.0.0.1", "255.255.255.255", "198.18.0.1",
	} {
		for _, scheme := range []string{"https://", "http://"} {
			c, l := courier(nil)
			if d := l.send(t, c, scheme+host+":"+port+"/hook"); d.Error != noAddress || d.Code != 0 || d.NextAt.IsZero() {
				t.Errorf("%s%s: %+v", scheme, host, d)
			}
		}
	}
	// What is configured may be sent to, over http too; nothing else over http.
	c, l := courier(here)
	if d := l.send(t, c, to.URL); d.Error != "the connection failed" { // its certificate is nobody's
		t.Errorf("a configured address: %+v", d)
	}
	if d := l.send(t, c, "http://192.0.2.1/"); d.Error != noAddress {
		t.Errorf("a public address over http: %+v", d)
	}
	if taken.Load() != 0 {
		t.Errorf("%d requests were taken", taken.Load())
	}
}

// names answers for every name with one address after the other, the last one for
// ever.
func names(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	at, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { at.Close() })
	go func() {
		for asked, buffer := 0, make([]byte, 1500); ; {
			n, from, err := at.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				ip := netip.MustParseAddr(addresses[min(asked, len(addresses)-1)]).As4()
				asked++
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type}, Body: &dnsmessage.AResource{A: ip}}}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = at.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", at.LocalAddr().String())
	}}
}

func TestANameThatResolvesToAnotherAddressTheNextTimeGainsNothing(t *testing.T) {
	resolver := names(t, "93.184.215.14", "127.0.0.1")
	first, err := resolver.LookupHost(t.Context(), "rebinding.example")
	if err != nil || first[0] != "93.184.215.14" {
		t.Fatal(first, err)
	}
	c, l := courier(nil)
	c.public = client(&net.Dialer{Control: guard(nil), Resolver: resolver})
	if d := l.send(t, c, "https://rebinding.example/hook"); d.Error != noAddress {
		t.Errorf("%+v", d)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer inside.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		to := httptest.NewServer(http.RedirectHandler(inside.URL, code))
		c, l := courier(here)
		if d := l.send(t, c, to.URL); d.Code != code || d.Taken() || d.NextAt.IsZero() || followed.Load() != 0 {
			t.Errorf("%d: %+v, followed %d times", code, d, followed.Load())
		}
		to.Close()
	}
}

func TestASlowOrHugeAnswerEndsSoon(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	drip := func(w http.ResponseWriter, text string) {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
		code   int
		kept   int
	}{
		"none":           {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer within 15 seconds", 0, 0},
		"headers alone":  {func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); <-r.Context().Done() }, "no answer within 15 seconds", 0, 0},
		"endless":        {func(w http.ResponseWriter, _ *http.Request) { drip(w, strings.Repeat("a", 4096)) }, "", 200, 1024},
		"binary":         {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a\x00\xffb\x1b") }, "", 200, 2},
		"header of 1 MB": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("a", 1<<20)) }, "the connection failed", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // or the server does not see that the courier has gone
				c.answer(w, r)
			}))
			defer to.Close()
			defer to.CloseClientConnections()
			carry, l := courier(here)
			carry.plain.Timeout = 2 * time.Second
			if d := l.send(t, carry, to.URL); d.Error != c.says || d.Code != c.code || len(d.Body) != c.kept {
				t.Errorf("%q %d, %d bytes kept: want %q %d, %d", d.Error, d.Code, len(d.Body), c.says, c.code, c.kept)
			}
		})
	}
}

func TestWhatIsWrittenDownHasNothingOfTheAddress(t *testing.T) {
	for _, to := range []string{"https://user-token.invalid/s3cret", "http://127.0.0.1:1/s3cret", "https://127.0.0.1:1/s3cret"} {
		c, l := courier(here)
		if d := l.send(t, c, to); d.Error == "" || strings.Contains(d.Error+d.Body, "s3cret") || strings.Contains(d.Error, "token") {
			t.Errorf("%s: %+v", to, d)
		}
	}
}

func TestSecretsAreSealedAnewUnderTheCurrentValue(t *testing.T) {
	c, l := courier(here)
	old := seal(server, "whe_1", secret)
	c.secret = billing.Secret{"another-0123456789abcdef0123456789", server[0]}
	got, err := c.secrets(t.Context(), billing.WebhookEndpoint{ID: "whe_1", Secret: old})
	if err != nil || len(got) != 1 || !bytes.Equal(got[0], secret) {
		t.Fatal(got, err)
	}
	text, current, good := c.secret[:1].Unseal(billing.WebhookSeal, "whe_1", l.resealed[0])
	if !bytes.Equal(text, secret) || !current || !good || l.resealed[1] != "" {
		t.Error("the secret cannot be read without the old value")
	}
	if _, _, good := c.secret.Unseal(billing.WebhookSeal, "whe_2", old); good {
		t.Error("another endpoint's secret can be put in its place")
	}
}
