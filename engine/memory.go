package engine

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how many percent the heap grows before it is collected, where the memory
// has a limit. Go's default of 100 collects a small process hundreds of times a second.
const heapGrowth = 800

// UseMemory has this process use the memory that GOMEMLIMIT allows it, instead of the
// processor to save memory. Without that limit, or with GOGC, nothing changes.
func UseMemory() {
	if os.Getenv("GOMEMLIMIT") != "" && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
