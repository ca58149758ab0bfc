package temporal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// Options say where a server keeps its data and where it listens.
type Options struct {
	// DataFile is the SQLite file; it and its folder are created when missing.
	// Empty keeps everything in memory.
	DataFile string
	// Frontend is the gRPC address for clients and workers, on an IPv4 loopback
	// address; port 0 takes a free one. Default 127.0.0.1:0.
	Frontend string
	// UI is the web interface's address, with the same rules. Empty: no UI.
	UI string
	// Namespace is created when missing. Default "default".
	Namespace string
	// SearchAttributes are registered in the namespace, also when the data
	// file is older than the attribute.
	SearchAttributes map[string]enumspb.IndexedValueType
	// SuggestContinueAsNew is the number of history events from which the
	// server suggests continue-as-new. 0 keeps its default of 4,096.
	SuggestContinueAsNew int
	// Logger gets the server's warnings and errors. Default slog.Default().
	Logger *slog.Logger
}

// Server is a running Temporal server.
type Server struct {
	address   string
	uiAddress string
	log       *serverLog
	server    temporal.Server
	ui        *uiserver.Server
	stop      sync.Once
	release   func()
}

// openFiles holds the data files that servers of this process are using: the
// lock in SQLite only keeps other processes out.
var openFiles sync.Map

// Start starts a server and returns when it can run workflows, or with an error
// when it cannot or ctx ends first. The end of ctx does not stop a started
// server: Stop does.
func Start(ctx context.Context, opts Options) (_ *Server, err error) {
	if opts.Frontend == "" {
		opts.Frontend = "127.0.0.1:0"
	}
	if opts.Namespace == "" {
		opts.Namespace = "default"
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	s := &Server{log: newServerLog(opts.Logger), release: func() {}}
	defer func() {
		// The server reports what stops it from starting with a fatal log
		// line; ours panics instead of ending the process.
		if p := recover(); p != nil {
			fatal, ok := p.(fatalError)
			if !ok {
				panic(p)
			}
			err = fmt.Errorf("starting Temporal: %w", fatal)
		}
		if err != nil {
			s.Stop()
		}
	}()

	if opts.DataFile != "" {
		if opts.DataFile, err = filepath.Abs(opts.DataFile); err != nil {
			return nil, fmt.Errorf("finding Temporal's data file: %w", err)
		}
		if _, used := openFiles.LoadOrStore(opts.DataFile, true); used {
			return nil, fmt.Errorf("opening Temporal's data file %s: in use by this process", opts.DataFile)
		}
		s.release = func() { openFiles.Delete(opts.DataFile) }
	}
	frontend, err := choosePort(opts.Frontend)
	if err != nil {
		return nil, fmt.Errorf("choosing Temporal's address: %w", err)
	}
	store, err := openStore(opts.DataFile, opts.Namespace, opts.SearchAttributes)
	if err != nil {
		return nil, err
	}
	cfg, hosts := serverConfig(store, frontend)
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(s.log),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
		temporal.WithDynamicConfigClient(dynamicConfig(opts)),
	)
	if err != nil {
		return nil, fmt.Errorf("configuring Temporal: %w", err)
	}
	s.server = server
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("starting Temporal: %w", err)
	}
	s.address = frontend.String()
	if err := s.awaitNamespace(ctx, opts); err != nil {
		return nil, fmt.Errorf("waiting for Temporal: %w", err)
	}
	if opts.UI != "" {
		if err := s.startUI(ctx, opts); err != nil {
			return nil, fmt.Errorf("starting Temporal's UI: %w", err)
		}
	}
	s.log.ready()
	return s, nil
}

// Address returns the frontend's host:port, for SDK clients.
func (s *Server) Address() string { return s.address }

// UIAddress returns the web interface's host:port, empty without one.
func (s *Server) UIAddress() string { return s.uiAddress }

// Stop stops the UI and the server, and waits for them: about a second when
// clients are still connected, so stop workers and close clients first. More
// than one call is fine.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.log.silence()
		if s.ui != nil {
			s.ui.Stop()
		}
		if s.server != nil {
			// Stop never returns an error in this version of the server.
			_ = s.server.Stop()
		}
		s.release()
	})
}

// awaitNamespace waits until the frontend is healthy and knows the namespace
// and its search attributes, and adds attributes that an older data file lacks.
func (s *Server) awaitNamespace(ctx context.Context, opts Options) error {
	conn, err := grpc.NewClient(s.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()

	err = poll(ctx, func(ctx context.Context) error {
		answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{
			Service: workflowservice.WorkflowService_ServiceDesc.ServiceName,
		}, grpc.WaitForReady(true))
		if err == nil && answer.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			err = fmt.Errorf("frontend is %s", answer.Status)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = poll(ctx, func(ctx context.Context) error {
		_, err := workflowservice.NewWorkflowServiceClient(conn).DescribeNamespace(ctx,
			&workflowservice.DescribeNamespaceRequest{Namespace: opts.Namespace})
		return err
	})
	if err != nil {
		return err
	}

	operator := operatorservice.NewOperatorServiceClient(conn)
	added := false
	return poll(ctx, func(ctx context.Context) error {
		known, err := operator.ListSearchAttributes(ctx,
			&operatorservice.ListSearchAttributesRequest{Namespace: opts.Namespace})
		if err != nil {
			return err
		}
		missing := make(map[string]enumspb.IndexedValueType)
		for name, kind := range opts.SearchAttributes {
			if is, ok := known.CustomAttributes[name]; !ok {
				missing[name] = kind
			} else if is != kind {
				return permanent{fmt.Errorf("search attribute %s is of type %s, not %s", name, is, kind)}
			}
		}
		if len(missing) == 0 {
			return nil
		}
		if !added {
			_, err := operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
				Namespace: opts.Namespace, SearchAttributes: missing})
			if err != nil {
				return err
			}
			added = true
		}
		return fmt.Errorf("%d search attributes are not registered yet", len(missing))
	})
}

func (s *Server) startUI(ctx context.Context, opts Options) error {
	addr, err := choosePort(opts.UI)
	if err != nil {
		return err
	}
	ui := uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: s.address,
		Host:                addr.Addr().String(),
		Port:                int(addr.Port()),
		EnableUI:            true,
		DefaultNamespace:    opts.Namespace,
		DisableNewsFetch:    true, // nothing here talks to the internet
		HideLogs:            true,
		// Over plain http some browsers keep no Secure cookie, not even on
		// loopback, and without the cookie the UI's buttons are refused.
		CORS: uiconfig.CORS{CookieInsecure: true},
	}))
	go func() {
		if err := ui.Start(); err != nil {
			s.log.Error("Temporal UI stopped: " + err.Error())
		}
	}()
	s.ui, s.uiAddress = ui, addr.String()
	return poll(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.uiAddress+"/", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("it answers %s", resp.Status)
		}
		return err
	})
}

// permanent marks an error that waiting does not cure.
type permanent struct{ error }

// poll calls ask until it returns nil or a permanent error, or ctx ends, or 30
// seconds have passed.
func poll(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if stop := (permanent{}); errors.As(err, &stop) {
			return stop.error
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", ctx.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
