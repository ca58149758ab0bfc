// Package readme holds the README to what it says.
package readme

import (
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/okviz/licensing/dev/system"
)

var block = regexp.MustCompile("(?s)```sh\n(.*?)```")

// want is what the tour's steps must print, in order; each step's own greps
// fail where something is missing.
var want = []string{
	`"name":"Calendar Pro"`, `"name":"Card with States"`, // 1
	`"status":"active"`,                                  // 2
	`"Subject":"Your licence for Calendar Pro"`, `EdDSA`, // 3
	`"code":"ACTIVE"`,                                                                                                          // 4
	`"at":"2026-01-31T10:00:00Z"`, `"at":"2026-02-28T10:00:00Z"`, `"at":"2026-03-31T10:00:00Z"`, `"at":"2026-04-30T10:00:00Z"`, // 5
	// Half of 30 April to 31 May, 31 days: 15.5 ÷ 31 of 9.90 remain.
	`"credit":{"amount":495`, `"amount_due":{"amount":1485`, // 6
	`"cancel_at_period_end":true`, `"cancel_at_period_end":false`, `"resume"`, `Ended: requested.`, // 7
	`"status":"trialing"`, `never charged`, // 8
}

func TestTheTourDoesWhatTheReadmeSays(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("not run: there is no bash on this machine")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	s, err := system.Start(t.Context(), system.Options{
		Data: t.TempDir(), HTTP: "127.0.0.1:0", Mailbox: "127.0.0.1:0", Temporal: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	script := "set -euo pipefail\n"
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		script += m[1]
	}
	script = strings.NewReplacer("127.0.0.1:8080", s.HTTP, "127.0.0.1:8025", s.Mailbox).Replace(script)
	cmd := exec.Command("bash", "-c", script)
	cmd.Env = append(os.Environ(), "OKVIZ_OPERATOR_KEY="+s.OperatorKey)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the tour ended with %v:\n%s", err, out)
	}
	rest := string(out)
	for _, w := range want {
		_, after, found := strings.Cut(rest, w)
		if !found {
			t.Fatalf("the tour does not print %s where it should:\n%s", w, out)
		}
		rest = after
	}
	if n := strings.Count(string(out), `"status":"succeeded"`); n != 4+5 { // four before the change, and the same with it after the end
		t.Errorf("the tour shows %d charges:\n%s", n, out)
	}
}
