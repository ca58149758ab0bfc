package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
)

// test runs go test. Gotestsum prints each package, what failed, and why tests were skipped.
func (r *results) test(name, dir string, env []string, args ...string) {
	start := r.heading(name)
	events, err := os.CreateTemp("", "okviz-tests-*.json")
	if err != nil {
		r.count(name, start, err)
		return
	}
	defer os.Remove(events.Name())
	defer events.Close()
	ran := r.prepare(dir, env, "go", append([]string{
		"run", gotestsum, "--format", "pkgname-and-test-fails", "--format-hide-empty-pkg", "--jsonfile", events.Name(), "--", "-timeout", "25m", "-vet=off", // golangci-lint runs it
	}, args...)...).Run()
	failures := r.fail
	if err := r.read(name, events); err != nil {
		r.failed(name + ": " + err.Error())
	}
	if ran != nil && r.fail == failures { // a package did not build, or ended outside of its tests
		r.failed(name)
	}
}

// read counts the events of go test -json (go doc test2json), subtests included.
func (r *results) read(name string, events io.Reader) error {
	for decoder := json.NewDecoder(events); ; {
		var e struct{ Action, Package, Test string }
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		switch test := name + ": " + e.Package + " " + e.Test; {
		case e.Test == "": // a package
		case e.Action == "pass":
			r.pass++
		case e.Action == "fail":
			r.failed(test)
		case e.Action == "skip":
			r.skip(test, "see above")
		}
	}
}
