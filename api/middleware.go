package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
)

const (
	maxBody       = 64 << 10
	maxActivation = 16 << 10
	maxCatalogue  = billing.MaxCatalogue
	maxStatement  = 1 << 20
	maxPackage    = 17 << 20 // a package of 16 MiB and what a form adds
)

func isAPI(path string) bool { return strings.HasPrefix(path, "/v1/") || path == "/v1" }

// logged counts a request and writes one line about it: no query, no names, no
// bodies.
func (s *server) logged(g *gin.Context) {
	start := time.Now()
	g.Next()
	took := time.Since(start)
	s.Metrics.Request(g.Request.Method, g.FullPath(), g.Writer.Status(), took)
	if !s.Log.Enabled(g, slog.LevelDebug) { // the line's arguments cost more than a check
		return
	}
	s.Log.Debug("request", "method", g.Request.Method, "route", g.FullPath(), "status", g.Writer.Status(), "ms", took.Milliseconds())
}

// recovered answers a panic with "internal".
func (s *server) recovered(g *gin.Context) {
	defer func() {
		if r := recover(); r != nil {
			if r == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(r)
			}
			s.Log.Error("a request panicked", "route", g.FullPath(), "panic", r)
			writeProblem(g, problem(http.StatusInternalServerError, "internal", "an internal error occurred"))
		}
	}()
	g.Next()
}

// headed sets headers by kind of route, whatever the status: the visuals'
// routes are open to every origin, the API's answers must not be cached, and a browser
// that has come by https does so for a year.
func (s *server) headed(g *gin.Context) {
	g.Header("X-Content-Type-Options", "nosniff")
	if strings.HasPrefix(s.PublicURL, "https://") {
		g.Header("Strict-Transport-Security", "max-age=31536000")
	}
	if isAPI(g.Request.URL.Path) {
		g.Header("Cache-Control", "no-store")
	}
	if openToAll(g.Request.URL.Path) {
		g.Header("Access-Control-Allow-Origin", "*")
		g.Header("Access-Control-Expose-Headers", "Retry-After")
	}
}

type bodyHash struct{}

// bodyOf identifies the body of a request.
func bodyOf(ctx context.Context) string {
	hash, _ := ctx.Value(bodyHash{}).(string)
	return hash
}

// limited reads the body, limits its size, checks that it is UTF-8, and
// keeps its hash, which identifies a repeated request.
func (s *server) limited(g *gin.Context) {
	if !isAPI(g.Request.URL.Path) {
		return
	}
	if query, err := url.QueryUnescape(g.Request.URL.RawQuery); err != nil || !utf8.ValidString(query) || !utf8.ValidString(g.Request.URL.Path) {
		writeProblem(g, problem(http.StatusBadRequest, "malformed", "the address is not UTF-8"))
		return
	}
	limit, binary := int64(maxBody), false
	switch g.FullPath() {
	case checkPath:
		return // has a limit of its own
	case activatePath:
		limit = maxActivation
	case versionRoute:
		limit, binary = maxPackage, true
	case pictureRoute:
		limit = 2 * maxPicture // base64 is a third longer
	case cataloguePath:
		limit = maxCatalogue
	case statementPath:
		limit, binary = maxStatement, true // banks have character sets of their own
	case vendorDocumentRoute:
		limit, binary = maxVendorDocument, true
	case webhookRoute:
		limit = maxWebhook
	}
	body, err := io.ReadAll(http.MaxBytesReader(g.Writer, g.Request.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeProblem(g, problem(http.StatusRequestEntityTooLarge, "too_large", "the body is too large"))
		return
	case err != nil:
		writeProblem(g, problem(http.StatusBadRequest, "malformed", "the body could not be read"))
		return
	case !binary && !utf8.Valid(body):
		writeProblem(g, problem(http.StatusBadRequest, "malformed", "the body is not UTF-8"))
		return
	}
	sum := sha256.Sum256(body)
	g.Request.Body = io.NopCloser(bytes.NewReader(body))
	g.Request = g.Request.WithContext(context.WithValue(g.Request.Context(), bodyHash{}, hex.EncodeToString(sum[:])))
	g.Next()
	if form := g.Request.MultipartForm; form != nil { // the server's own request does not know its files
		if err := form.RemoveAll(); err != nil {
			s.Log.Warn("the files of a form were not removed", "error", err)
		}
	}
}

// sameSite refuses state-changing requests that a foreign page made a browser
// send. Licence checks are exempt: they come from sandboxed frames. So are
// webhooks, which are signed, and the pages that may order here, whose cookies do not count.
func sameSite(pages *sharing) gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(g *gin.Context) {
		if openToAll(g.Request.URL.Path) || g.FullPath() == webhookRoute || pages.allows(g) {
			return
		}
		if protection.Check(g.Request) != nil {
			writeProblem(g, problem(http.StatusForbidden, "cross_site", "this request came from another web site"))
		}
	}
}
