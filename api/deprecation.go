package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// deprecation says since when an operation should not be used any more (RFC
// 9745), and from when on it may be gone (RFC 8594).
type deprecation struct{ since, sunset time.Time }

const deprecated = "deprecation"

// deprecate marks an operation that goes: in the description, and in the headers of
// each of its answers. docs/api-changes.md says how long it stays, and has a line about each.
func deprecate(since, sunset time.Time) func(*huma.Operation) {
	return func(op *huma.Operation) {
		op.Deprecated = true
		if op.Metadata == nil {
			op.Metadata = map[string]any{}
		}
		op.Metadata[deprecated] = deprecation{since, sunset}
	}
}

// announce adds the headers of an operation that goes.
func announce(ctx huma.Context, next func(huma.Context)) {
	if d, goes := ctx.Operation().Metadata[deprecated].(deprecation); goes {
		ctx.SetHeader("Deprecation", fmt.Sprintf("@%d", d.since.Unix()))
		ctx.SetHeader("Sunset", d.sunset.UTC().Format(http.TimeFormat))
		ctx.SetHeader("Link", `</docs>; rel="deprecation"; type="text/html"`)
	}
	next(ctx)
}
