package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/rs/cors"
)

// sharing lets scripts of the operator's other pages call what a shop's page needs: the
// routes that are open to guests, or to who holds an order's or a quote's token.
type sharing struct {
	origins []string
	routes  map[string]bool // by Gin's pattern
	headers *cors.Cors
}

// newSharing is of no use before its routes are registered.
func newSharing(origins []string) *sharing {
	return &sharing{origins, map[string]bool{}, cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool { return slices.Contains(origins, origin) },
		AllowedMethods:  []string{http.MethodGet, http.MethodPost},
		AllowedHeaders:  []string{"Authorization", "Content-Type", keyHeader},
		ExposedHeaders:  []string{"Content-Disposition", "Deprecation", "Retry-After", "Sunset"},
		MaxAge:          7200, // seconds; browsers keep it no longer
	})}
}

// register answers preflights of the routes that are shared.
func (s *sharing) register(r *gin.Engine, doc *huma.OpenAPI) {
	if len(s.origins) == 0 {
		return
	}
	for _, op := range operations(doc) {
		pattern := strings.NewReplacer("{", ":", "}", "").Replace(op.Path)
		if !shared(op) || s.routes[pattern] {
			continue
		}
		s.routes[pattern] = true
		r.OPTIONS(pattern, func(g *gin.Context) { g.Status(http.StatusNoContent) }) // share has answered a preflight
	}
}

// shared tells whether a page of another origin may call an operation. Signing in is left to
// the installation's own pages.
func shared(op *huma.Operation) bool {
	open := len(op.Security) == 0 || slices.ContainsFunc(op.Security, func(s map[string][]string) bool {
		return s["checkout"] != nil || s["quote"] != nil
	})
	return open && (op.Method == http.MethodGet || op.Method == http.MethodPost) &&
		!openToAll(op.Path) && op.Path != webhookPath && !strings.HasPrefix(op.Path, operatorPath) && !strings.HasPrefix(op.Path, "/v1/login")
}

// share is the middleware. What comes from another origin is nobody's session: its cookies do not
// count.
func (s *sharing) share(g *gin.Context) {
	if !s.routes[g.FullPath()] || g.GetHeader("Origin") == "" {
		return
	}
	s.headers.HandlerFunc(g.Writer, g.Request)
	if s.allows(g) {
		g.Request.Header.Del("Cookie")
	}
	if g.Request.Method == http.MethodOptions {
		g.Abort()
	}
}

// allows tells whether a request comes from a page that may send it.
func (s *sharing) allows(g *gin.Context) bool {
	return s.routes[g.FullPath()] && slices.Contains(s.origins, g.GetHeader("Origin"))
}
