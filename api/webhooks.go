package api

import (
	"io"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

const (
	webhookPath  = "/v1/webhooks/{gateway}"
	webhookRoute = "/v1/webhooks/:gateway" // the same, as Gin spells it
	maxWebhook   = 256 << 10
)

// webhook receives an event from the gateway. The event is stored first,
// then answered, then acted on. It is a bare handler: the signature is the
// only credential, and sessions and keys do not count.
func (s *gateway) webhook(g *gin.Context) {
	if g.Param("gateway") != s.Gateway.Name() {
		writeProblem(g, problem(http.StatusNotFound, "not_found", "this gateway is not in use"))
		return
	}
	body, err := io.ReadAll(g.Request.Body) // the middleware has held it to its limit
	if err != nil {
		writeProblem(g, problem(http.StatusBadRequest, "malformed", "the body could not be read"))
		return
	}
	event, err := s.Events.Parse(g.Request.Header.Get, body)
	if err != nil {
		p := unheard(err)
		s.Log.Warn("a webhook was refused", "gateway", s.Gateway.Name(), "code", p.Code)
		writeProblem(g, p)
		return
	}
	if err := s.Events.Receive(g.Request.Context(), event); err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	g.JSON(http.StatusOK, gin.H{"received": true})
}

// unheard says why a webhook is refused, without repeating anything from it.
func unheard(err error) *Problem {
	switch code := billing.GatewayCode(err); code {
	case payments.CodeBadSignature:
		return problem(http.StatusBadRequest, code, "this webhook is not signed by the gateway, or was signed too long ago")
	case payments.CodeWrongMode:
		return problem(http.StatusBadRequest, code, "this webhook belongs to the gateway's other mode (live or test)")
	}
	return problem(http.StatusBadRequest, "malformed", "this webhook cannot be read")
}

// describeWebhook adds the route to the description: Huma knows only those that
// it serves.
func describeWebhook(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas
	doc.AddOperation(&huma.Operation{
		OperationID: "webhook", Method: http.MethodPost, Path: webhookPath, Tags: []string{"Gateway"},
		Summary:     "Receive an event of the payment gateway",
		Description: "For the payment gateway only: its signature is verified. At most 256 KiB. 200 means that the event is stored.",
		Parameters: []*huma.Param{{
			Name: "gateway", In: "path", Required: true, Description: "The configured one: sandbox or stripe.", Schema: &huma.Schema{Type: huma.TypeString},
		}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "It is stored.", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}},
			"default": {Description: "Error", Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")},
			}},
		},
	})
}
