package mailbox

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

const (
	// defaultLimit is Mailpit's.
	defaultLimit = 50
	pageLimit    = 200

	// pagePolicy allows our own style sheet and the frame with a mail.
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// mailPolicy shows a mail without scripts, forms and anything from the
	// network; its links open outside the sandbox, in a tab of their own.
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'self'"
	// partPolicy is for files that a mail brought.
	partPolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"
)

var (
	//go:embed list.html mail.html style.css
	files embed.FS
	pages = template.Must(template.ParseFS(files, "*.html"))
	head  = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)
)

// Handler serves the API under /api/v1 and the pages.
func (b *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/messages", b.listMails)
	mux.HandleFunc("GET /api/v1/search", b.listMails)
	mux.HandleFunc("GET /api/v1/message/{id}", b.withMail(func(w http.ResponseWriter, _ *http.Request, c content, _ []byte) {
		writeJSON(w, c)
	}))
	mux.HandleFunc("GET /api/v1/message/{id}/raw", b.withMail(func(w http.ResponseWriter, _ *http.Request, _ content, raw []byte) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write(raw)
	}))
	mux.HandleFunc("GET /api/v1/message/{id}/part/{part}", b.withMail(sendPart))
	mux.HandleFunc("GET /view/{id}", b.withMail(func(w http.ResponseWriter, _ *http.Request, c content, _ []byte) {
		writePage(w, "mail.html", c)
	}))
	mux.HandleFunc("GET /view/{id}/html", b.withMail(sendHTML))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query().Get("query")
		mails, matching, _ := b.find(parseQuery(query), pageLimit)
		writePage(w, "list.html", map[string]any{"Query": query, "Mails": mails, "Matching": matching})
	})
	mux.Handle("GET /style.css", http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pagePolicy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// listMails answers both the list and the search; a list is a search for
// nothing in particular. As in Mailpit, total counts the whole mailbox and
// messages_count what was searched for.
func (b *Mailbox) listMails(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		limit = defaultLimit
	}
	query := ""
	if r.URL.Path == "/api/v1/search" {
		if query = r.URL.Query().Get("query"); query == "" {
			http.Error(w, "no search query", http.StatusBadRequest)
			return
		}
	}
	mails, matching, total := b.find(parseQuery(query), limit)
	writeJSON(w, map[string]any{"total": total, "messages_count": matching, "messages": mails})
}

// withMail finds the mail that the path names, or answers 404.
func (b *Mailbox) withMail(serve func(http.ResponseWriter, *http.Request, content, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, raw, err := b.open(r.PathValue("id"))
		switch {
		case errors.Is(err, errUnknown):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			slog.Error("mailbox cannot read a mail", "error", err)
			http.Error(w, "the mail cannot be read", http.StatusInternalServerError)
		default:
			c := decode(raw)
			c.summary = s
			serve(w, r, c, raw)
		}
	}
}

func sendPart(w http.ResponseWriter, r *http.Request, c content, _ []byte) {
	for _, a := range c.Attachments {
		if a.PartID == r.PathValue("part") {
			name := a.FileName
			if name == "" {
				name = "part-" + a.PartID
			}
			w.Header().Set("Content-Security-Policy", partPolicy)
			w.Header().Set("Content-Type", a.ContentType)
			w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
			w.Header().Set("Content-Length", strconv.Itoa(a.Size))
			w.Write(a.data)
			return
		}
	}
	http.Error(w, "no such part", http.StatusNotFound)
}

// sendHTML serves a mail for the frame, with a line that opens links elsewhere:
// inside the frame's sandbox, a sign-in page would have no cookies.
func sendHTML(w http.ResponseWriter, _ *http.Request, c content, _ []byte) {
	const target = `<base target="_blank">`
	page := c.HTML
	if at := head.FindStringIndex(page); at != nil {
		page = page[:at[1]] + target + page[at[1]:]
	} else {
		page = target + page
	}
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, page)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		slog.Debug("mailbox answer cut off", "error", err)
	}
}

func writePage(w http.ResponseWriter, name string, data any) {
	var page strings.Builder
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		slog.Error("mailbox page", "error", err)
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, page.String())
}
