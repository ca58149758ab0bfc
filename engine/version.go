package engine

import "runtime/debug"

// version is the release's, set by the linker where there is no clone to read it from:
//
//	go build -ldflags "-X github.com/okviz/licensing/engine.version=v1.2.3" ./cmd/okviz
var version string

// Version names the build: a release such as v1.2.3, or what Go notes of the commit, such as
// v1.2.4-0.20260131100000-0123456789ab; (devel) where it noted nothing.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
