// Package stripemock holds what payments/stripe sends against Stripe's own
// description of its API, by Stripe's tool for that.
package stripemock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/payments/gatewaytest"
	"github.com/okviz/licensing/payments/stripe/stripetest"
)

// The tool is pinned here and run by version, so that no module depends on it.
const tool = "github.com/stripe/stripe-mock@v0.203.0"

// start runs stripe-mock and returns its address.
func start(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	install := exec.CommandContext(t.Context(), "go", "install", tool)
	install.Dir = bin // outside of any module
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("go install %s: %v\n%s", tool, err, out)
	}
	name := "stripe-mock"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	at, tls := free(t), free(t)
	var log bytes.Buffer
	// With -http-addr alone it would listen for TLS on all addresses.
	mock := exec.Command(filepath.Join(bin, name), "-http-addr", at, "-https-addr", tls)
	mock.Stdout, mock.Stderr = &log, &log
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mock.Wait() }()
	t.Cleanup(func() {
		if err := mock.Process.Kill(); err == nil {
			_ = <-ended // it was killed
		}
	})
	deadline, tick := time.After(time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", at); err == nil {
			_ = c.Close()
			return at
		}
		select {
		case err := <-ended:
			t.Fatalf("stripe-mock ended: %v\n%s", err, &log)
		case <-deadline:
			t.Fatal("stripe-mock does not listen")
		case <-tick.C:
		}
	}
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// checked is a transport that shows every request to stripe-mock before it goes
// where it was meant to.
type checked struct {
	next http.RoundTripper
	mock string
	seen *seen
}

type seen struct {
	sync.Mutex
	calls   map[string]int
	invalid map[string]string
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if err := c.show(r, body); err != nil {
		return nil, err
	}
	return c.next.RoundTrip(r)
}

func (c checked) show(r *http.Request, body []byte) error {
	shown := r.Clone(r.Context())
	shown.URL.Scheme, shown.URL.Host, shown.Host = "http", c.mock, c.mock
	shown.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := http.DefaultTransport.RoundTrip(shown)
	if err != nil {
		return errors.New("stripe-mock did not answer")
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	path := strings.Split(r.URL.Path, "/")
	if id := len(path) - 1; path[2] == "checkout" && id == 4 {
		path[id] = "{id}"
	} else if path[2] != "checkout" && id > 2 {
		path[3] = "{id}"
	}
	call := r.Method + " " + strings.Join(path, "/")
	c.seen.Lock()
	defer c.seen.Unlock()
	c.seen.calls[call]++
	if answer.StatusCode != http.StatusOK {
		c.seen.invalid[call] = fmt.Sprintf("%d %s\nto %s", answer.StatusCode, text, body)
	}
	return nil
}

// What the contract of a gateway makes the adapter send is what it can send.
func TestEveryRequestIsOneThatStripeDescribes(t *testing.T) {
	mock := start(t)
	seen := &seen{calls: map[string]int{}, invalid: map[string]string{}}
	gatewaytest.Run(t, func(t *testing.T) gatewaytest.Subject {
		s := stripetest.New(t)
		return s.Subject(checked{s, mock, seen})
	})
	for call, why := range seen.invalid {
		t.Errorf("%s: %s", call, why)
	}
	for _, call := range []string{
		"POST /v1/customers", "POST /v1/payment_methods/{id}/attach", "POST /v1/payment_methods/{id}/detach", "GET /v1/payment_methods/{id}",
		"POST /v1/payment_intents", "POST /v1/payment_intents/{id}", "GET /v1/payment_intents/{id}", "POST /v1/payment_intents/{id}/confirm",
		"POST /v1/payment_intents/{id}/cancel",
		"POST /v1/checkout/sessions", "GET /v1/checkout/sessions/{id}",
		"POST /v1/refunds", "GET /v1/refunds", "GET /v1/charges", "GET /v1/payment_intents",
	} {
		if seen.calls[call] == 0 {
			t.Errorf("%s was never sent", call)
		}
		delete(seen.calls, call)
	}
	for call := range seen.calls {
		t.Errorf("%s is sent, and not expected", call)
	}
}
