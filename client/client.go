// Package client calls OKVIZ Licensing. Each route is a method of Client, with the name that
// the API's description gives it; client.gen.go is made of that description.
//
//	okviz := client.New("https://licensing.example.com", os.Getenv("OKVIZ_KEY"))
//	order, err := okviz.Checkout(ctx, client.CheckoutBody{…})
//	for invoice, err := range okviz.ListInvoicesAll(ctx, client.ListInvoicesParams{}) {…}
//
// A request that may be repeated safely is repeated after a lost connection, 429 and 5xx. A command is
// repeated under its first Idempotency-Key, until its outcome is known. Refusals are a *Problem.
//
// What the API answers with null is the zero value here; a field of a body that is the zero value is
// not sent.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client calls one installation. The zero value of each field but URL has a meaning. A
// Client may be used by several goroutines.
type Client struct {
	URL      string       // of the installation, such as https://licensing.example.com
	Key      string       // an API key, or an order's or a quote's token; empty: nobody's
	HTTP     *http.Client // nil: http.DefaultClient
	Attempts int          // how often a request is sent at most; 0: 5
}

// New makes a client of an installation. The key may be empty.
func New(url, key string) *Client { return &Client{URL: url, Key: key} }

// As is the same client with another key, or the token of an order or a quote.
func (c *Client) As(key string) *Client {
	other := *c
	other.Key = key
	return &other
}

// ErrUnknown says that a command's outcome is not known yet: it may have been carried out. The same
// command under the same key (WithIdempotencyKey) tells later.
var ErrUnknown = errors.New("the outcome of the command is not known yet")

// Error is the code of a refusal and what is wrong. Code is for programs.
func (p *Problem) Error() string {
	text := p.Code
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	for _, e := range p.Errors {
		text += "; " + e.Field + " " + e.Detail
	}
	return text
}

type idempotencyKey struct{}

// WithIdempotencyKey has the commands of a context sent under a key of 16 to 255 visible ASCII
// characters. Keep it before you send the command, and a crash of your program does not buy
// twice. Without it each command has a new one.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// request is one call of a route.
type request struct {
	method, path string
	query, body  any
	keyed        bool // takes an Idempotency-Key
}

// longestWait is how long a Retry-After is waited for; a longer one is the caller's.
const longestWait = 30 * time.Second

// answer sends a request until there is an answer that another try would not change. Its body is
// to be closed.
func (c *Client) answer(ctx context.Context, r request) (*http.Response, error) {
	body, err := json.Marshal(r.body)
	if err != nil {
		return nil, err
	}
	key, _ := ctx.Value(idempotencyKey{}).(string)
	if key == "" {
		key = rand.Text()
	}
	attempts, client := c.Attempts, c.HTTP
	if attempts == 0 {
		attempts = 5
	}
	if client == nil {
		client = http.DefaultClient
	}
	for try := 1; ; try++ {
		req, err := http.NewRequestWithContext(ctx, r.method, strings.TrimSuffix(c.URL, "/")+r.path+values(r.query), nil)
		if err != nil {
			return nil, err
		}
		if r.body != nil {
			req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			req.Header.Set("Content-Type", "application/json")
		}
		if c.Key != "" {
			req.Header.Set("Authorization", "Bearer "+c.Key)
		}
		if r.keyed {
			req.Header.Set("Idempotency-Key", key)
		}
		a, err := client.Do(req)
		wait, again := r.again(a, err, try)
		if !again || try >= attempts || ctx.Err() != nil {
			return a, err
		}
		if a != nil {
			a.Body.Close()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// again tells whether a request is sent once more, and after how long.
func (r request) again(a *http.Response, err error, try int) (wait time.Duration, again bool) {
	safe := r.keyed || r.method != http.MethodPost // to be carried out twice
	wait = time.Second << (try - 1) / 2
	if err != nil {
		return wait, safe
	}
	seconds, none := strconv.Atoi(a.Header.Get("Retry-After"))
	if told := none == nil; told {
		wait = time.Duration(seconds) * time.Second
		return wait, wait <= longestWait && (safe || a.StatusCode == http.StatusTooManyRequests)
	}
	return wait, safe && a.StatusCode >= 500
}

// send calls a route that answers with JSON, or with nothing.
func send[T any](ctx context.Context, c *Client, r request) (*T, error) {
	a, err := c.answer(ctx, r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	if err := refused(a); err != nil {
		return nil, err
	}
	result := new(T)
	if a.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(a.Body).Decode(result); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	if a.StatusCode == http.StatusAccepted && a.Header.Get("Retry-After") != "" {
		return result, ErrUnknown
	}
	return result, nil
}

// open calls a route that answers with a file.
func (c *Client) open(ctx context.Context, r request) (io.ReadCloser, error) {
	a, err := c.answer(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := refused(a); err != nil {
		a.Body.Close()
		return nil, err
	}
	return a.Body, nil
}

// refused is the problem of an answer that is none of those hoped for.
func refused(a *http.Response) error {
	if a.StatusCode < 400 {
		return nil
	}
	p := &Problem{}
	if err := json.NewDecoder(io.LimitReader(a.Body, 1<<20)).Decode(p); err != nil || p.Code == "" {
		return &Problem{Status: int64(a.StatusCode), Title: a.Status, Code: "unknown"}
	}
	return p
}

// path fills the parameters of a path in their order.
func path(template string, values ...string) string {
	for _, v := range values {
		before, rest, _ := strings.Cut(template, "{")
		_, after, _ := strings.Cut(rest, "}")
		template = before + url.PathEscape(v) + after
	}
	return template
}

// values writes the fields of a query that are set.
func values(query any) string {
	text, err := json.Marshal(query)
	fields := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if query == nil || err != nil || decoder.Decode(&fields) != nil || len(fields) == 0 {
		return ""
	}
	list := url.Values{}
	for name, v := range fields {
		list.Set(name, fmt.Sprint(v))
	}
	return "?" + list.Encode()
}

// all goes through the pages of a list.
func all[T any](page func(cursor string) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := ""; ; {
			data, next, err := page(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range data {
				if !yield(one, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			cursor = next
		}
	}
}
