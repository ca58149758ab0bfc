// Package integrators holds the clients, and a checkout page of somebody else's, to the running system.
package integrators

import (
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/okviz/licensing/dev/system"
)

// start is a running system of its own.
func start(t *testing.T, change ...func(*system.Options)) *system.System {
	t.Helper()
	o := system.Options{Data: t.TempDir(), HTTP: "127.0.0.1:0", Mailbox: "127.0.0.1:0", Temporal: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	s, err := system.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Each example prints the same. The 9.90 of 1-20 and the 18.90 of 21-50 are two invoices.
func TestTheExamplesBuyChangeAndCancel(t *testing.T) {
	s := start(t)
	const tsc = "../../web/node_modules/typescript/bin/tsc"
	for name, command := range map[string][]string{
		"Go":         {"go", "-C", "../..", "run", "./client/example"},
		"TypeScript": {"node", "../../client/typescript/examples/buy.mjs"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "TypeScript" {
				if _, err := os.Stat(tsc); err != nil {
					t.Skip("not run: npm ci in web/ installs TypeScript's compiler")
				}
				if out, err := exec.CommandContext(t.Context(), "node", tsc, "-p", "../../client/typescript").CombinedOutput(); err != nil {
					t.Fatalf("the client: %v\n%s", err, out)
				}
			}
			cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
			cmd.Env = append(os.Environ(), "OKVIZ_URL=http://"+s.HTTP, "OKVIZ_KEY="+s.OperatorKey, "GOWORK=off")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			want := []string{"bought: active INV-", "changed: 21-50", "cancelled: true", "invoices: 2"}
			if len(lines) != len(want) {
				t.Fatalf("it prints\n%s", out)
			}
			for i := range want {
				if !strings.HasPrefix(lines[i], want[i]) {
					t.Errorf("it prints %q, want %q", lines[i], want[i])
				}
			}
		})
	}
}
