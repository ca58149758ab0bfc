package mail_test

import (
	"context"
	"crypto/tls"
	"errors"
	"html"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/mail"
)

func TestNamesAreOnlyEverNames(t *testing.T) {
	for _, c := range []struct {
		name, given, shown string
		greeted            bool
	}{
		{"an emoji", "Ada 🚀 Rossi", "Ada 🚀 Rossi", false},
		{"Greek", "Αλέξανδρος Παπαδόπουλος", "Αλέξανδρος Παπαδόπουλος", true},
		{"quotes and a comma", `Rossi, "Ada" O'Neil`, `Rossi, "Ada" O'Neil`, false},
		{"a tag", `<script>alert(1)</script>`, `<script>alert(1)</script>`, false},
		{"a template", `{{.Link}}`, `{{.Link}}`, false},
		{"line breaks and a header", "Ada\r\nBcc: eve@evil.example\r\n\r\nboo", "Ada  Bcc: eve@evil.example    boo", false},
		{"a turned direction", "Ada\u202eisseR", "AdaisseR", true},
		{"bytes that are no UTF-8", "Ada\xff", "Ada\uFFFD", false},
		{"an advertisement", "Win at evil.example now", "Win at evil.example now", false},
		{"initials", "J. R. Rossi", "J. R. Rossi", true},
		{"nothing", "", "", false},
		{"very much", strings.Repeat("é", 500), strings.Repeat("é", 500), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &server{}, nil, nil)
			l := toLicensee(billing.Notice{Kind: billing.NoticeLicense})
			l.Name, l.Licensee = c.given, c.given+" <bea@contoso.example>"
			l.ProductName = "Calendar\r\nX-Evil: 1"
			l.Attachments[0].Name = "a\r\nX-Evil: 1\"; x=\".pbiviz"
			if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			m := s.only(t)
			if m.to.Name != "" || m.to.Address != "bea@contoso.example" {
				t.Errorf("To: %q <%s>, want the address alone", m.to.Name, m.to.Address)
			}
			hello := "Hello,"
			if c.greeted {
				hello = "Hello " + c.shown + ","
			}
			licensee := c.shown + " <bea@contoso.example>"
			for part, body := range map[string]string{"text": m.text, "HTML": html.UnescapeString(m.html)} {
				if !strings.Contains(body, hello) || !strings.Contains(body, strings.TrimSpace(licensee)) {
					t.Errorf("the %s has not both %q and %q:\n%s", part, hello, licensee, body)
				}
			}
			if strings.Contains(m.html, "<script") {
				t.Error("the HTML has a script")
			}
			for _, h := range []string{"Bcc", "X-Evil"} {
				if m.header.Get(h) != "" {
					t.Errorf("a name made a header %s", h)
				}
			}
			if len(m.files) != 1 || len(s.rcpts) != 1 {
				t.Errorf("%d files to %d recipients, want 1 to 1", len(m.files), len(s.rcpts))
			}
		})
	}
}

func TestALinkIsALinkToAPage(t *testing.T) {
	s := serve(t, &server{}, nil, nil)
	l := emailOf(t, billing.NoticeResumed)
	l.Link = "javascript:alert(1)"
	if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if m := s.only(t); strings.Contains(m.html, "javascript:") {
		t.Error("the button runs a script")
	}
}

func TestHeadersOfAnEmail(t *testing.T) {
	s := serve(t, &server{}, nil, nil)
	before := time.Now().Add(-time.Second)
	if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), emailOf(t, billing.NoticeReceipt)); err != nil {
		t.Fatal(err)
	}
	m := s.only(t)
	for name, want := range map[string]string{
		"From": `"OKVIZ" <licences@okviz.example>`, "Auto-Submitted": "auto-generated",
		"X-Auto-Response-Suppress": "All", "Mime-Version": "1.0", "User-Agent": "", "X-Mailer": "",
	} {
		if got := m.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if sent, err := m.header.Date(); err != nil || sent.Before(before.Truncate(time.Second)) {
		t.Errorf("Date: %v, %v; want now, whatever a test clock says", sent, err)
	}
}

func TestTheSameEmailAgainIsTheSameMessage(t *testing.T) {
	s := serve(t, &server{}, nil, nil)
	for range 2 {
		if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), emailOf(t, billing.NoticeReceipt)); err != nil {
			t.Fatal(err)
		}
	}
	first, second := read(t, s.mails[0]), read(t, s.mails[1])
	if id := first.header.Get("Message-Id"); id != "<out_01JXYZ@okviz.example>" || id != second.header.Get("Message-Id") {
		t.Errorf("Message-IDs %s and %s", id, second.header.Get("Message-Id"))
	}
}

func TestADomainIsWrittenAsEveryServerKnowsIt(t *testing.T) {
	s := serve(t, &server{}, nil, nil)
	l := emailOf(t, billing.NoticeReceipt)
	l.Email = "ada@münchen.example"
	if err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if got := s.rcpts[0]; got != "ada@xn--mnchen-3ya.example" {
		t.Errorf("sent to %s", got)
	}
}

func answer(code int, enhanced smtp.EnhancedCode) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "says <ada@contoso.example> Ada Rossi"}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name      string
		server    *server
		permanent bool
		code      int
		status    string
	}{
		{"no such mailbox", &server{refuseRcpt: answer(550, smtp.EnhancedCode{5, 1, 1})}, true, 550, "5.1.1"},
		{"grey-listed", &server{refuseRcpt: answer(451, smtp.EnhancedCode{4, 7, 1})}, false, 451, "4.7.1"},
		{"too big for this mailbox", &server{refuseData: answer(552, smtp.EnhancedCode{5, 3, 4})}, true, 552, "5.3.4"},
		{"the server is full", &server{refuseData: answer(452, smtp.EnhancedCode{4, 3, 1})}, false, 452, "4.3.1"},
		{"we may not send", &server{refuseMail: answer(550, smtp.EnhancedCode{5, 7, 1})}, false, 550, "5.7.1"},
		{"we must sign in first", &server{refuseRcpt: answer(530, smtp.EnhancedCode{5, 7, 0})}, false, 530, "5.7.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.server, nil, nil)
			err := sender(t, "smtp://"+s.addr).Deliver(t.Context(), emailOf(t, billing.NoticeReceipt))
			e := failed(t, err)
			if e.Permanent != c.permanent || e.Code != c.code || e.Status != c.status {
				t.Errorf("permanent %v, %d %s; want %v, %d %s", e.Permanent, e.Code, e.Status, c.permanent, c.code, c.status)
			}
		})
	}
}

// failed wants an *mail.Error that tells nothing of the recipient, however
// far it is unwrapped.
func failed(t *testing.T, err error) *mail.Error {
	t.Helper()
	var e *mail.Error
	if !errors.As(err, &e) {
		t.Fatalf("%T %v, want a *mail.Error", err, err)
	}
	for ; err != nil; err = errors.Unwrap(err) {
		for _, private := range []string{"ada", "Ada", "Rossi", "contoso", "secret", "licences@"} {
			if strings.Contains(err.Error(), private) {
				t.Errorf("the error tells %q: %v", private, err)
			}
		}
	}
	return e
}

func TestAddressesThatAreNone(t *testing.T) {
	s := serve(t, &server{}, nil, nil)
	for _, address := range []string{
		"", "ada", "@contoso.example", "ada@contoso.example\r\nRCPT TO:<eve@evil.example>", "Ada <ada@contoso.example>",
		"ada@contoso.example, eve@evil.example", "ada@contoso.example\n", "ada@con toso.example",
	} {
		l := emailOf(t, billing.NoticeReceipt)
		l.Email = address
		if e := failed(t, sender(t, "smtp://"+s.addr).Deliver(t.Context(), l)); !e.Permanent {
			t.Errorf("%q: not permanent", address)
		}
	}
	if len(s.rcpts) != 0 {
		t.Errorf("the server heard of %q", s.rcpts)
	}
}

func TestAnEmailThatCannotBeWrittenMayBeTriedByANewerBinary(t *testing.T) {
	l := emailOf(t, billing.NoticeReceipt)
	l.Kind = "of_the_future"
	if e := failed(t, sender(t, "smtp://127.0.0.1:1").Deliver(t.Context(), l)); e.Permanent {
		t.Error("permanent")
	}
	l.ID = "x>\r\nBcc: eve@evil.example"
	if e := failed(t, sender(t, "smtp://127.0.0.1:1").Deliver(t.Context(), l)); strings.Contains(e.Error(), "Bcc") {
		t.Error(e)
	}
}

func TestAServerThatIsAwayIsNotPermanent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	e := failed(t, sender(t, "smtp://"+l.Addr().String()).Deliver(t.Context(), emailOf(t, billing.NoticeReceipt)))
	var op *net.OpError
	if e.Permanent || e.Part() != "mail" || !errors.As(e, &op) {
		t.Errorf("permanent %v: %v", e.Permanent, e)
	}
}

func TestTheContextEndsADeliveryWhereverItIs(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, never greets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	hanging := &server{hang: make(chan struct{})}
	serve(t, hanging, nil, nil)
	t.Cleanup(func() { close(hanging.hang) }) // before the server is closed

	for where, addr := range map[string]string{"before the greeting": silent.Addr().String(), "at the recipient": hanging.addr} {
		t.Run(where, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := sender(t, "smtp://"+addr).Deliver(ctx, emailOf(t, billing.NoticeReceipt))
			if e := failed(t, err); e.Permanent || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("permanent %v: %v", e.Permanent, err)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

func TestEncryptionAndSigningIn(t *testing.T) {
	config, roots := certificate(t)
	over := func(l net.Listener) net.Listener { return tls.NewListener(l, config) }
	for _, c := range []struct {
		name, url string
		starttls  *tls.Config
		listen    func(net.Listener) net.Listener
		strange   bool // the certificate is not trusted
		delivered bool
	}{
		{"STARTTLS, with a password", "smtp://ada:secret@ADDR", config, nil, false, true},
		{"STARTTLS required and offered", "smtp://ada:secret@ADDR?starttls=required", config, nil, false, true},
		{"STARTTLS required and not offered", "smtp://ada:secret@ADDR?starttls=required", nil, nil, false, false},
		{"TLS from the start", "smtps://ada:secret@ADDR", nil, over, false, true},
		{"TLS from the start of a stranger", "smtps://ada:secret@ADDR", nil, over, true, false},
		{"STARTTLS of a stranger", "smtp://ada:secret@ADDR", config, nil, true, false},
		{"a wrong password", "smtps://ada:secret2@ADDR", nil, over, false, false},
		{"no password where one is asked", "smtps://ADDR", nil, over, false, false},
		{"a password in the clear", "smtp://ada:secret@ADDR?starttls=never", config, nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &server{user: "ada", password: "secret"}, c.starttls, c.listen)
			sender := sender(t, strings.Replace(c.url, "ADDR", s.addr, 1))
			if !c.strange {
				sender.Trust(roots)
			}
			err := sender.Deliver(t.Context(), emailOf(t, billing.NoticeReceipt))
			if c.delivered {
				if err != nil {
					t.Fatal(err)
				}
				s.only(t)
				return
			}
			if e := failed(t, err); e.Permanent {
				t.Errorf("permanent: %v", e)
			}
			if len(s.mails) != 0 {
				t.Error("it was delivered")
			}
		})
	}
}

func TestConfigurationThatCannotWork(t *testing.T) {
	for _, c := range []struct{ name, url, from string }{
		{"no URL", "", "a@okviz.example"},
		{"no scheme", "host:25", "a@okviz.example"},
		{"another scheme", "https://u:secret@host", "a@okviz.example"},
		{"no host", "smtp://:25", "a@okviz.example"},
		{"a path", "smtp://u:secret@host/x", "a@okviz.example"},
		{"a port that is none", "smtp://u:secret@host:70000", "a@okviz.example"},
		{"a broken escape", "smtp://u:sec%ret@host", "a@okviz.example"},
		{"an unknown starttls", "smtp://u:secret@host?starttls=maybe", "a@okviz.example"},
		{"an unknown parameter", "smtp://u:secret@host?tls=yes", "a@okviz.example"},
		{"starttls over TLS", "smtps://u:secret@host?starttls=auto", "a@okviz.example"},
		{"no sender", "smtp://host", ""},
		{"a sender that is none", "smtp://host", "OKVIZ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := mail.New(mail.Config{URL: c.url, From: c.from})
			if err == nil {
				t.Fatal("it is taken")
			}
			if strings.Contains(err.Error(), "sec") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestABrandShowsItsOwnName(t *testing.T) {
	s := serve(t, &server{}, nil, nil)
	sender, err := mail.New(mail.Config{URL: "smtp://" + s.addr, From: "bills@visuals.example", Brand: mail.Brand{
		Name: "Visuals & Co", LogoURL: "https://visuals.example/logo.png", SupportURL: "mailto:help@visuals.example",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Deliver(t.Context(), emailOf(t, billing.NoticeReceipt)); err != nil {
		t.Fatal(err)
	}
	m := s.only(t)
	if got := m.header.Get("From"); got != `"Visuals & Co" <bills@visuals.example>` {
		t.Errorf("From: %s", got)
	}
	for _, want := range []string{`src="https://visuals.example/logo.png"`, `alt="Visuals &amp; Co"`, `href="mailto:help@visuals.example"`} {
		if !strings.Contains(m.html, want) {
			t.Errorf("the HTML has no %s", want)
		}
	}
	if strings.Contains(m.html+m.text, "OKVIZ") {
		t.Error("another vendor's name is in it")
	}
}
