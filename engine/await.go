package engine

import (
	"context"
	"time"

	"go.temporal.io/api/workflowservice/v1"
)

// Await waits until the database, with its tables, and Temporal, with its
// namespace, can be used, and logs what it waits for and how long. Errors: those
// of the context.
func (e *Engine) Await(ctx context.Context) error {
	if err := e.await(ctx, "database", e.Store.Ping); err != nil {
		return err
	}
	return e.await(ctx, "temporal", func(ctx context.Context) error {
		if err := e.commands.Ping(ctx); err != nil {
			return err
		}
		_, err := e.Temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: e.namespace})
		return err
	})
}

// await asks each second, and logs at once and then every ten seconds.
func (e *Engine) await(ctx context.Context, what string, ask func(context.Context) error) error {
	start := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for logged := (time.Time{}); ; {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := ask(try)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			if !logged.IsZero() {
				e.log.Info("what was waited for is there", "what", what, "waited", time.Since(start).Round(time.Second).String())
			}
			return nil
		}
		if time.Since(logged) >= 10*time.Second {
			e.log.Warn("waiting", "for", what, "waited", time.Since(start).Round(time.Second).String(), "error", err)
			logged = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
