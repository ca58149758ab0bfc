package pbiviz

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const testToken = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJsaWNfMSJ9.c2ln-bmF0_dXJl"

// scripts are openings of code, with whether a 'use strict' directive governs them.
// TestAScriptStaysAsStrictAsItWas asks a JavaScript engine whether that is right.
var scripts = []struct {
	name, script string
	strict       bool
}{
	{"no directive", `var a = 1;`, false},
	{"a directive", `"use strict";var a = 1;`, true},
	{"in single quotes", `'use strict';var a = 1;`, true},
	{"after a licence comment", "/*! (c) somebody */\n// \"x\"\n\"use strict\";", true},
	{"after a byte order mark", "\ufeff'use strict';", true},
	{"after another directive", `"use asm2";'use strict';`, true},
	{"after a statement", `;"use strict";`, false},
	{"inside a function", `(()=>{"use strict";})();`, false},
	{"without semicolon, a line ends", "'use strict'\nvar a = 1;", true},
	{"without semicolon, a line ends in a comment", "'use strict'/*\n*/var a = 1;", true},
	{"without semicolon, a line comment follows", "'use strict' // really\nvar a = 1;", true},
	{"the literal is called upon", `"use strict".length;`, false},
	{"the literal is called upon on the next line", "'use strict'\n.length;", false},
	{"the literal is an operand", `'use strict' + 1;`, false},
	{"the literal is compared on the next line", "'use strict'\n!= 1;", false},
	{"with an escape", `'use\x20strict';`, false},
	{"with an escaped quote before", `'it\'s';'use strict';`, true},
	{"with more spaces", `'use  strict';`, false},
	{"only the directive", `'use strict'`, true},
	{"an open comment", `/* 'use strict'; */`, false},
}

func TestADirectiveIsSeen(t *testing.T) {
	for _, c := range scripts {
		t.Run(c.name, func(t *testing.T) {
			if got := isStrict(c.script); got != c.strict {
				t.Errorf("strict %v, want %v: %s", got, c.strict, c.script)
			}
		})
	}
	for _, broken := range []string{"", "'", `'\`, "'use strict", "/*", "//", "'a\n';'use strict'"} {
		if isStrict(broken) {
			t.Errorf("%q is taken for strict", broken)
		}
	}
}

func TestAPreludeIsReadBack(t *testing.T) {
	for _, strict := range []bool{false, true} {
		guid, token, ok := splitPrelude(prelude("g_$1", testToken, strict) + "var a = 1;")
		if !ok || guid != "g_$1" || token != testToken {
			t.Errorf("strict %v: read %q %q %v", strict, guid, token, ok)
		}
	}
	if _, _, ok := splitPrelude("var a;" + prelude("g", testToken, false)); ok {
		t.Error("a prelude in the middle of the code is taken for one")
	}
}

func TestAPreludeNeedsNoEscapingInJSON(t *testing.T) {
	text := prelude("g_$1", testToken, true)
	quoted, err := json.Marshal(text)
	if err != nil || strings.Trim(string(quoted), `"`) != text {
		t.Errorf("%s became %s (%v)", text, quoted, err)
	}
}

func TestThePreludeLeavesTheTokenInTheGlobal(t *testing.T) {
	code := prelude("first", "a.b.c", false) + prelude("second", testToken, true) +
		"console.log(JSON.stringify(globalThis.okvizLicenses))"
	want := fmt.Sprintf(`{"first":"a.b.c","second":%q}`, testToken)
	if got := runNode(t, code); got != want {
		t.Errorf("the global holds %s, want %s", got, want)
	}
}

// Node runs every opening with and without the prelude, as scripts of their own, and
// says which of them ran strict.
func TestAScriptStaysAsStrictAsItWas(t *testing.T) {
	const probe = "\n;globalThis.strict = (function () { return this === undefined })();"
	var programs []string
	for _, c := range scripts {
		programs = append(programs, c.script+probe, prelude("g", testToken, isStrict(c.script))+c.script+probe)
	}
	list, err := json.Marshal(programs)
	if err != nil {
		t.Fatal(err)
	}
	out := runNode(t, `const vm = require("node:vm");
		console.log(JSON.stringify(`+string(list)+`.map((p) => { vm.runInThisContext(p); return globalThis.strict })))`)
	var strict []bool
	if err := json.Unmarshal([]byte(out), &strict); err != nil {
		t.Fatal(err)
	}
	for i, c := range scripts {
		if strict[2*i] != c.strict {
			t.Errorf("%s: Node runs it strict: %v, the table says %v", c.name, strict[2*i], c.strict)
		}
		if strict[2*i+1] != strict[2*i] {
			t.Errorf("%s: with the prelude Node runs it strict: %v, without: %v", c.name, strict[2*i+1], strict[2*i])
		}
	}
}

// runNode runs a CommonJS program and returns what it prints.
func runNode(t *testing.T, program string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no Node was found, which runs the prelude as a browser would")
	}
	file := filepath.Join(t.TempDir(), "program.cjs")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(node, file).Output()
	if err != nil {
		t.Fatalf("run Node: %v", err)
	}
	return strings.TrimSpace(string(out))
}
