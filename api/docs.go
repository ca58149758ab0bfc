package api

import (
	"bytes"
	_ "embed"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/licensing"
)

//go:embed docs/index.html
var docsPage []byte

//go:embed docs/docs.js
var docsScript []byte

// Redoc 2.5.1, as published.
//
//go:embed docs/redoc/redoc.standalone.js
var redoc []byte

// redocStyles are the two style elements that Redoc fills by script: an empty one, and that
// of its loading sign.
const redocStyles = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"

// docsRoutes serve the readable description: Redoc draws /openapi.json without
// asking any other machine, not even for its maker's picture.
func docsRoutes(r *gin.Engine) {
	serve := func(path, contentType string, body []byte) {
		r.GET(path, func(g *gin.Context) {
			g.Header("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src "+redocStyles+"; img-src data:; connect-src 'self'; frame-ancestors 'none'")
			g.Header("X-Content-Type-Options", "nosniff")
			g.Data(http.StatusOK, contentType, body)
		})
	}
	serve("/docs", "text/html; charset=utf-8", docsPage)
	serve("/docs/docs.js", "text/javascript; charset=utf-8", docsScript)
	serve("/docs/redoc.js", "text/javascript; charset=utf-8",
		bytes.Replace(redoc, []byte("https://cdn.redoc.ly/redoc/logo-mini.svg"), []byte("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"), 1))
}

// describeVisualRoutes adds what visuals call to the description: Huma knows
// only the routes that it serves.
func describeVisualRoutes(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas
	question := schemas.Schema(reflect.TypeFor[licensing.Question](), true, "Question")
	schemas.SchemaFromRef(question.Ref).AdditionalProperties = true
	answer := schemas.Schema(reflect.TypeFor[licensing.Answer](), true, "Answer")
	failed := &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")},
	}}
	media := func(kind string, schema *huma.Schema) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{kind: {Schema: schema}}
	}
	doc.AddOperation(&huma.Operation{
		OperationID: "check-license", Method: http.MethodPost, Path: checkPath, Tags: []string{"Visuals"},
		Summary:     "Check whether a licence is valid",
		Description: "JSON, sent as text/plain so that no preflight is needed. At most 4 KiB. Unknown fields are ignored.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"text/plain": {Schema: question}, "application/json": {Schema: question},
		}},
		Responses: map[string]*huma.Response{
			"200": {Description: "Every well-formed question is answered.", Content: media("application/json", answer)}, "default": failed,
		},
	})
	activation := schemas.Schema(reflect.TypeFor[ActivationRequest](), true, "ActivationRequest")
	schemas.SchemaFromRef(activation.Ref).AdditionalProperties = true
	doc.AddOperation(&huma.Operation{
		OperationID: "activate-license", Method: http.MethodPost, Path: activatePath, Tags: []string{"Visuals"},
		Summary:     "Activate a licence for the tenant of an Entra token",
		Description: "JSON, sent as text/plain so that no preflight is needed. At most 16 KiB. It may be repeated for the same tenant.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"text/plain": {Schema: activation}, "application/json": {Schema: activation},
		}},
		Responses: map[string]*huma.Response{
			"200": {
				Description: "The licence, its tenant, and what a check says of it.",
				Content:     media("application/json", schemas.Schema(reflect.TypeFor[ActivationAnswer](), true, "ActivationAnswer")),
			},
			"default": failed,
		},
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "jwks", Method: http.MethodGet, Path: jwksPath, Tags: []string{"Visuals"},
		Summary: "The public keys that licence tokens are signed with",
		Responses: map[string]*huma.Response{
			"200": {Description: "A JSON Web Key Set.", Content: media("application/json", &huma.Schema{Type: huma.TypeObject})}, "default": failed,
		},
	})
}
