package mailbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/dev/mailbox"
)

// invoiceMail has all that the project's mails have: a subject and a name that
// are not ASCII, text and HTML as alternatives, and an attached invoice. Twice
// the same Message-ID makes it the same mail.
func invoiceMail(id string) string {
	return strings.ReplaceAll(`Message-ID: <`+id+`@okviz.example>
From: OKVIZ <billing@okviz.example>
To: =?utf-8?q?Ada_L=C3=B6velace?= <Ada@Contoso.example>
Cc: accounts@contoso.example
Subject: =?utf-8?b?SW52b2ljZSDigqwgMTIsMDA=?=
Date: Mon, 23 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Thank you, Ms L=F6velace.
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PGh0bWw+PGhlYWQ+PC9oZWFkPjxwPlRoYW5rIHlvdS48L3A+PC9odG1sPg==
--inner--
--outer
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''invoice%20%E2%82%AC.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--outer--
`, "\n", "\r\n")
}

// running is a mailbox that takes mail and answers over HTTP.
type running struct {
	smtp, http string
	stop       func()
}

func run(t *testing.T, dir string) running {
	t.Helper()
	box, err := mailbox.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- box.ServeSMTP(listener) }()
	web := httptest.NewServer(box.Handler())
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		web.Close()
		if err := box.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("ServeSMTP after Close: %v", err)
		}
	}
	t.Cleanup(stop)
	return running{listener.Addr().String(), web.URL, stop}
}

func (r running) send(t *testing.T, text string, to ...string) {
	t.Helper()
	if err := smtp.SendMail(r.smtp, nil, "bounces@okviz.example", to, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func (r running) get(t *testing.T, path string) (int, http.Header, string) {
	t.Helper()
	resp, err := http.Get(r.http + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func read[T any](t *testing.T, r running, path string) (answer T) {
	t.Helper()
	status, _, body := r.get(t, path)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return answer
}

// The types below are written from Mailpit's API description, not from this package.
type person struct{ Name, Address string }

type list struct {
	Total    int `json:"total"`
	Messages []struct {
		ID          string
		From        person
		To          []person
		Subject     string
		Created     time.Time
		Attachments int
	} `json:"messages"`
}

type message struct {
	ID          string
	From        person
	To          []person
	Subject     string
	Text, HTML  string
	Attachments []struct {
		PartID, FileName, ContentType string
		Size                          int
	}
}

func subjects(l list) []string {
	all := []string{}
	for _, m := range l.Messages {
		all = append(all, m.Subject)
	}
	return all
}

func short(subject, to string) string {
	return fmt.Sprintf("From: a@okviz.example\r\nTo: %s\r\nSubject: %s\r\n\r\nHello\r\n", to, subject)
}

func TestAMailIsReadAsTheContractSays(t *testing.T) {
	for name, dir := range map[string]string{"in memory": "", "in a folder": filepath.Join(t.TempDir(), "mail")} {
		t.Run(name, func(t *testing.T) {
			box := run(t, dir)
			before := time.Now()
			box.send(t, invoiceMail("1"), "ada@contoso.example", "accounts@contoso.example")

			got := read[list](t, box, "/api/v1/messages?limit=10")
			if got.Total != 1 || len(got.Messages) != 1 {
				t.Fatalf("got %+v, want one mail", got)
			}
			head := got.Messages[0]
			if head.ID == "" || head.Attachments != 1 || head.Created.Before(before) || head.Created.After(time.Now()) {
				t.Errorf("summary: %+v", head)
			}
			if diff := cmp.Diff([]person{{"Ada Lövelace", "Ada@Contoso.example"}}, head.To); diff != "" {
				t.Error(diff)
			}

			mail := read[message](t, box, "/api/v1/message/"+head.ID)
			want := message{
				ID: head.ID, From: person{"OKVIZ", "billing@okviz.example"}, To: head.To, Subject: "Invoice € 12,00",
				Text: "Thank you, Ms Lövelace.", HTML: "<html><head></head><p>Thank you.</p></html>",
			}
			attachments := mail.Attachments
			mail.Attachments = nil
			if diff := cmp.Diff(want, mail); diff != "" {
				t.Error(diff)
			}
			if len(attachments) != 1 {
				t.Fatalf("attachments: %+v", attachments)
			}
			file := attachments[0]
			if file.FileName != "invoice €.pdf" || file.ContentType != "application/pdf" || file.Size != 9 {
				t.Errorf("attachment: %+v", file)
			}
			status, header, body := box.get(t, "/api/v1/message/"+head.ID+"/part/"+file.PartID)
			if status != http.StatusOK || header.Get("Content-Type") != "application/pdf" || body != "%PDF-1.4\n" {
				t.Errorf("part: %d %s %q", status, header.Get("Content-Type"), body)
			}
			_, _, raw := box.get(t, "/api/v1/message/"+head.ID+"/raw")
			if !strings.HasSuffix(raw, invoiceMail("1")) {
				t.Errorf("the raw mail is not what was sent: %q", raw)
			}
		})
	}
}

func TestMailsAreStillThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	box := run(t, dir)
	box.send(t, invoiceMail("1"), "ada@contoso.example")
	box.send(t, short("Second", "bob@contoso.example"), "bob@contoso.example")
	before := read[list](t, box, "/api/v1/messages")
	box.stop()
	// What a process killed while writing leaves behind, and what is not ours.
	for _, name := range []string{"20261123T100000.000000000Z-ABCDEFGH.eml.part", "notes.eml", "README"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half a ma"), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	box = run(t, dir)
	if diff := cmp.Diff(before, read[list](t, box, "/api/v1/messages")); diff != "" {
		t.Error(diff)
	}
	box.send(t, invoiceMail("1"), "ada@contoso.example")
	if got := read[list](t, box, "/api/v1/messages"); got.Total != 2 {
		t.Errorf("%d mails after the same one came again, want 2", got.Total)
	}
}

func TestTheSameMailToTheSameRecipientsIsKeptOnce(t *testing.T) {
	box := run(t, "")
	box.send(t, invoiceMail("1"), "ada@contoso.example")
	box.send(t, invoiceMail("1"), "ADA@contoso.example")
	if got := read[list](t, box, "/api/v1/messages"); got.Total != 1 {
		t.Errorf("%d mails, want 1", got.Total)
	}
	box.send(t, invoiceMail("1"), "bob@contoso.example")
	box.send(t, invoiceMail("2"), "ada@contoso.example")
	box.send(t, short("No Message-ID", "ada@contoso.example"), "ada@contoso.example")
	box.send(t, short("No Message-ID", "ada@contoso.example"), "ada@contoso.example")
	if got := read[list](t, box, "/api/v1/messages"); got.Total != 5 {
		t.Errorf("%d mails, want 5: other recipients, another id, and no id twice", got.Total)
	}
}

func TestSearchFindsTheNewestFirst(t *testing.T) {
	box := run(t, "")
	box.send(t, short("Welcome", "Ada <ada@contoso.example>"), "ada@contoso.example")
	box.send(t, short("Your invoice", "bob@contoso.example"), "bob@contoso.example")
	box.send(t, short("Your invoice", "ada@contoso.example"), "ada@contoso.example")
	box.send(t, short("Blind copy", "bob@contoso.example"), "carol@contoso.example")
	tests := map[string]struct {
		query string
		want  []string
	}{
		"a recipient, whatever the case":   {"query=to:ADA@contoso.example", []string{"Your invoice", "Welcome"}},
		"no more than the limit":           {"query=to:ada@contoso.example&limit=1", []string{"Your invoice"}},
		"a recipient of the envelope":      {"query=to:carol@contoso.example", []string{"Blind copy"}},
		"a sender":                         {"query=from:a@okviz.example&limit=2", []string{"Blind copy", "Your invoice"}},
		"a subject":                        {"query=subject:welcome", []string{"Welcome"}},
		"a phrase and a recipient at once": {`query=subject:"your invoice" to:bob@contoso.example`, []string{"Your invoice"}},
		"a word anywhere":                  {"query=blind", []string{"Blind copy"}},
		"nothing":                          {"query=to:nobody@contoso.example", []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := "/api/v1/search?" + strings.ReplaceAll(strings.ReplaceAll(test.query, " ", "%20"), `"`, "%22")
			if diff := cmp.Diff(test.want, subjects(read[list](t, box, path))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNotThereIs404(t *testing.T) {
	box := run(t, t.TempDir())
	box.send(t, invoiceMail("1"), "ada@contoso.example")
	id := read[list](t, box, "/api/v1/messages").Messages[0].ID
	for _, path := range []string{
		"/api/v1/message/none", "/api/v1/message/none/part/1", "/api/v1/message/none/raw", "/view/none", "/view/none/html",
		"/api/v1/message/" + url.PathEscape("../"+id), "/api/v1/message/" + id + "/part/9", "/list.html",
	} {
		if status, _, _ := box.get(t, path); status != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", path, status)
		}
	}
}

func TestAMailThatIsTooLargeIsRefused(t *testing.T) {
	box := run(t, "")
	large := short("Large", "ada@contoso.example") + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 26<<10)
	err := smtp.SendMail(box.smtp, nil, "a@okviz.example", []string{"ada@contoso.example"}, []byte(large))
	if err == nil || !strings.HasPrefix(err.Error(), "552") {
		t.Errorf("26 MB: %v, want refusal 552", err)
	}
	if got := read[list](t, box, "/api/v1/messages"); got.Total != 0 {
		t.Errorf("%d mails, want none", got.Total)
	}
}

func TestThePagesShowAMailWithoutTrustingIt(t *testing.T) {
	box := run(t, "")
	box.send(t, "From: a@okviz.example\r\nTo: ada@contoso.example\r\nSubject: <script>alert(1)</script>\r\n"+
		"Content-Type: text/html\r\n\r\n<script>alert(2)</script><a href=\"http://127.0.0.1/sign-in\">Sign in</a>\r\n", "ada@contoso.example")
	id := read[list](t, box, "/api/v1/messages").Messages[0].ID

	for _, path := range []string{"/", "/?query=to:ada", "/view/" + id} {
		status, header, body := box.get(t, path)
		if status != http.StatusOK || strings.Contains(body, "<script>") || !strings.Contains(body, "&lt;script&gt;") {
			t.Errorf("GET %s: %d %s", path, status, body)
		}
		if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'self';") {
			t.Errorf("GET %s: policy %q", path, policy)
		}
	}
	_, header, body := box.get(t, "/view/"+id+"/html")
	if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox ") || strings.Contains(policy, "allow-scripts") {
		t.Errorf("the mail's own policy: %q", policy)
	}
	if !strings.HasPrefix(body, `<base target="_blank">`) {
		t.Errorf("links of the mail stay inside the frame: %s", body)
	}
	if status, header, _ := box.get(t, "/style.css"); status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/css") {
		t.Errorf("style sheet: %d %s", status, header.Get("Content-Type"))
	}
}

func TestBrokenMailsAreKeptAndShown(t *testing.T) {
	box := run(t, t.TempDir())
	broken := map[string]string{
		"no header at all":       "hello\r\n",
		"an unknown charset":     "Subject: x\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhello\r\n",
		"an unknown encoding":    "Subject: x\r\nContent-Transfer-Encoding: rot13\r\n\r\nhello\r\n",
		"a part that is cut off": "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n",
		"addresses that are not": "Subject: x\r\nTo: hello <<\r\nFrom: ;;\r\n\r\nhello\r\n",
		"base64 that is not":     "Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!hello\r\n",
	}
	for name, text := range broken {
		t.Run(name, func(t *testing.T) {
			box.send(t, text, "ada@contoso.example")
			id := read[list](t, box, "/api/v1/messages").Messages[0].ID
			read[message](t, box, "/api/v1/message/"+id)
			if status, _, _ := box.get(t, "/view/"+id); status != http.StatusOK {
				t.Errorf("page: %d", status)
			}
			if _, _, raw := box.get(t, "/api/v1/message/"+id+"/raw"); !strings.Contains(raw, "hello") {
				t.Errorf("raw: %q", raw)
			}
		})
	}
	if got := read[list](t, box, "/api/v1/search?query=to:ada@contoso.example"); len(got.Messages) != len(broken) {
		t.Errorf("%d mails found by recipient, want %d", len(got.Messages), len(broken))
	}
}
