package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestItSaysHowManyPackagesAreCompiledAndPassesOnTheRest(t *testing.T) {
	var out strings.Builder
	events := "example.com/a\n# example.com/b\nb.go:1:1: no such thing\n"
	progress(&out, strings.NewReader(events), []string{"example.com/a", "example.com/b"})
	for _, want := range []string{"Compiling 2 packages.\n", "# example.com/b\nb.go:1:1: no such thing\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "example.com/a") {
		t.Errorf("it names what is compiled:\n%s", out.String())
	}
}

func TestATemporalServerThatIsThereIsNotCompiled(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "")
	t.Setenv("PATH", t.TempDir())
	if got := temporal(); got != "" {
		t.Errorf("without any server it says %q", got)
	}
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:7233")
	if temporal() == "" {
		t.Error("TEMPORAL_ADDRESS is not seen")
	}
}

func TestASystemWithoutTemporalHasNothingOfItsServer(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-tags", "no_temporal", ".")
	list.Dir = filepath.Join("..")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for p := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(p, "go.temporal.io/server") || strings.HasPrefix(p, "github.com/temporalio/ui-server") {
			t.Errorf("%s is compiled", p)
		}
	}
}
