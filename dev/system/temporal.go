package system

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/okviz/licensing/engine"
)

// embedded starts the server that is compiled in; nil where none is.
var embedded func(context.Context, Options) (address, ui string, stop func() error, err error)

// temporal finds or starts the Temporal server, and says how to reach it.
func (s *System) temporal(ctx context.Context, o Options) (options client.Options, err error) {
	if o.RunningTemporal {
		if options, err = envconfig.LoadDefaultClientOptions(); err != nil {
			return options, fmt.Errorf("TEMPORAL_…: %w", err)
		}
		s.Temporal = options.HostPort
		return options, engine.RegisterSearchAttributesAt(ctx, options, o.Log)
	}
	start := embedded
	if start == nil {
		start = s.startCLI
	}
	address, ui, stop, err := start(ctx, o)
	if err != nil {
		return options, fmt.Errorf("starting Temporal: %w", err)
	}
	s.close = append(s.close, stop)
	s.Temporal, s.UI, options.HostPort = address, ui, address
	if embedded != nil {
		return options, nil
	}
	err = engine.RegisterSearchAttributesAt(ctx, options, o.Log)
	select {
	case ended := <-s.failed:
		err = errors.Join(ended, err)
	default:
	}
	return options, err
}

// startCLI runs Temporal's own development server, of the command line tool that is on the PATH.
func (s *System) startCLI(ctx context.Context, o Options) (address, ui string, stop func() error, err error) {
	host, port, err := net.SplitHostPort(o.Temporal)
	if err != nil {
		return "", "", nil, err
	}
	args := []string{
		"server", "start-dev", "--ip", host, "--port", port, "--namespace", client.DefaultNamespace,
		"--db-filename", filepath.Join(o.Data, "temporal-cli.db"), "--log-level", "error",
	}
	if o.UI == "" {
		args = append(args, "--headless")
	} else {
		uiHost, uiPort, err := net.SplitHostPort(o.UI)
		if err != nil {
			return "", "", nil, err
		}
		args = append(args, "--ui-ip", uiHost, "--ui-port", uiPort)
	}
	server := exec.Command("temporal", args...)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return "", "", nil, err
	}
	ended := make(chan error, 1)
	go func() {
		err := server.Wait()
		if ctx.Err() == nil { // nobody has stopped the system
			s.failed <- fmt.Errorf("temporal server start-dev ended: %w", cmp.Or(err, errors.New("it was stopped")))
			s.cancel()
		}
		ended <- err
	}()
	return o.Temporal, o.UI, func() error {
		if err := server.Process.Signal(os.Interrupt); err != nil { // as on Windows, or it has ended
			err = server.Process.Kill()
			if err != nil && !errors.Is(err, os.ErrProcessDone) {
				return err
			}
		}
		_ = <-ended // killed or not, its data are consistent
		return nil
	}, nil
}
