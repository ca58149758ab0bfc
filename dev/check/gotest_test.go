package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTestsAreCountedWithTheirSubtestsAndPackagesAreNot(t *testing.T) {
	const events = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a.go:1: fine\n"}
{"Action":"pass","Package":"p","Test":"TestA/one"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p","Test":"TestC"}
{"Action":"fail","Package":"p"}
{"Action":"skip","Package":"q"}
`
	var got results
	if err := got.read("tests", strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	want := results{pass: 2, fail: 1, failures: []string{"tests: p TestC"}, notRun: []string{"tests: p TestB: see above"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(results{})); diff != "" {
		t.Error("results (-want +got):\n" + diff)
	}
}

func TestWhatDoesNotBuildIsOneFailure(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module broken\n", "broken_test.go": "package broken\n\nvar _ = nothing\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got results
	got.test("tests", dir, nil, "./...")
	if diff := cmp.Diff(results{fail: 1, failures: []string{"tests"}}, got, cmp.AllowUnexported(results{})); diff != "" {
		t.Error("results (-want +got):\n" + diff)
	}
}

func TestInCIWhatWasNotRunIsAFailure(t *testing.T) {
	for ci, want := range map[string]int{"true": 1, "": 0} {
		t.Setenv("CI", ci)
		r := results{pass: 1}
		r.skip("a test", "no server")
		if got := r.report(); got != want {
			t.Errorf("with CI=%q it ends with %d, want %d", ci, got, want)
		}
	}
}

func TestWhatRunsBesideIsCountedToo(t *testing.T) {
	got := results{pass: 1}
	wait := got.beside(
		func(r *results) { r.pass++; r.skip("a test", "no server") },
		func(r *results) { r.failed("another") },
	)
	wait()
	want := results{pass: 2, fail: 1, failures: []string{"another"}, notRun: []string{"a test: no server"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(results{})); diff != "" {
		t.Error("results (-want +got):\n" + diff)
	}
}
