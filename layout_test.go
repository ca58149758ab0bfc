// Package okviz_test holds the layout of the project: who may import what.
package okviz_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/okviz/licensing/"

// ours says which of the project's packages a package may import directly.
// Where it is not named, it may import the pure rules alone.
var ours = map[string][]string{
	"billing":            {"licensing"},
	"billing/vies":       {"billing"},
	"licensing":          {},
	"licensing/pbiviz":   {},
	"licensing/entra":    {"billing"},
	"workflows":          {"activities", "billing", "licensing"},
	"activities":         {"billing", "licensing"},
	"worker":             {"activities", "billing", "workflows"},
	"delivery/documents": {"billing"},
	"delivery/mail":      {"billing", "licensing"},
	"delivery/webhooks":  {"billing"},
	"delivery/packages":  {"billing", "licensing", "licensing/pbiviz"},
	"models":             {"billing", "licensing", "payments/sandbox"},
	"commands":           {"billing", "licensing", "workflows"},
	"backoffice":         {"backoffice/moving", "billing", "commands", "payments/statement"},
	"backoffice/moving":  {"billing", "licensing"},
	"backoffice/signin":  {"billing"},
	"licensing/checks":   {"billing", "licensing"},
	"payments/events":    {"billing", "commands", "licensing", "payments"},
	"api":                {"backoffice", "backoffice/signin", "billing", "commands", "licensing", "licensing/checks", "licensing/pbiviz", "payments", "payments/events", "payments/sandbox"},
	"payments":           {"billing"},
	"payments/sandbox":   {"billing", "payments"},
	"payments/stripe":    {"billing", "payments"},
	"payments/statement": {"billing"},
	"web":                {},
	"visual":             {},
	"engine":             {anything},
	"cmd/okviz":          {anything},
}

const anything = "*"

var pureRules = []string{"billing", "licensing"}

// theirs says which packages may import a library, or a part of the standard
// library that does more than compute. The longest prefix counts.
var theirs = map[string][]string{
	"gorm.io":                     {"models"},
	"database/sql":                {"models"},
	"database/sql/driver":         {"commands", "models"}, // commands: to tell that the database is away
	"github.com/go-sql-driver":    {"models"},
	"modernc.org/sqlite":          {"models"},
	"github.com/pressly/goose":    {"models"},
	"github.com/gin-gonic":        {"api", "web"},
	"github.com/danielgtaylor":    {"api"},
	"net/http":                    {"api", "backoffice/signin", "billing/vies", "cmd/okviz", "delivery/webhooks", "engine", "licensing/entra", "payments/sandbox", "payments/stripe", "web"},
	"net":                         {"cmd/okviz", "commands", "delivery/mail", "delivery/webhooks", "engine", "payments/stripe", "web"},
	"net/url":                     {anything}, // computes only
	"net/mail":                    {anything}, // likewise
	"net/netip":                   {anything}, // likewise
	"github.com/prometheus":       {"engine"},
	"github.com/wneessen/go-mail": {"delivery/mail"},
	"code.dny.dev":                {"delivery/webhooks"},
	"go.temporal.io":              {"activities", "commands", "engine", "worker", "workflows"},
	"go.temporal.io/sdk/client":   {"commands", "engine", "worker", "workflows"}, // workflows: how a run is started
	"go.temporal.io/sdk/workflow": {"worker", "workflows"},                       // worker: how versions are followed, what is replayed
	"log":                         {"activities", "api", "backoffice", "cmd/okviz", "commands", "delivery/webhooks", "engine", "licensing/checks", "payments/events", "worker"},
	"log/slog":                    {"activities", "api", "backoffice", "cmd/okviz", "commands", "delivery/webhooks", "engine", "licensing/checks", "payments/events", "worker", "licensing"}, // Key.LogValue
	"os":                          {"cmd/okviz", "engine", "models"},                                                                                                                         // models: the certificates that DATABASE_URL names
	"testing":                     {},
}

// pure are the only libraries of the packages that only compute.
var pure = map[string][]string{
	"billing":          {"github.com/bojanz/currency", "go.yaml.in/yaml/v3", "golang.org/x/net/publicsuffix"},
	"licensing":        {"github.com/axiomhq/hyperloglog", "github.com/go-jose/go-jose/v4", "golang.org/x/net/idna", "golang.org/x/net/publicsuffix"},
	"licensing/pbiviz": {},
}

// clockless are the packages into which time comes as an argument.
var clockless = []string{"billing", "licensing", "licensing/pbiviz", "workflows", "activities", "delivery/documents", "delivery/packages", "payments", "payments/sandbox", "payments/statement"}

type pkg struct {
	Dir        string
	ImportPath string
	GoFiles    []string
	Imports    []string
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// forTests are packages that only tests import; they may import what they
// like.
func forTests(name string) bool { return strings.HasSuffix(name, "test") }

func packages(t *testing.T) []pkg {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("go", "list", "-deps=false", "-json=Dir,ImportPath,GoFiles,Imports", "./...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var list []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 && !forTests(p.name()) {
			list = append(list, p)
		}
	}
}

func within(path, prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }

func allowed(name string, list []string) bool {
	return slices.Contains(list, anything) || slices.Contains(list, name)
}

func TestImportsGoOneWay(t *testing.T) {
	list := packages(t)
	if len(list) < 10 {
		t.Fatalf("only %d packages were found", len(list))
	}
	for _, p := range list {
		for _, path := range p.Imports {
			if own, ok := strings.CutPrefix(path, module); ok {
				may, named := ours[p.name()]
				if !named {
					may = pureRules
				}
				if !allowed(own, may) || forTests(own) {
					t.Errorf("%s imports %s, which it may not: %v", p.name(), own, may)
				}
				continue
			}
			longest := ""
			for prefix := range theirs {
				if within(path, prefix) && len(prefix) > len(longest) {
					longest = prefix
				}
			}
			if longest != "" && !allowed(p.name(), theirs[longest]) {
				t.Errorf("%s imports %s, which is for %v", p.name(), path, theirs[longest])
			}
			library := strings.Contains(strings.SplitN(path, "/", 2)[0], ".")
			if few, ok := pure[p.name()]; ok && library && !slices.ContainsFunc(few, func(f string) bool { return within(path, f) }) {
				t.Errorf("%s imports %s; it only computes, and may use %v", p.name(), path, few)
			}
		}
	}
}

func TestTimeComesInAsAnArgument(t *testing.T) {
	clocks := map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc", "LoadLocation", "Local"},
	}
	seen := 0
	for _, p := range packages(t) {
		if !slices.Contains(clockless, p.name()) {
			continue
		}
		seen++
		for _, file := range p.GoFiles {
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if of, ok := s.X.(*ast.Ident); ok && slices.Contains(clocks[of.Name], s.Sel.Name) {
						t.Errorf("%s/%s:%d uses %s.%s", p.name(), file, set.Position(s.Pos()).Line, of.Name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
	if seen != len(clockless) {
		t.Errorf("%d of %d packages were found", seen, len(clockless))
	}
}
