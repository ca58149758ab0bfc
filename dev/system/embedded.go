//go:build !no_temporal

package system

import (
	"context"
	"path/filepath"

	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/engine"
)

func init() { embedded = startEmbedded }

// startEmbedded runs Temporal in this process. It is left out of a build with the tag
// no_temporal, which compiles a third of the packages.
func startEmbedded(ctx context.Context, o Options) (address, ui string, stop func() error, err error) {
	server, err := temporal.Start(ctx, temporal.Options{
		DataFile: filepath.Join(o.Data, "temporal.db"), Frontend: o.Temporal, UI: o.UI, Namespace: client.DefaultNamespace,
		SearchAttributes: engine.SearchAttributes, SuggestContinueAsNew: o.SuggestContinueAsNew, Logger: o.Log,
	})
	if err != nil {
		return "", "", nil, err
	}
	return server.Address(), server.UIAddress(), func() error { server.Stop(); return nil }, nil
}
