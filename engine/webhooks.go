package engine

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/payments/sandbox"
)

// sendWebhooks sends the sandbox's webhooks to the engine's own address, as a real
// gateway does: at once, and again until they are taken. What another process
// has left to tell is found by looking.
func (e *Engine) sendWebhooks(ctx context.Context) {
	if e.sandbox == nil {
		return
	}
	post := e.postWebhook("http://" + dialled(e.address))
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-e.sandbox.Untold():
		}
		if err := e.sandbox.Deliver(ctx, post, time.Now()); err != nil && ctx.Err() == nil {
			e.log.Debug("webhooks of the sandbox wait to be sent", "error", err)
		}
	}
}

// dialled is the address under which a listener is reached from its own machine.
func dialled(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return a.String()
}

// Sandbox is the sandbox gateway; nil with another one.
func (e *Engine) Sandbox() *sandbox.Gateway { return e.sandbox }

// charges are the sandbox's; nil with another gateway.
func (e *Engine) charges() api.Charges {
	if e.sandbox == nil {
		return nil // and not an interface with a nil in it
	}
	return e.sandbox
}

var courier = &http.Client{Timeout: 10 * time.Second}

// postWebhook sends webhooks of the sandbox to an engine.
func (e *Engine) postWebhook(engine string) sandbox.Post {
	return func(ctx context.Context, body []byte, signature string) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, engine+"/v1/webhooks/"+e.sandbox.Name(), bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(sandbox.SignatureHeader, signature)
		answer, err := courier.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("the engine answered %d", answer.StatusCode)
		}
		return nil
	}
}
