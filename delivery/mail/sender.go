package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"net"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/okviz/licensing/billing"
)

// Config says where emails go and whose name they carry.
type Config struct {
	// URL of the SMTP server: smtp://user:password@host:587 (STARTTLS) or
	// smtps://user:password@host:465 (TLS from the first byte). User, password
	// and port may be left out. For smtp, ?starttls= is one of
	//   required  the default, but for servers on this machine
	//   auto      used when the server offers it; the default on this machine
	//   never     a mailbox for development
	// A password is never sent in the clear over a network.
	URL string

	From  string // "OKVIZ <licences@okviz.example>"
	Brand Brand
}

// Brand is the vendor as the emails' readers know it.
type Brand struct {
	Name       string // "OKVIZ" when empty
	PublicURL  string // the vendor's site, at the foot
	LogoURL    string // an image about 32 px high; the name when empty
	SupportURL string // https: or mailto:; left out when empty
}

// Sender delivers emails. It may be used by many goroutines; each delivery
// is a connection of its own.
type Sender struct {
	host      string
	options   []gomail.Option
	tls       *tls.Config // from the first byte; nil otherwise
	roots     *x509.CertPool
	from      *netmail.Address
	brand     Brand
	templates map[string]map[billing.NoticeKind]template // by language
}

// patience is how long one exchange with the server may take where the
// context sets no nearer deadline: a 16 MiB package over a slow line.
const patience = 2 * time.Minute

// New checks the configuration and reads the templates. It does not connect.
// Its errors never repeat the URL, which may hold a password.
func New(c Config) (*Sender, error) {
	from, err := netmail.ParseAddress(c.From)
	if err == nil {
		from.Address, err = asciiDomain(from.Address)
	}
	if err != nil {
		return nil, errors.New("mail: From is not an address like \"OKVIZ <licences@okviz.example>\"")
	}
	if c.Brand.Name == "" {
		c.Brand.Name = "OKVIZ"
	}
	if from.Name == "" {
		from.Name = c.Brand.Name
	}
	s := &Sender{from: from, brand: c.Brand}
	if err := s.server(c.URL); err != nil {
		return nil, fmt.Errorf("mail: URL: %w", err)
	}
	if s.templates, err = languages(); err != nil {
		return nil, err
	}
	return s, nil
}

// server reads the SMTP server's URL.
func (s *Sender) server(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return errors.New("is not smtp[s]://[user:password@]host[:port]")
	}
	s.host = u.Hostname()
	for parameter := range u.Query() {
		if parameter != "starttls" {
			return errors.New("there is no such parameter; only starttls")
		}
	}
	policy, port := gomail.TLSMandatory, 587
	starttls := u.Query().Get("starttls")
	switch {
	case u.Scheme == "smtps" && starttls == "":
		// The dialled connection is a TLS one, which go-mail sees for itself
		// in this mode; its own SSL mode cannot dial under our context.
		policy, port, s.tls = gomail.TLSOpportunistic, 465, &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	case u.Scheme == "smtps":
		return errors.New("starttls is for smtp:, smtps: is encrypted from the start")
	case u.Scheme != "smtp":
		return errors.New("the scheme is neither smtp nor smtps")
	case starttls == "never":
		policy = gomail.NoTLS
	case starttls == "auto", starttls == "" && loopback(s.host):
		policy = gomail.TLSOpportunistic
	case starttls != "" && starttls != "required":
		return errors.New("starttls is required, auto or never")
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return errors.New("the port is not between 1 and 65535")
		}
	}
	s.options = []gomail.Option{gomail.WithPort(port), gomail.WithTLSPolicy(policy), gomail.WithTimeout(patience)}
	if u.User != nil {
		password, _ := u.User.Password()
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Deliver renders an email and hands it to the SMTP server. Sending the same
// email again carries the same Message-ID, by which mailboxes know a
// duplicate. Every failure is an *Error; when ctx ends first, it wraps
// ctx.Err(). Once the server has taken the email, Deliver succeeds.
func (s *Sender) Deliver(ctx context.Context, l billing.Email) error {
	msg, err := s.message(l)
	if err != nil {
		return err
	}
	sending, done := context.WithCancel(ctx)
	defer done() // closes a connection that go-mail has left open
	client, err := s.client(sending, msg)
	if err != nil {
		return &Error{Email: l.ID, Doing: "setting up the connection", cause: err}
	}
	err = client.DialAndSendWithContext(sending, msg)
	if err == nil || msg.IsDelivered() { // what fails after that is only the farewell
		return nil
	}
	return failure(ctx, l.ID, err)
}

// client makes the client of one delivery: go-mail watches the context while
// it dials, here the connection is cut whenever the context ends.
func (s *Sender) client(ctx context.Context, msg *gomail.Msg) (*gomail.Client, error) {
	dial := func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if s.tls == nil {
			return conn, nil
		}
		config := s.tls.Clone()
		config.RootCAs = s.roots
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(dialing); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return secure, nil
	}
	options := append(s.options[:len(s.options):len(s.options)], gomail.WithDialContextFunc(dial),
		gomail.WithTLSConfig(&tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.roots}))
	if ascii(s.from.Address) && ascii(msg.GetTo()[0].Address) {
		// Asked for without need, SMTPUTF8 makes servers further on refuse.
		options = append(options, gomail.WithoutSMTPUTF8())
	}
	return gomail.NewClient(s.host, options...)
}

// emailID is what may stand in a Message-ID and in errors.
var emailID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// message renders an email as a MIME message.
func (s *Sender) message(l billing.Email) (*gomail.Msg, error) {
	if !emailID.MatchString(l.ID) {
		return nil, &Error{Doing: "addressing", cause: errors.New("the e-mail's id is not one")}
	}
	to, err := recipient(l)
	if err != nil {
		return nil, &Error{Email: l.ID, Doing: "addressing", Permanent: true, cause: err}
	}
	kind, ok := s.written(l)
	if !ok {
		return nil, &Error{Email: l.ID, Doing: "rendering", cause: errors.New("there is no template of its kind")}
	}
	subject, text, html, err := kind.render(l, s.brand)
	if err != nil {
		return nil, &Error{Email: l.ID, Doing: "rendering", cause: err}
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(to)
	for _, address := range l.CC { // one that is not valid is left out
		if cc, err := recipient(billing.Email{Email: address}); err == nil && ascii(cc.Address) {
			msg.AddCcMailAddress(cc)
		}
	}
	msg.Subject(subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(l.ID + s.from.Address[strings.LastIndexByte(s.from.Address, '@'):])
	// Out-of-office replies would come back to an address that nobody reads.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetBodyString(gomail.TypeTextPlain, text)
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	for _, a := range l.Attachments {
		contentType := a.ContentType
		if _, _, err := mime.ParseMediaType(contentType); err != nil {
			contentType = "application/octet-stream"
		}
		msg.AttachReadSeeker(clean(a.Name), bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(contentType)))
	}
	return msg, nil
}

// recipient is whom an email goes to: the address alone, because a name may have
// been typed by anybody. Its error does not repeat the address.
func recipient(l billing.Email) (*netmail.Address, error) {
	bad := errors.New("the recipient's address is not valid")
	a, err := netmail.ParseAddress(l.Email)
	if err != nil || a.Address != l.Email {
		return nil, bad
	}
	address, err := asciiDomain(a.Address)
	if err != nil {
		return nil, bad
	}
	return &netmail.Address{Address: address}, nil
}

// asciiDomain writes the domain of an address the way that every mail server
// understands: münchen.example as xn--mnchen-3ya.example.
func asciiDomain(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	domain := address[at+1:]
	if strings.HasPrefix(domain, "[") { // a literal IP address
		return address, nil
	}
	domain, err := idna.Lookup.ToASCII(domain)
	return address[:at+1] + domain, err
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 126 }) < 0
}
