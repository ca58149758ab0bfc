package web

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed page.html pages.json console.json assets/*.js assets/operator assets/*.css assets/words assets/lit-html/LICENSE assets/lit-html/*.js icons pictures
var files embed.FS

// policy lets pages use what this package serves and the API of the same host,
// and nothing else: no inline code or style, no other host, no frame around them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// pageAddress matches the addresses that have a page: pages.json lists them, for
// assets/main.js too, and console.json those of the operators' console, for
// assets/operator/main.js. Whether there is such a product, subscription or licence
// only the API knows.
func pageAddress(list []byte) *regexp.Regexp {
	var pages map[string]string
	if err := json.Unmarshal(list, &pages); err != nil {
		panic(err) // the binary was built wrong, which a test excludes
	}
	return regexp.MustCompile("^(?:" + strings.Join(slices.Collect(maps.Values(pages)), "|") + ")$")
}

// Brand is what makes the pages a vendor's own.
type Brand struct {
	Name    string
	Logo    []byte // an SVG or PNG picture; empty: ours
	Style   []byte // a style sheet that comes after ours; empty: none
	Terms   string // addresses; what is empty is not linked
	Privacy string
	Support string
}

// module tells the pages of the brand.
func (b Brand) module() file {
	doc, err := json.Marshal(map[string]string{"name": b.Name, "terms": b.Terms, "privacy": b.Privacy, "support": b.Support})
	if err != nil {
		panic(err) // of strings
	}
	return newModule(doc)
}

// newModule is JSON as a module that others import.
func newModule(doc []byte) file {
	return newFile(fmt.Appendf(nil, "export default %s;\n", bytes.TrimSpace(doc)), contentTypes[".js"])
}

// served are the brand's own files, by address.
func (b Brand) served(logo []byte) map[string]file {
	if len(b.Logo) > 0 {
		logo = b.Logo
	}
	kind := contentTypes[".svg"]
	if bytes.HasPrefix(logo, []byte("\x89PNG")) {
		kind = "image/png"
	}
	return map[string]file{
		"/brand/brand.js":  b.module(),
		"/brand/style.css": newFile(b.Style, contentTypes[".css"]),
		"/brand/logo":      newFile(logo, kind),
	}
}

// file is an embedded file as it is sent.
type file struct {
	body        []byte
	contentType string
	etag        string
	kept        string            // Cache-Control; empty: kept, but asked about each time
	encoded     map[string][]byte // the body by content encoding
}

func newFile(body []byte, contentType string) file {
	sum := sha256.Sum256(body)
	return file{body: body, contentType: contentType, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".webp": "image/webp",
	"":      "text/plain; charset=utf-8",
}

// Handler serves the pages, for every address that is no route of the API.
// Unknown addresses are 404, with the page that says so.
func Handler(b Brand) http.Handler {
	served := load(files)
	list, consoles := served["/pages.json"].body, served["/console.json"].body
	served["/assets/pages.js"], served["/assets/operator/pages.js"] = newModule(list), newModule(consoles)
	page, console := pageAddress(list), pageAddress(consoles)
	maps.Copy(served, b.served(served["/icons/brand.svg"].body))
	bundled, named := bundle(served)
	shellOf := func(part string) file {
		return newFile([]byte(strings.NewReplacer("{brand}", html.EscapeString(b.Name), "{script}", named[part+".js"], "{style}", named[part+".css"]).
			Replace(string(served["/page.html"].body))), contentTypes[".html"]).compressed()
	}
	shell, consoleShell := shellOf("pages"), shellOf("console")
	for address, f := range bundled {
		served[address] = f.compressed()
	}
	delete(served, "/page.html") // it is sent at the addresses of pages only
	delete(served, "/pages.json")
	delete(served, "/console.json")
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
		f, ok := served[r.URL.Path]
		switch {
		case ok:
		case page.MatchString(r.URL.Path):
			f = shell
		case console.MatchString(r.URL.Path):
			f = consoleShell
		default:
			h.Set("Content-Type", shell.contentType)
			h.Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNotFound)
			if r.Method == http.MethodGet {
				_, _ = w.Write(shell.body) // it fails when the client has gone
			}
			return
		}
		h.Set("Content-Type", f.contentType)
		h.Set("ETag", f.etag)
		h.Set("Cache-Control", cmp.Or(f.kept, "no-cache"))
		body := f.body
		if len(f.encoded) > 0 {
			h.Set("Vary", "Accept-Encoding")
			var encoding string
			if encoding, body = f.accepted(r); encoding != "" {
				h.Set("Content-Encoding", encoding)
				h.Set("ETag", strings.TrimSuffix(f.etag, `"`)+"-"+encoding+`"`)
			}
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
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
		f := newFile(body, contentTypes[path.Ext(name)])
		if strings.HasPrefix(name, "icons/") || strings.HasPrefix(name, "pictures/") {
			f.kept = "public, max-age=86400"
		}
		served["/"+name] = f
		return err
	})
	if err != nil {
		panic(err)
	}
	return served
}
