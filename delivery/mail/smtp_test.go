package mail_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// server is a real SMTP server that keeps what it is sent.
type server struct {
	addr string

	mu     sync.Mutex
	mails  [][]byte
	rcpts  []string
	signed []string // who signed in

	refuseMail, refuseRcpt, refuseData error
	hang                               chan struct{} // RCPT waits for it
	user, password                     string        // asked for when set
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }

type session struct{ *server }

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.user != "" && len(s.signed) == 0 {
		return smtp.ErrAuthRequired
	}
	return s.refuseMail
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.hang != nil {
		<-s.hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcpts = append(s.rcpts, to)
	return s.refuseRcpt
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.refuseData != nil {
		return s.refuseData
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, b)
	return nil
}

func (s *session) AuthMechanisms() []string {
	if s.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.user || password != s.password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no such user: " + user}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.signed = append(s.signed, user)
		return nil
	}), nil
}

// serve starts s; configured before it starts, so that it needs no lock.
func serve(t *testing.T, s *server, starttls *tls.Config, listen func(net.Listener) net.Listener) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if listen != nil {
		l = listen(l)
	}
	srv := smtp.NewServer(s)
	srv.Domain, srv.TLSConfig, srv.EnableSMTPUTF8 = "mx.test", starttls, true
	srv.ErrorLog = log.New(io.Discard, "", 0)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return s
}

// received is a mail as a mailbox shows it.
type received struct {
	header     netmail.Header
	subject    string
	to         *netmail.Address
	text, html string
	files      []file
	raw        string
}

type file struct {
	name, contentType string
	data              []byte
}

// only reads the one mail that the server was sent.
func (s *server) only(t *testing.T) received {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mails) != 1 {
		t.Fatalf("the server has %d mails, want 1", len(s.mails))
	}
	return read(t, s.mails[0])
}

func read(t *testing.T, raw []byte) received {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	r := received{header: m.Header, raw: string(raw)}
	decoder := &mime.WordDecoder{}
	if r.subject, err = decoder.DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	if r.to, err = netmail.ParseAddress(m.Header.Get("To")); err != nil {
		t.Fatalf("To %q: %v", m.Header.Get("To"), err)
	}
	r.part(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), "", m.Body)
	return r
}

func (r *received) part(t *testing.T, contentType, encoding, disposition string, body io.Reader) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatalf("content type %q: %v", contentType, err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r.part(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("Content-Disposition"), p)
		}
	}
	switch encoding {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if disposition != "" {
		_, params, err := mime.ParseMediaType(disposition)
		if err != nil {
			t.Fatalf("disposition %q: %v", disposition, err)
		}
		name, err := (&mime.WordDecoder{}).DecodeHeader(params["filename"])
		if err != nil {
			t.Fatal(err)
		}
		r.files = append(r.files, file{name, kind, data})
		return
	}
	lines := strings.ReplaceAll(string(data), "\r\n", "\n")
	switch kind {
	case "text/plain":
		r.text += lines
	case "text/html":
		r.html += lines
	default:
		t.Fatalf("a part of kind %q", kind)
	}
}

// certificate makes a certificate of 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}
