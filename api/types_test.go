package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write anew what is made of the description; needs web/node_modules")

const (
	storedDescription = "../docs/openapi.json"
	typescriptTypes   = "../client/typescript/src/schema.ts"
	goClient          = "../client/client.gen.go"
	goGenerator       = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"
)

// The description is kept, so that a change of the API is seen, and with it the
// clients that are made of it. Those name the description that they were made from, so
// that this needs neither Node nor the generator.
func TestTheClientsAreMadeOfThisAPI(t *testing.T) {
	var d map[string]any
	check(t, json.Unmarshal(newShop(t).ask("GET", "/openapi.json", "").want(200, "").body, &d))
	for _, op := range operationsOf(d) {
		delete(op, "x-codeSamples") // they are made of the rest
	}
	stored := foldedJSON(t, d)
	made := fmt.Appendf(nil, "// Made by `make types` from docs/openapi.json %x.\n", sha256.Sum256(stored))
	if *write {
		check(t, os.WriteFile(storedDescription, stored, 0o644))
		check(t, os.WriteFile(typescriptTypes, append(made, typescript(t, d)...), 0o644))
		check(t, os.WriteFile(goClient, append(made, goCode(t, d)...), 0o644))
		return
	}
	kept, err := os.ReadFile(storedDescription)
	check(t, err)
	if !bytes.Equal(kept, stored) {
		t.Errorf("%s is of another API: run `make types`", storedDescription)
	}
	for _, file := range []string{typescriptTypes, goClient} {
		kept, err := os.ReadFile(file)
		check(t, err)
		if !bytes.HasPrefix(kept, made) {
			t.Errorf("%s is of another description: run `make types`", file)
		}
	}
}

func operationsOf(d map[string]any) (list []map[string]any) {
	paths, _ := d["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, op := range paths[path].(map[string]any) {
			list = append(list, op.(map[string]any))
		}
	}
	return list
}

// foldedJSON has a line for each path, webhook and schema.
func foldedJSON(t *testing.T, v map[string]any) []byte {
	t.Helper()
	fold := func(v any) string {
		m, isObject := v.(map[string]any)
		lines := []string{}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			text, err := json.Marshal(m[k])
			check(t, err)
			lines = append(lines, fmt.Sprintf("%q:%s", k, text))
		}
		if !isObject {
			text, err := json.Marshal(v)
			check(t, err)
			return string(text)
		}
		return "{\n" + strings.Join(lines, ",\n") + "\n}"
	}
	parts := maps.Clone(v)
	components := []string{}
	for _, k := range slices.Sorted(maps.Keys(v["components"].(map[string]any))) {
		components = append(components, fmt.Sprintf("%q:%s", k, fold(v["components"].(map[string]any)[k])))
	}
	delete(parts, "components")
	lines := []string{}
	for _, k := range slices.Sorted(maps.Keys(parts)) {
		lines = append(lines, fmt.Sprintf("%q:%s", k, fold(parts[k])))
	}
	return []byte("{\n" + strings.Join(append(lines, `"components":{`+"\n"+strings.Join(components, ",\n")+"\n}"), ",\n") + "\n}\n")
}

// typescript are the types of a description.
func typescript(t *testing.T, d map[string]any) []byte {
	t.Helper()
	in, err := json.Marshal(d)
	check(t, err)
	generate := exec.CommandContext(t.Context(), "node", "../web/node_modules/openapi-typescript/bin/cli.js", "--default-non-nullable=false")
	generate.Stdin, generate.Stderr = bytes.NewReader(in), os.Stderr
	types, err := generate.Output()
	check(t, err)
	types = append(types, "/** The commands: they take an Idempotency-Key, and may be repeated under it. */\nexport const keyed: readonly string[] = [\n"...)
	for _, path := range slices.Sorted(maps.Keys(d["paths"].(map[string]any))) {
		if op, posts := d["paths"].(map[string]any)[path].(map[string]any)["post"]; posts && strings.Contains(fmt.Sprint(op), "Idempotency-Key") {
			types = fmt.Appendf(types, "    %q,\n", path)
		}
	}
	return append(types, "];\n"...)
}

// goCode is the Go client of a description: of the routes that take and give JSON,
// without the headers, which the client's own code sets.
func goCode(t *testing.T, d map[string]any) []byte {
	t.Helper()
	text, err := json.Marshal(d)
	check(t, err)
	d = nil
	check(t, json.Unmarshal(text, &d))
	delete(d, "webhooks")
	for _, s := range d["components"].(map[string]any)["schemas"].(map[string]any) {
		delete(s.(map[string]any), "additionalProperties")
		fields, _ := s.(map[string]any)["properties"].(map[string]any)
		for name, f := range fields {
			if f.(map[string]any)["format"] == "date" {
				delete(f.(map[string]any), "format") // time has no type for a day
			}
			if either, has := f.(map[string]any)["oneOf"].([]any); has {
				fields[name] = either[0] // a Go field has one type
			}
		}
	}
	paths := d["paths"].(map[string]any)
	for path, item := range paths {
		for method, op := range item.(map[string]any) {
			op := op.(map[string]any)
			parameters := []any{}
			list, _ := op["parameters"].([]any)
			for _, p := range list {
				if in := p.(map[string]any)["in"]; in == "path" || in == "query" {
					parameters = append(parameters, p)
				}
				if p.(map[string]any)["name"] == "Idempotency-Key" {
					op["x-keyed"] = true
				}
			}
			op["parameters"] = parameters
			body, _ := op["requestBody"].(map[string]any)
			content, _ := body["content"].(map[string]any)
			delete(content, "text/plain")
			if body != nil && content["application/json"] == nil || op["operationId"] == "import-statement" {
				delete(item.(map[string]any), method)
			}
		}
		if len(item.(map[string]any)) == 0 {
			delete(paths, path)
		}
	}
	text, err = json.Marshal(d)
	check(t, err)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "openapi.json"), filepath.Join(dir, "client.go")
	check(t, os.WriteFile(in, text, 0o600))
	generate := exec.CommandContext(t.Context(), "go", "run", goGenerator, "-config", "oapi-codegen.yaml", "-o", out, in)
	generate.Dir, generate.Stderr = "../client", os.Stderr
	check(t, generate.Run())
	code, err := os.ReadFile(out)
	check(t, err)
	return code
}
