package engine

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// problems is a listener over whose connections net/http's own refusals go out as
// problem documents, as all others do. It answers what it cannot read (a malformed
// address, headers that are too large, an expectation) before any handler.
type problems struct{ net.Listener }

func (l problems) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return problemConn{c}, nil
}

type problemConn struct{ net.Conn }

// CloseWrite tells the client that its refused request's answer has ended, as net/http
// does over a connection that is not wrapped.
func (c problemConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Such an answer is one write, in a form that no handler's answer has.
var (
	ownRefusal  = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")
	expectation = []byte("HTTP/1.1 417 Expectation Failed\r\n") // and it ends with its headers: no answer's body has these
	headersEnd  = []byte("\r\n\r\n")
)

func (c problemConn) Write(b []byte) (int, error) {
	head, _, own := bytes.Cut(b, ownRefusal)
	unexpected := bytes.HasPrefix(b, expectation) && bytes.HasSuffix(b, headersEnd)
	if !unexpected && !(own && bytes.HasPrefix(b, []byte("HTTP/1.1 ")) && bytes.IndexByte(head, '\n') < 0) {
		return c.Conn.Write(b)
	}
	status, err := strconv.Atoi(string(b[9:12]))
	if err != nil {
		return c.Conn.Write(b)
	}
	code := map[int]string{http.StatusExpectationFailed: "expectation_failed", http.StatusRequestHeaderFieldsTooLarge: "too_large"}[status]
	if code == "" {
		code = "malformed"
	}
	body := fmt.Sprintf(`{"type":"urn:okviz:problem:%s","title":%q,"status":%d,"detail":"the request cannot be read","code":%[1]q}`, code, http.StatusText(status), status)
	_, err = fmt.Fprintf(c.Conn, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, http.StatusText(status), len(body), body)
	return len(b), err
}
