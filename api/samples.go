package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// codeSample is how one language calls a route.
type codeSample struct {
	Lang   string `json:"lang"`
	Label  string `json:"label"`
	Source string `json:"source"`
}

// codeSamples are a route's calls with curl, and with the clients for Go and
// TypeScript of client/.
func codeSamples(doc *huma.OpenAPI, op *huma.Operation) []codeSample {
	list := []codeSample{{"Shell", "curl", curlSample(op)}}
	if clientLacks(op) {
		return list
	}
	return append(list, codeSample{"Go", "Go", goSample(doc, op)}, codeSample{"TypeScript", "TypeScript", typescriptSample(op)})
}

// clientLacks tells whether a route is none that the clients call: the
// gateway's, and what takes no JSON.
func clientLacks(op *huma.Operation) bool {
	return op.RequestBody != nil && (op.RequestBody.Content["application/json"] == nil || op.RequestBody.Content["application/json"].Example == nil)
}

// samplePath fills a path's parameters with ids of their kind.
func samplePath(path string) string {
	id := "sub_01JZ5Q0V8N6C7K9T1B2D3F4G5H"
	for part, prefix := range map[string]string{"/licenses/": "lic", "/invoices/": "inv", "/quotes/": "quo", "/test-clocks/": "clk", "/webhook-endpoints/": "whe", "/mails/": "mai", "/api-keys/": "key", "/payment-methods/": "pm", "/sessions/": "ses"} {
		if strings.Contains(path, part) {
			id = prefix + "_01JZ5Q0V8N6C7K9T1B2D3F4G5H"
		}
	}
	if strings.Contains(path, "/products/") {
		id = "calendar-pro"
	}
	return strings.NewReplacer("{id}", id, "{version}", "2.4.2", "{code}", "SPRING", "{gateway}", "stripe").Replace(path)
}

// sampleParameter is what samplePath puts in place of a path's parameter.
func sampleParameter(op *huma.Operation, name string) string {
	before, _, _ := strings.Cut(op.Path, "{"+name+"}")
	before = samplePath(before)
	value, _, _ := strings.Cut(strings.TrimPrefix(samplePath(op.Path), before), "/")
	return value
}

func curlSample(op *huma.Operation) string {
	lines := []string{"curl"}
	if op.Method != "GET" {
		lines[0] += " -X " + op.Method
	}
	lines[0] += ` "$OKVIZ_URL` + samplePath(op.Path) + `"`
	if len(op.Security) > 0 {
		lines = append(lines, `-H "Authorization: Bearer $OKVIZ_KEY"`)
	}
	if keyed(op) {
		lines = append(lines, `-H "Idempotency-Key: $(uuidgen)"`)
	}
	if body := sampleBody(op); body != "" {
		lines = append(lines, `-H "Content-Type: application/json"`, "-d '"+strings.ReplaceAll(body, "'", `'\''`)+"'")
	}
	return strings.Join(lines, " \\\n  ")
}

func keyed(op *huma.Operation) bool {
	return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == keyHeader })
}

// sampleBody is a route's example, indented.
func sampleBody(op *huma.Operation) string {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil || op.RequestBody.Content["application/json"].Example == nil {
		return ""
	}
	body, err := json.MarshalIndent(op.RequestBody.Content["application/json"].Example, "", "  ")
	if err != nil {
		panic(err) // it was read from JSON
	}
	return string(body)
}

func typescriptSample(op *huma.Operation) string {
	call := fmt.Sprintf("await okviz.%s('%s'", strings.ToLower(op.Method), op.Path)
	var more []string
	var path []string
	for _, p := range op.Parameters {
		if p.In == "path" {
			path = append(path, fmt.Sprintf("%s: '%s'", p.Name, sampleParameter(op, p.Name)))
		}
	}
	if path != nil {
		more = append(more, "path: { "+strings.Join(path, ", ")+" }")
	}
	if body := sampleBody(op); body != "" {
		more = append(more, "body: "+body)
	}
	if len(more) > 0 {
		call += ", { " + strings.Join(more, ", ") + " }"
	}
	return call + ");"
}

// goSample is a call of the Go client: context, the path's parameters, the query's, the body.
func goSample(doc *huma.OpenAPI, op *huma.Operation) string {
	args := []string{"ctx"}
	hasQuery := false
	for _, p := range op.Parameters {
		switch p.In {
		case "path":
			args = append(args, fmt.Sprintf("%q", sampleParameter(op, p.Name)))
		case "query":
			hasQuery = true
		}
	}
	name := goName(op.OperationID)
	if hasQuery {
		args = append(args, "client."+name+"Params{}")
	}
	if op.RequestBody != nil {
		media := op.RequestBody.Content["application/json"]
		args = append(args, goValue(doc, media.Schema, media.Example, name+"JSONRequestBody", ""))
	}
	return "result, err := okviz." + name + "(" + strings.Join(args, ", ") + ")"
}

// goName is how the Go client calls what the description calls in-this-way or in_this_way.
func goName(s string) string {
	name := strings.Builder{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '_' }) {
		switch up := strings.ToUpper(part); up {
		case "ID", "API", "URL":
			name.WriteString(up)
		default:
			name.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return name.String()
}

// goValue writes an example as a Go literal of its schema's type, which is named so where
// the schema is no component.
func goValue(doc *huma.OpenAPI, s *huma.Schema, v any, named, indent string) string {
	if s.Ref != "" {
		named = goName(strings.TrimPrefix(s.Ref, schemaRef))
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	switch v := v.(type) {
	case map[string]any:
		fields := ""
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if v[name] != nil {
				fields += fmt.Sprintf("%s  %s: %s,\n", indent, goName(name), goValue(doc, s.Properties[name], v[name], "", indent+"  "))
			}
		}
		if fields != "" {
			fields = "\n" + fields + indent
		}
		return "client." + named + "{" + fields + "}"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = goValue(doc, s.Items, v[i], "", indent)
		}
		return "[]string{" + strings.Join(parts, ", ") + "}"
	case string:
		if s.Format == "date-time" {
			at, err := time.Parse(time.RFC3339, v)
			if err != nil {
				panic(err) // an example's
			}
			return at.Format("time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC)")
		}
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}
