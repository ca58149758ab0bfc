package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEventsAreCountedAndFailuresPrinted(t *testing.T) {
	const ok = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a.go:1: fine\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`
	cases := []struct {
		name, events, printed string
		want                  results
	}{
		{"a passed package is one line", ok, "ok  \tp\t0.1s\n", results{pass: 1}},
		{
			"a skipped test is listed with its reason",
			`{"Action":"output","Package":"p","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b.go:2: no server\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
`, "", results{notRun: []string{"tests: p TestB: b.go:2: no server"}},
		},
		{"a package without tests is nothing", `{"Action":"skip","Package":"p"}`, "", results{}},
		{
			"a failed package prints its failed and unfinished tests, not the passed ones",
			`{"Action":"output","Package":"p","Test":"TestA","Output":"passed\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestC","Output":"wrong\n"}
{"Action":"fail","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Test":"TestD","Output":"panic: stop\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`, "wrong\npanic: stop\nFAIL\tp\t0.1s\n", results{pass: 1, fail: 1, failures: []string{"tests: p TestC"}},
		},
		{
			"a package that does not build is one failure",
			`{"Action":"build-output","ImportPath":"p","Output":"p.go:1:1: no\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p"}
`, "p.go:1:1: no\nFAIL\tp [build failed]\n", results{fail: 1, failures: []string{"tests: p"}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got results
			var printed strings.Builder
			if err := got.read("tests", strings.NewReader(c.events), &printed); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(results{})); diff != "" {
				t.Error("results (-want +got):\n" + diff)
			}
			if diff := cmp.Diff(c.printed, printed.String()); diff != "" {
				t.Error("printed (-want +got):\n" + diff)
			}
		})
	}
}

func TestWhatIsNotJSONIsAnError(t *testing.T) {
	var r results
	if err := r.read("tests", strings.NewReader("hello\n"), new(strings.Builder)); err == nil {
		t.Error("no error")
	}
}
