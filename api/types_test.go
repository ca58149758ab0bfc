package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

var write = flag.Bool("write", false, "write web/types/api.d.ts anew; needs web/node_modules")

// The pages are checked against types made from the API's description. The
// file names the description that it was made from, so that this needs no Node.
func TestThePagesTypesAreOfThisAPI(t *testing.T) {
	const file = "../web/types/api.d.ts"
	var d map[string]any
	check(t, json.Unmarshal(newShop(t).ask("GET", "/openapi.json", "").want(200, "").body, &d))
	delete(d, "info") // title and version make no types
	description, err := json.Marshal(d)
	check(t, err)
	head := fmt.Appendf(nil, "// Made by `make types` from the API's description %x.\n", sha256.Sum256(description))
	if *write {
		d["info"] = map[string]any{"title": "", "version": ""}
		description, err = json.Marshal(d)
		check(t, err)
		generate := exec.CommandContext(t.Context(), "node", "../web/node_modules/openapi-typescript/bin/cli.js", "--default-non-nullable=false")
		generate.Stdin, generate.Stderr = bytes.NewReader(description), os.Stderr
		types, err := generate.Output()
		check(t, err)
		check(t, os.WriteFile(file, append(head, types...), 0o644))
		return
	}
	kept, err := os.ReadFile(file)
	check(t, err)
	if !bytes.HasPrefix(kept, head) {
		t.Errorf("%s is of another description: run `make types`", file)
	}
}
