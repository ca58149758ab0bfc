package api

import (
	"os"
	"strings"
	"testing"
)

// Every code that a command may be refused with is listed for integrators or
// for operators.
func TestTheDocsListEveryCode(t *testing.T) {
	var pages strings.Builder
	for _, file := range []string{"../docs/integrators.md", "../docs/operators.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pages.Write(text)
	}
	for code := range statuses {
		if !strings.Contains(pages.String(), "`"+string(code)+"`") {
			t.Errorf("neither docs/integrators.md nor docs/operators.md lists %s", code)
		}
	}
}
