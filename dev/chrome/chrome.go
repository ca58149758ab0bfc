// Package chrome starts the browser in which tests look at pages.
package chrome

import (
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
)

// Path is where Chromium is; empty where there is none.
func Path() string {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return ""
	}
	return path
}

// Need is Path for a test that cannot do without: it is left out where there is
// no Chromium, and fails in CI.
func Need(t testing.TB) string {
	t.Helper()
	path := Path()
	switch {
	case path != "":
	case os.Getenv("CI") == "true":
		t.Fatal("there is no chromium: make setup installs it")
	default:
		t.Skip("not run: there is no chromium on this machine: make setup installs it")
	}
	return path
}

// Options start Chromium with a profile of its own in a folder.
func Options(path, profile string, more ...chromedp.ExecAllocatorOption) []chromedp.ExecAllocatorOption {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	return append(options, more...)
}
