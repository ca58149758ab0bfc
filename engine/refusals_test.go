package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// listening serves a handler until the test ends, and returns where.
func listening(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	e := &Engine{log: slog.New(slog.DiscardHandler)}
	go func() { ended <- e.serve(ctx, l, handler) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// say sends a request as it is written, and reads the answer.
func say(t *testing.T, address, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, request) }() // the server may close before it has read all
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestWhatCannotBeReadAsHTTPIsAnsweredWithAProblemDocument(t *testing.T) {
	address := listening(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })
	for name, c := range map[string]struct {
		request string
		status  int
		code    string
	}{
		"a malformed address":            {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"},
		"an address with a control":      {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"},
		"no host":                        {"GET / HTTP/1.1\r\n\r\n", 400, "malformed"},
		"a malformed header":             {"GET / HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n", 400, "malformed"},
		"no HTTP":                        {"hello\r\n\r\n", 400, "malformed"},
		"an unknown version":             {"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505, "malformed"},
		"an unknown transfer encoding":   {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: smoke\r\n\r\n", 501, "malformed"},
		"headers that are too large":     {"GET / HTTP/1.1\r\nHost: a\r\nA: " + strings.Repeat("x", 2<<20) + "\r\n\r\n", 431, "too_large"},
		"an expectation nobody can meet": {"POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\n", 417, "expectation_failed"},
	} {
		answer, body := say(t, address, c.request)
		var p struct {
			Type, Title, Code string
			Status            int
		}
		err := json.Unmarshal([]byte(body), &p)
		if answer.StatusCode != c.status || answer.Header.Get("Content-Type") != "application/problem+json" || err != nil ||
			p.Status != c.status || p.Code != c.code || p.Type != "urn:okviz:problem:"+c.code || p.Title == "" {
			t.Errorf("%s: %d %s %s (%v)", name, answer.StatusCode, answer.Header, body, err)
		}
	}
	if answer, body := say(t, address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); answer.StatusCode != 200 || body != "fine" {
		t.Errorf("a good request: %d %q", answer.StatusCode, body)
	}
}

func TestAnAnswerThatNobodyReadsEnds(t *testing.T) {
	was := writeTimeout
	writeTimeout = 200 * time.Millisecond
	t.Cleanup(func() { writeTimeout = was })
	ended := make(chan error, 1)
	address := listening(t, func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for block := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(block)
		}
		ended <- err
	})
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the answer ended well")
		}
	case <-time.After(10 * time.Second):
		t.Error("the server goes on writing to somebody who does not read")
	}
}
