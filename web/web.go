package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

//go:embed page.html assets icons
var files embed.FS

// policy lets pages use what this package serves and the API beside it, and
// nothing else: no inline code or style, no other host, no frame around them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// page is every address that has a page of its own. Which products,
// subscriptions and licences there are only the API knows.
var page = regexp.MustCompile(`^/(|checkout|products/[a-z0-9]+(-[a-z0-9]+)*|quotes/quo_[0-9A-Z]{26}|login|account` +
	`(/orders|/licenses(/lic_[0-9A-Z]{26})?|/subscriptions(/sub_[0-9A-Z]{26}(/change)?)?)?)$`)

// file is an embedded file as it is sent.
type file struct {
	body        []byte
	contentType string
	etag        string
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	"":      "text/plain; charset=utf-8",
}

// Handler serves the pages, for every address that is no route of the API.
// Unknown addresses are 404, with the page that says so.
func Handler() http.Handler {
	served := load(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		shell := served["/page.html"]
		f, ok := served[r.URL.Path]
		switch {
		case ok && r.URL.Path != "/page.html":
		case page.MatchString(r.URL.Path):
			f = shell
		default:
			h.Set("Content-Type", shell.contentType)
			h.Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNotFound)
			if r.Method == http.MethodGet {
				_, _ = w.Write(shell.body) // whoever asked has gone
			}
			return
		}
		h.Set("Content-Type", f.contentType)
		h.Set("ETag", f.etag)
		// Kept, but asked about each time: modules of two releases must not mix.
		h.Set("Cache-Control", "no-cache")
		if strings.HasPrefix(r.URL.Path, "/icons/") {
			h.Set("Cache-Control", "public, max-age=86400")
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	})
}

// load reads what is embedded, by address. It panics where the binary was
// built wrong, which a test excludes.
func load(root fs.FS) map[string]file {
	served := map[string]file{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		sum := sha256.Sum256(body)
		served["/"+name] = file{body, contentTypes[path.Ext(name)], `"` + hex.EncodeToString(sum[:16]) + `"`}
		return err
	})
	if err != nil {
		panic(err)
	}
	return served
}
