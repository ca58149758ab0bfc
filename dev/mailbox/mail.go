package mailbox

import (
	"bytes"
	"io"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // decodes what is not UTF-8
	messagemail "github.com/emersion/go-message/mail"
)

// address, summary, content and attachment are what the API shows; the names of
// their fields are Mailpit's.
type address struct {
	Name    string
	Address string
}

type summary struct {
	ID          string
	MessageID   string
	From        address
	To          []address
	Cc          []address
	Subject     string
	Created     time.Time // of arrival, UTC
	Attachments int

	recipients []string // the envelope's
}

type content struct {
	summary
	Text        string
	HTML        string
	Attachments []attachment
}

type attachment struct {
	PartID      string
	FileName    string
	ContentType string
	Size        int // bytes, decoded

	data []byte
}

// key is equal for the same mail to the same recipients; a mail without a
// Message-ID has none.
func (s *summary) key() string {
	if s.MessageID == "" {
		return ""
	}
	return s.MessageID + " " + strings.Join(s.recipients, " ")
}

// decode reads a mail. A mail that breaks the rules is decoded as far as it
// goes, because it is the one that a developer needs to see.
func decode(raw []byte) content {
	c := content{Attachments: []attachment{}}
	c.recipients, raw = envelope(raw)
	entity, err := message.Read(bytes.NewReader(raw))
	if entity == nil {
		c.Subject, c.To, c.Cc = "(not a mail: "+err.Error()+")", []address{}, []address{}
		c.Text = strings.ToValidUTF8(string(raw), "\ufffd")
		return c
	}
	h := messagemail.Header{Header: entity.Header}
	c.To, c.Cc = addresses(h, "To"), addresses(h, "Cc")
	if from := addresses(h, "From"); len(from) > 0 {
		c.From = from[0]
	}
	c.Subject, _ = h.Subject() // falls back to the encoded text
	c.MessageID, _ = h.MessageID()

	var texts, pages []string
	// An error ends the walk at a part that is cut off; the parts before it
	// are there. A part in an unknown charset or encoding comes as it is.
	_ = entity.Walk(func(path []int, part *message.Entity, _ error) error {
		kind, _, _ := part.Header.ContentType()
		if strings.HasPrefix(kind, "multipart/") {
			return nil
		}
		body, err := io.ReadAll(part.Body)
		disposition, _, _ := part.Header.ContentDisposition()
		name, _ := (&messagemail.AttachmentHeader{Header: part.Header}).Filename()
		isText := (kind == "text/plain" || kind == "text/html") && disposition != "attachment" && name == ""
		switch {
		case isText && kind == "text/plain":
			texts = append(texts, string(body))
		case isText:
			pages = append(pages, string(body))
		default:
			if kind == "" {
				kind = "application/octet-stream" // unreadable
			}
			c.Attachments = append(c.Attachments, attachment{
				PartID: partID(path), FileName: name, ContentType: kind, Size: len(body), data: body,
			})
		}
		return err
	})
	c.Text, c.HTML = strings.Join(texts, "\n"), strings.Join(pages, "\n")
	c.summary.Attachments = len(c.Attachments)
	return c
}

// envelope reads the recipients that deliver wrote above a mail, in lower case
// and sorted, and returns what comes below them.
func envelope(raw []byte) (recipients []string, mail []byte) {
	for {
		line, below, _ := bytes.Cut(raw, []byte("\r\n"))
		recipient, is := bytes.CutPrefix(line, []byte(deliveredTo+": "))
		if !is {
			slices.Sort(recipients)
			return recipients, raw
		}
		recipients, raw = append(recipients, strings.ToLower(string(recipient))), below
	}
}

// partID numbers parts from one, dots between levels: "2", "1.3".
func partID(path []int) string {
	if len(path) == 0 {
		return "1"
	}
	steps := make([]string, len(path))
	for i, step := range path {
		steps[i] = strconv.Itoa(step + 1)
	}
	return strings.Join(steps, ".")
}

// addresses reads a header of addresses; one that cannot be read is shown as it
// was written.
func addresses(h messagemail.Header, name string) []address {
	found := []address{}
	list, err := h.AddressList(name)
	if err != nil {
		list = []*mail.Address{{Name: h.Get(name)}}
	}
	for _, a := range list {
		found = append(found, address{a.Name, a.Address})
	}
	return found
}
