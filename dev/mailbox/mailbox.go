package mailbox

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	// maxBytes is the largest mail taken, as at large mail providers.
	maxBytes      = 25 << 20
	maxRecipients = 100
	// patience ends a connection on which nothing is said.
	patience = time.Minute

	extension = ".eml"
	// idTime makes ids, and so file names, sort by time of arrival.
	idTime = "20060102T150405.000000000Z"
	// deliveredTo is the header that keeps the envelope's recipients in the
	// stored mail, one line each: they may not be in To or Cc.
	deliveredTo = "Delivered-To"
)

// errUnknown says that no mail has this id.
var errUnknown = errors.New("no such mail")

// Mailbox keeps mails for all addresses there are. Its methods may be called
// from several goroutines.
type Mailbox struct {
	dir  string // empty: in memory
	smtp *smtp.Server

	mu    sync.RWMutex
	mails []*stored // oldest first
	byKey map[string]bool
	again int // mails that were there already
	last  time.Time
}

// stored is a mail in the box. The raw text stays in its file if there is one.
type stored struct {
	summary
	raw []byte
}

// Open opens the mailbox in a folder, which is created when missing, with the
// mails that it holds as .eml files. An empty name keeps mails in memory.
func Open(dir string) (*Mailbox, error) {
	b := &Mailbox{dir: dir, byKey: make(map[string]bool)}
	b.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{box: b}, nil
	}))
	b.smtp.Domain = "localhost"
	b.smtp.MaxMessageBytes = maxBytes
	b.smtp.MaxRecipients = maxRecipients
	b.smtp.ReadTimeout, b.smtp.WriteTimeout = patience, patience
	b.smtp.EnableSMTPUTF8 = true
	b.smtp.ErrorLog = log.New(io.Discard, "", 0) // what a client broke, it is told itself
	if dir == "" {
		return b, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the mailbox's folder: %w", err)
	}
	entries, err := os.ReadDir(dir) // sorted by name, hence by time
	if err != nil {
		return nil, fmt.Errorf("reading the mailbox's folder: %w", err)
	}
	for _, entry := range entries {
		id, isMail := strings.CutSuffix(entry.Name(), extension)
		stamp, _, _ := strings.Cut(id, "-")
		created, err := time.Parse(idTime, stamp)
		if !isMail || err != nil {
			continue // not one of ours, or left over from a write cut short
		}
		raw, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the mailbox: %w", err)
		}
		mail := &stored{summary: decode(raw).summary}
		mail.ID, mail.Created = id, created
		b.add(mail)
	}
	return b, nil
}

// ServeSMTP takes mail on the listener until Close; it then returns nil.
func (b *Mailbox) ServeSMTP(l net.Listener) error { return b.smtp.Serve(l) }

// Close stops taking mail. What was taken can still be read.
func (b *Mailbox) Close() error {
	if err := b.smtp.Close(); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("closing the mailbox: %w", err)
	}
	return nil
}

// deliver stores a mail, safely on disk if the box has a folder, unless the
// recipients already have it.
func (b *Mailbox) deliver(recipients []string, raw []byte) error {
	var head strings.Builder
	for _, recipient := range recipients {
		fmt.Fprintf(&head, "%s: %s\r\n", deliveredTo, recipient)
	}
	raw = append([]byte(head.String()), raw...)
	mail := &stored{summary: decode(raw).summary}

	b.mu.Lock()
	defer b.mu.Unlock()
	if key := mail.key(); key != "" && b.byKey[key] {
		b.again++
		return nil
	}
	mail.Created = time.Now().UTC()
	if !mail.Created.After(b.last) {
		mail.Created = b.last.Add(1) // of one instant, or the clock was set back
	}
	mail.ID = mail.Created.Format(idTime) + "-" + rand.Text()[:8]
	if b.dir == "" {
		mail.raw = raw
	} else if err := writeFile(filepath.Join(b.dir, mail.ID+extension), raw); err != nil {
		return fmt.Errorf("storing a mail: %w", err)
	}
	b.add(mail)
	return nil
}

// Again is how often a mail was handed in that its recipients had already, by
// its Message-ID.
func (b *Mailbox) Again() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.again
}

func (b *Mailbox) add(mail *stored) {
	if key := mail.key(); key != "" {
		b.byKey[key] = true
	}
	b.mails = append(b.mails, mail)
	b.last = mail.Created
}

// find returns the newest mails that match, at most limit, how many match, and
// how many mails there are.
func (b *Mailbox) find(match func(*summary) bool, limit int) (found []summary, matching, total int) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found = []summary{}
	for _, mail := range slices.Backward(b.mails) {
		if match(&mail.summary) {
			if matching++; len(found) < limit {
				found = append(found, mail.summary)
			}
		}
	}
	return found, matching, len(b.mails)
}

// open returns a mail's summary and its raw text.
func (b *Mailbox) open(id string) (summary, []byte, error) {
	b.mu.RLock()
	i := slices.IndexFunc(b.mails, func(mail *stored) bool { return mail.ID == id })
	if i < 0 {
		b.mu.RUnlock()
		return summary{}, nil, errUnknown
	}
	mail := b.mails[i]
	b.mu.RUnlock()
	if b.dir == "" {
		return mail.summary, mail.raw, nil
	}
	raw, err := os.ReadFile(filepath.Join(b.dir, id+extension))
	if errors.Is(err, os.ErrNotExist) {
		return summary{}, nil, errUnknown // somebody tidied the folder
	}
	return mail.summary, raw, err
}

// writeFile writes a file that is either there as a whole or not at all.
func writeFile(name string, data []byte) (err error) {
	part := name + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(part, name)
}

// session is one SMTP client's connection.
type session struct {
	box        *Mailbox
	recipients []string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.recipients = append(s.recipients, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	if err := s.box.deliver(s.recipients, raw.Bytes()); err != nil {
		slog.Error("mailbox refused a mail", "error", err)
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The mail could not be stored"}
	}
	return nil
}

func (s *session) Reset()        { s.recipients = nil }
func (s *session) Logout() error { return nil }
