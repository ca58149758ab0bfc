package temporal

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/common/testing/freeport"
)

const (
	clusterName = "active"
	// historyShards cannot be changed once a data file exists. One connection
	// to one SQLite file leaves nothing for a second shard to do.
	historyShards = 1
)

// serverConfig configures one server of four services in one process; all but
// the frontend listen on free ports.
func serverConfig(store *config.SQL, frontend netip.AddrPort) (*config.Config, map[primitives.ServiceName]static.Hosts) {
	services := make(map[string]config.Service)
	hosts := make(map[primitives.ServiceName]static.Hosts)
	for _, name := range []primitives.ServiceName{
		primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		addr := frontend
		if name != primitives.FrontendService {
			addr = netip.AddrPortFrom(frontend.Addr(), uint16(freeport.MustGetFreePort()))
		}
		services[string(name)] = config.Service{RPC: config.RPC{
			GRPCPort: int(addr.Port()),
			BindOnIP: addr.Addr().String(),
		}}
		hosts[name] = static.SingleLocalHost(addr.String())
	}
	return &config.Config{
		Global: config.Global{Membership: config.Membership{
			MaxJoinDuration:  30 * time.Second,
			BroadcastAddress: frontend.Addr().String(),
		}},
		Persistence: config.Persistence{
			DefaultStore:     sqliteplugin.PluginName,
			VisibilityStore:  sqliteplugin.PluginName,
			NumHistoryShards: historyShards,
			DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: store}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
				Enabled:                true,
				InitialFailoverVersion: 1,
				RPCAddress:             frontend.String(),
			}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            services,
		PublicClient:        config.PublicClient{HostPort: frontend.String()},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
	}, hosts
}

// dynamicConfig sets what a small machine wants different from a data centre.
// Limits that the product meets in production keep their defaults.
func dynamicConfig(opts Options) dynamicconfig.Client {
	values := dynamicconfig.StaticClient{
		// One partition matches each task with a waiting worker at once,
		// instead of forwarding it between partitions.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// A search attribute just registered is usable at once.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		// Janitors of large clusters, and their workflows in the background.
		dynamicconfig.TaskQueueScannerEnabled.Key():  false,
		dynamicconfig.HistoryScannerEnabled.Key():    false,
		dynamicconfig.ExecutionsScannerEnabled.Key(): false,
	}
	if opts.SuggestContinueAsNew > 0 {
		values[dynamicconfig.HistoryCountSuggestContinueAsNew.Key()] = opts.SuggestContinueAsNew
	}
	return values
}

// choosePort resolves an address on loopback (the default host), takes a free port for port 0, and
// says so when the port is taken: the server itself would end the process.
func choosePort(address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	addr, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return netip.AddrPort{}, err
	}
	if !addr.Addr().Is4() || !addr.Addr().IsLoopback() {
		return netip.AddrPort{}, fmt.Errorf("%s: not an IPv4 loopback address", address)
	}
	if addr.Port() == 0 {
		return netip.AddrPortFrom(addr.Addr(), uint16(freeport.MustGetFreePort())), nil
	}
	listener, err := net.Listen("tcp", addr.String())
	if err != nil {
		return netip.AddrPort{}, err
	}
	return addr, listener.Close()
}
