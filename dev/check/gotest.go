package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// test runs go test and counts its tests, subtests included.
func (r *results) test(name, dir string, env []string, args ...string) {
	cmd := prepare(dir, env, "go", append([]string{"test", "-json", "-timeout", "25m"}, args...)...)
	heading(name)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.failed(name + ": " + err.Error())
		return
	}
	failures := len(r.failures)
	if err := r.read(name, out, os.Stdout); err != nil {
		r.failed(name + ": " + err.Error())
		io.Copy(io.Discard, out) // so that go test can end
	}
	if err := cmd.Wait(); err != nil && len(r.failures) == failures {
		r.failed(name + ": go test: " + err.Error())
	}
}

// event is a line of go test -json, see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

// read counts the events of go test -json. It prints one line for each package, and
// what a failed package wrote except in the tests that passed.
func (r *results) read(name string, events io.Reader, w io.Writer) error {
	type run struct {
		tests  []string            // that have begun, in this order; "" is the package itself
		output map[string][]string // lines of those that have not passed
		failed bool
	}
	packages := map[string]*run{}
	decoder := json.NewDecoder(events)
	for {
		var e event
		switch err := decoder.Decode(&e); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("go test said something that is not JSON: %w", err)
		}
		p := packages[e.Package]
		if p == nil {
			p = &run{output: map[string][]string{}}
			packages[e.Package] = p
		}
		switch e.Action {
		case "build-output":
			fmt.Fprint(w, e.Output)
		case "output":
			if _, begun := p.output[e.Test]; !begun {
				p.tests = append(p.tests, e.Test)
			}
			p.output[e.Test] = append(p.output[e.Test], e.Output)
			if e.Test == "" && strings.HasPrefix(e.Output, "ok  \t") {
				fmt.Fprint(w, e.Output)
			}
		case "pass":
			if e.Test != "" {
				r.pass++
				delete(p.output, e.Test)
			}
		case "skip":
			if e.Test != "" { // a package without tests is "skipped" too
				r.skip(name+": "+e.Package+" "+e.Test, reason(p.output[e.Test]))
				delete(p.output, e.Test)
			}
		case "fail":
			if e.Test != "" {
				p.failed = true
				r.failed(name + ": " + e.Package + " " + e.Test)
				continue
			}
			for _, test := range p.tests {
				fmt.Fprint(w, strings.Join(p.output[test], ""))
			}
			if !p.failed { // it did not build, or ended outside of its tests
				r.failed(name + ": " + e.Package)
			}
		}
	}
}

// reason is what a skipped test said, on one line.
func reason(output []string) string {
	var said []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return "it gave no reason"
	}
	return strings.Join(said, " ")
}
