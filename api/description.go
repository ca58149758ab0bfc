package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

const schemaRef = "#/components/schemas/"

// tags are the groups of routes, in the order in which they are read.
var tags = []*huma.Tag{
	{Name: "Catalogue", Description: "What is sold, and for how much."},
	{Name: "Checkout", Description: "Orders and quotes."},
	{Name: "Account", Description: "What who has signed in sees and commands: subscriptions, licences, documents, cards and keys."},
	{Name: "Events", Description: "What has happened, to read or to have sent."},
	{Name: "Visuals", Description: "What visuals ask from inside a report. Open to every origin."},
	{Name: "Operator", Description: "What the vendor's operators and their systems do."},
	{Name: "Test clocks", Description: "Time that stands still between tests; in development only."},
	{Name: "Gateway", Description: "What the payment gateway sends."},
}

// completeDescription says of the routes what Huma cannot know: which answers
// they have, what fields mean, and how each is called.
func completeDescription(doc *huma.OpenAPI) {
	doc.Servers = []*huma.Server{{URL: "/", Description: "The installation that serves this description."}}
	doc.Info.License = &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}
	used := map[string]bool{}
	for _, op := range operations(doc) {
		used[op.Tags[0]] = true
	}
	for _, t := range tags {
		if used[t.Name] {
			doc.Tags = append(doc.Tags, t)
		}
	}
	describeFeed(doc)
	delete(doc.Components.Schemas.Map(), "FormFile") // a part of a form, which its route describes
	for name, schema := range doc.Components.Schemas.Map() {
		completeSchema(doc.Components.Schemas, name, schema)
	}
	doc.Components.Responses = map[string]*huma.Response{}
	for _, op := range operations(doc) {
		completeOperation(doc, op)
	}
	for _, op := range operations(doc) { // which needs all of the others
		op.Extensions["x-codeSamples"] = codeSamples(doc, op)
	}
}

// operations are all of a description, in the order of their paths.
func operations(doc *huma.OpenAPI) (list []*huma.Operation) {
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		p := doc.Paths[path]
		for _, op := range []*huma.Operation{p.Get, p.Put, p.Post, p.Patch, p.Delete} {
			if op != nil {
				list = append(list, op)
			}
		}
	}
	return list
}

// completeSchema says which objects may be null, and what each field means.
func completeSchema(schemas huma.Registry, name string, schema *huma.Schema) {
	for _, f := range reflect.VisibleFields(schemas.TypeFromRef(schemaRef + name)) {
		field, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if p := schema.Properties[field]; f.Type.Kind() == reflect.Pointer && options == "" && p != nil && p.Ref != "" {
			schema.Properties[field] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description}
		}
	}
	for field, p := range schema.Properties {
		w, known := glossary[name+"."+field]
		if !known {
			w = glossary[field]
		}
		if p.Description == "" {
			p.Description = w.doc
		}
		if fits(w.example, p) {
			p.Examples = []any{w.example}
		}
	}
}

// fits tells whether a word's example is one of a field that has none.
func fits(example any, p *huma.Schema) bool {
	if example == nil || len(p.Examples) > 0 || len(p.Enum) > 0 || p.Format == "date-time" || p.Ref != "" {
		return false
	}
	switch example.(type) {
	case string:
		return p.Type == huma.TypeString && p.Format == ""
	case int:
		return p.Type == huma.TypeInteger
	}
	return p.Type == huma.TypeBoolean
}

// completeOperation adds the answers, the key and the example of a route.
func completeOperation(doc *huma.OpenAPI, op *huma.Operation) {
	if op.Security == nil {
		op.Security = []map[string][]string{} // none is needed
	}
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	if d, goes := op.Metadata[deprecated].(deprecation); goes {
		op.Extensions["x-sunset"] = d.sunset.UTC().Format(time.DateOnly)
	}
	if known := op.Responses[strconv.Itoa(op.DefaultStatus)]; known != nil && known.Headers["Retry-After"] != nil {
		op.Responses["202"] = &huma.Response{
			Description: "The outcome is not known yet. The same request, after Retry-After, gives it later.",
			Content:     known.Content, Headers: map[string]*huma.Param{"Retry-After": known.Headers["Retry-After"]},
		}
		delete(known.Headers, "Retry-After")
	}
	refuses := []int{http.StatusTooManyRequests, http.StatusUnprocessableEntity}
	if len(op.Security) > 0 {
		refuses = append(refuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(op.Path, "{") {
		refuses = append(refuses, http.StatusNotFound)
	}
	if op.RequestBody != nil {
		refuses = append(refuses, http.StatusBadRequest)
	}
	for _, p := range op.Parameters {
		if w := glossary[p.Name]; p.Description == "" {
			p.Description = w.doc
		}
		if p.Name == keyHeader {
			refuses = append(refuses, http.StatusPaymentRequired, http.StatusConflict)
			p.Required, p.Example = true, "9f1c7a52-6d0e-4b7b-8f57-2f0f3f1f4a11"
			longest, shortest := 255, 16 // in a schema of its own: a missing key is 400 and not 422
			p.Schema = &huma.Schema{Type: huma.TypeString, MinLength: &shortest, MaxLength: &longest, Pattern: visible.String()}
		}
	}
	for _, status := range refuses {
		name := strings.ReplaceAll(http.StatusText(status), " ", "")
		if doc.Components.Responses[name] == nil {
			doc.Components.Responses[name] = &huma.Response{Description: answers[status], Content: op.Responses["default"].Content}
		}
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + name}
	}
	if body, known := examples[op.OperationID]; known {
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			panic(fmt.Sprintf("api/examples.go: %s: %v", op.OperationID, err))
		}
		for _, media := range op.RequestBody.Content {
			media.Example = v
		}
	}
}

const keyHeader = "Idempotency-Key"

// answers says what each refusal means.
var answers = map[int]string{
	http.StatusBadRequest:          "The body is not what is described, or the Idempotency-Key is missing.",
	http.StatusUnauthorized:        "No credential, or one that is not good.",
	http.StatusPaymentRequired:     "The card was declined, or there is none.",
	http.StatusForbidden:           "This credential does not allow it.",
	http.StatusNotFound:            "There is no such object, or not for this caller.",
	http.StatusConflict:            "The state does not allow it, or the Idempotency-Key was used for another request.",
	http.StatusUnprocessableEntity: "A field is wrong: errors names it.",
	http.StatusTooManyRequests:     "Too much, too fast: try again after Retry-After.",
}

// describeFeed adds the webhooks that the events of the feed are sent by. Every
// type has the schema of its object.
func describeFeed(doc *huma.OpenAPI) {
	objects := map[string]reflect.Type{
		"subscription": reflect.TypeFor[Subscription](), "trial": reflect.TypeFor[Subscription](), "license": reflect.TypeFor[License](),
		"invoice": reflect.TypeFor[Invoice](), "credit_note": reflect.TypeFor[EventCreditNote](), "refund": reflect.TypeFor[EventRefund](),
		"payment": reflect.TypeFor[EventPayment](), "quote": reflect.TypeFor[Quote](), "dispute": reflect.TypeFor[EventDispute](),
		"product": reflect.TypeFor[EventVersion](),
	}
	text := &huma.Schema{Type: huma.TypeString}
	header := func(name, about string) *huma.Param {
		return &huma.Param{Name: name, In: "header", Required: true, Description: about, Schema: text}
	}
	doc.Webhooks = map[string]*huma.PathItem{}
	for _, t := range billing.FeedTypes() {
		data := &huma.Schema{Type: huma.TypeObject}
		if object := objects[t.Of()]; object != nil {
			data = doc.Components.Schemas.Schema(object, true, object.Name())
		}
		doc.Webhooks[string(t)] = &huma.PathItem{Post: &huma.Operation{
			OperationID: "on-" + strings.NewReplacer(".", "-", "_", "-").Replace(string(t)), Tags: []string{"Events"}, Summary: string(t),
			Description: "Sent by Standard Webhooks 1.0 to the webhook endpoints that ask for it, at least once.",
			Security:    []map[string][]string{},
			Parameters: []*huma.Param{
				header("webhook-id", "The event's id: the same for each try."), header("webhook-timestamp", "When this try was made, in Unix seconds."),
				header("webhook-signature", "v1 and v1a signatures, separated by spaces."),
			},
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
				Type: huma.TypeObject, Required: []string{"type", "timestamp", "data"}, Properties: map[string]*huma.Schema{
					"type":      {Type: huma.TypeString, Enum: []any{string(t)}, Description: "What has happened."},
					"timestamp": {Type: huma.TypeString, Format: "date-time", Description: "When it happened; on a test clock, by that clock."},
					"data":      data,
				},
			}}}},
			Responses: map[string]*huma.Response{
				"2XX": {Description: "It is taken. Every other answer has it sent again."},
				"410": {Description: "Nothing more is sent to this endpoint."},
			},
		}}
	}
}
