// Command start compiles the development system, says how far it is, and runs it with the
// arguments that it was given:
//
//	go -C dev run ./start -http 127.0.0.1:9000
//
// Compiling Temporal's server takes most of the first time. It is left out where the developer
// has one: TEMPORAL_ADDRESS names it, or Temporal's own command line tool is installed.
//
// It imports nothing but the standard library, so that it is there at once.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	err := run()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		os.Exit(max(ended.ExitCode(), 1)) // it has said why
	case err != nil:
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
}

func run() error {
	tags := "nomsgpack" // Gin's largest dependency, for a format that nothing here speaks
	if how := temporal(); how != "" {
		fmt.Println("Temporal's server is not compiled: " + how + ".")
		tags += ",no_temporal"
	}
	program, err := filepath.Abs(filepath.Join("..", "bin", "okviz-dev.exe")) // Windows wants the ending, others do not mind
	if err != nil {
		return err
	}
	if err := build(os.Stdout, tags, program); err != nil {
		return err
	}
	system := exec.Command(program, os.Args[1:]...)
	system.Dir, system.Stdin, system.Stdout, system.Stderr = "..", os.Stdin, os.Stdout, os.Stderr
	// This process waits until the system has stopped. It may hear of Ctrl-C twice.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if err := system.Start(); err != nil {
		return err
	}
	go func() {
		for s := range signals {
			system.Process.Signal(s) //nolint:errcheck // it has ended, or Windows, where Ctrl-C reaches it anyway
		}
	}()
	return system.Wait()
}

// temporal says what server there is already; empty: none.
func temporal() string {
	if address := os.Getenv("TEMPORAL_ADDRESS"); address != "" {
		return "TEMPORAL_ADDRESS names " + address
	}
	if path, err := exec.LookPath("temporal"); err == nil {
		return path + " is started"
	}
	return ""
}

// build compiles the package in this folder.
func build(out io.Writer, tags, program string) error {
	// What go build would compile, besides what its cache has.
	stale := exec.Command("go", "list", "-tags", tags, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", ".")
	stale.Stderr = os.Stderr
	list, err := stale.Output()
	if err != nil {
		return err
	}
	compile := exec.Command("go", "build", "-v", "-tags", tags, "-o", program, ".")
	events, err := compile.StderrPipe()
	if err != nil {
		return err
	}
	if err := compile.Start(); err != nil {
		return err
	}
	progress(out, events, strings.Fields(string(list)))
	return compile.Wait()
}

// progress counts the packages that go build -v names, and passes on what else it says.
func progress(out io.Writer, events io.Reader, stale []string) {
	start, all, done := time.Now(), len(stale), 0
	waits := map[string]bool{}
	for _, p := range stale {
		waits[p] = true
	}
	if all > 1 {
		fmt.Fprintf(out, "Compiling %d packages.\n", all)
	}
	last := start
	for lines := bufio.NewScanner(events); lines.Scan(); {
		if !waits[lines.Text()] {
			fmt.Fprintln(out, lines.Text())
			continue
		}
		done++
		if now := time.Now(); now.Sub(last) >= 5*time.Second || done == all && now.Sub(start) > 5*time.Second {
			last = now
			fmt.Fprintf(out, "%5d of %d packages after %v\n", done, all, now.Sub(start).Round(time.Second))
		}
	}
	fmt.Fprintf(out, "Compiled in %v.\n", time.Since(start).Round(time.Second/10))
}
