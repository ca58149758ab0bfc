// Command dev runs the whole of OKVIZ on loopback, in one process, on a machine with nothing but
// Go. Package start compiles and starts it: `go -C dev run ./start`
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/dev/system"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	o := system.Options{
		OperatorKey: os.Getenv("OKVIZ_OPERATOR_KEY"), RateLimits: os.Getenv("OKVIZ_RATE_LIMITS"),
		RunningTemporal: os.Getenv("TEMPORAL_ADDRESS") != "",
		EntraAuthority:  os.Getenv("OKVIZ_ENTRA_AUTHORITY"), EntraAudience: os.Getenv("OKVIZ_ENTRA_AUDIENCE"),
	}
	flag.StringVar(&o.HTTP, "http", "127.0.0.1:8080", "address of pages and API")
	flag.StringVar(&o.UI, "ui", "127.0.0.1:8233", "address of the Temporal UI")
	flag.StringVar(&o.Mailbox, "mailbox", "127.0.0.1:8025", "address of the mailbox")
	flag.StringVar(&o.Temporal, "temporal", "127.0.0.1:7233", "address of Temporal's frontend")
	flag.StringVar(&o.Data, "data", ".okviz", "folder of all data")
	verbose := flag.Bool("v", false, "log every request")
	flag.Parse()
	for _, address := range []string{o.HTTP, o.UI, o.Mailbox, o.Temporal} {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return fmt.Errorf("%s is not an address on loopback: nothing here asks for a login", address)
		}
	}
	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelDebug
	}
	o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start := time.Now()
	fmt.Fprintln(out, "Starting Temporal, mailbox, worker and API …")
	s, err := system.Start(ctx, o)
	if err != nil {
		return err
	}
	// The data may have been used with another Temporal server.
	if _, err := s.Engine.Office.Recover(ctx, 0, false, func(backoffice.Recovery) {}); err != nil {
		return errors.Join(err, s.Stop())
	}
	data, err := filepath.Abs(o.Data)
	if err != nil {
		data = o.Data
	}
	ui := s.UI
	if ui != "" {
		ui = "http://" + ui
	}
	fmt.Fprintf(out, `
  pages and API   http://%s        docs at /docs
  Temporal UI     %s
  mailbox         http://%s
  operator key    %s
  data            %s

Ready after %s. Ctrl-C stops it.
`, s.HTTP, cmp.Or(ui, "where the server at "+s.Temporal+" has it"), s.Mailbox, s.OperatorKey, data, time.Since(start).Round(10*time.Millisecond))
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "Stopping …")
	case err = <-s.Failed():
	}
	if stopErr := s.Stop(); err == nil {
		err = stopErr
	}
	return err
}
