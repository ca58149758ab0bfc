package system_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/engine"
)

// The test binary is Temporal's command line tool where it is called by that tool's name.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "temporal") {
		if err := commandLine(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// commandLine understands the flags of temporal server start-dev that the system gives.
func commandLine(args []string) error {
	if len(args) < 2 || args[0] != "server" || args[1] != "start-dev" {
		return fmt.Errorf("temporal %v", args)
	}
	flags := flag.NewFlagSet("temporal", flag.ContinueOnError)
	ip, port, file := flags.String("ip", "", ""), flags.String("port", "", ""), flags.String("db-filename", "", "")
	uiIP, uiPort, namespace := flags.String("ui-ip", "", ""), flags.String("ui-port", "", ""), flags.String("namespace", "", "")
	flags.String("log-level", "", "")
	if err := flags.Parse(args[2:]); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := temporal.Start(ctx, temporal.Options{
		DataFile: *file, Frontend: net.JoinHostPort(*ip, *port), UI: net.JoinHostPort(*uiIP, *uiPort), Namespace: *namespace,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	server.Stop()
	return nil
}

func TestTheSystemRunsWithATemporalServerThatIsNotCompiledIn(t *testing.T) {
	program := filepath.Join(t.TempDir(), "okviz-dev.exe")
	if out, err := exec.Command("go", "build", "-tags", "no_temporal", "-o", program, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Run("which TEMPORAL_ADDRESS names", func(t *testing.T) {
		server, err := temporal.Start(t.Context(), temporal.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Stop)
		said := startsAndStops(t, program, "TEMPORAL_ADDRESS="+server.Address())
		if want := "where the server at " + server.Address() + " has it"; !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
		c, err := client.Dial(client.Options{HostPort: server.Address()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		known, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: client.DefaultNamespace})
		if err != nil {
			t.Fatal(err)
		}
		for name, kind := range engine.SearchAttributes {
			if known.CustomAttributes[name] != kind {
				t.Errorf("the search attribute %s is %v, want %v", name, known.CustomAttributes[name], kind)
			}
		}
	})
	t.Run("which its command line tool starts", func(t *testing.T) {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		tools := t.TempDir()
		if err := os.Symlink(self, filepath.Join(tools, "temporal")); err != nil {
			t.Skip("not run: no symbolic links here: ", err)
		}
		said := startsAndStops(t, program, "TEMPORAL_ADDRESS=", "PATH="+tools)
		if !strings.Contains(said, "Temporal UI     http://127.0.0.1:") {
			t.Errorf("it names no UI:\n%s", said)
		}
	})
}

// startsAndStops runs the system until it is ready, and returns what it said.
func startsAndStops(t *testing.T, program string, env ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	system := exec.CommandContext(ctx, program, "-http", "127.0.0.1:0", "-mailbox", "127.0.0.1:0",
		"-temporal", free(t), "-ui", free(t), "-data", t.TempDir())
	system.Env = append(os.Environ(), env...)
	system.Stderr = t.Output()
	out, err := system.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := system.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(io.TeeReader(out, &said)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "Ready after ") { // the API, its worker and Temporal answer
			if err := system.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
	}
	if err := system.Wait(); err != nil || !strings.Contains(said.String(), "Ready after ") {
		t.Errorf("it ended with %v:\n%s", err, said.String())
	}
	return said.String()
}

// free is an address on loopback that nobody uses.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
