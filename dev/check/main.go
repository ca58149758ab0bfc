// Check runs what holds the project: the static checks, the tests of both modules,
// the race detector, and the visual's own tests. The Makefile calls it:
//
//	go -C dev run ./check setup|check|lint|test|race|fuzz
//
// The tools do the work; check runs everything even if something before it failed, and lists
// at the end what was left out, with one line of figures. With CI=true, whatever was not run
// is a failure.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The tools are pinned here and run by version, so that neither module depends on them.
const (
	golangci      = "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"
	workflowcheck = "go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0"
	actionlint    = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
	oasdiff       = "github.com/oasdiff/oasdiff@v1.37.0"
	gotestsum     = "gotest.tools/gotestsum@v1.13.0"
)

// modules are the folders of the two Go modules, seen from the repository's root.
var modules = []string{".", "dev"}

// raced are the packages that run code side by side, besides models.
var raced = []string{"./workflows/...", "./activities/...", "./api/...", "./worker/..."}

func main() {
	if len(os.Args) != 2 {
		fail("one of setup, check, lint, test, race, fuzz is needed")
	}
	if err := os.Chdir(".."); err != nil { // go -C dev run starts it in dev/
		fail(err.Error())
	}
	if _, err := os.Stat("dev/check"); err != nil {
		fail("run it as: go -C dev run ./check " + os.Args[1])
	}
	os.Setenv("CGO_ENABLED", "0")
	if os.Getenv("GOGC") == "" { // compilers, linters and tests live too short for a small heap to pay
		os.Setenv("GOGC", "400")
	}

	var r results
	switch os.Args[1] {
	case "setup":
		if !setup() {
			os.Exit(1)
		}
		return
	case "check":
		wait := r.beside(func(r *results) { analyse(r, ".") })
		r.test("short tests", ".", nil, "-short", "./...")
		wait()
	case "lint":
		lint(&r)
	case "race":
		race(&r)
	case "fuzz":
		fuzz(&r)
	case "test":
		if ci() || mayInstall() {
			setup() // what is still missing shows up under "not run"
		}
		install(&r, "web") // the tests of dev compile the client in TypeScript
		// The tests of dev wait for timers, browsers and processes half of their time.
		wait := r.beside(lint, func(r *results) { r.test("tests of .", ".", nil, "./...") }, race, visual)
		// Go's cache does not see that files outside of a module changed.
		r.test("tests of dev", "dev", nil, "-count=1", "./...")
		wait()
	default:
		fail("unknown: " + os.Args[1])
	}
	os.Exit(r.report())
}

// analyse runs golangci-lint: .golangci.yml says what it looks for, and why.
func analyse(r *results, module string) {
	r.run("golangci-lint of "+module, module, nil, "go", "run", golangci, "run", "./...")
}

// lint runs what reads the code without running it.
func lint(r *results) {
	for _, module := range modules {
		r.run("go mod tidy -diff in "+module, module, nil, "go", "mod", "tidy", "-diff")
		analyse(r, module)
	}
	r.run("workflowcheck", ".", nil, "go", "run", workflowcheck, "./workflows/...")
	r.run("actionlint", ".", nil, "go", "run", actionlint, "-shellcheck=", "-pyflakes=")
	for _, module := range modules {
		r.run("build of "+module+" for Windows", module, []string{"GOOS=windows"}, "go", "build", "-buildvcs=false", "-o", os.DevNull, "./...")
	}
	r.run("breaking changes of the API", ".", nil, "go", "run", oasdiff, "breaking", "--fail-on", "ERR", "docs/openapi.released.json", "docs/openapi.json")
	npm(r, "types and ESLint of the pages, and Redocly's linter", "web", "run", "lint")
}

// race runs the tests of the packages where it pays under the race detector.
func race(r *results) {
	const name = "race detector"
	if !hasCompiler() {
		r.skip(name, "no C compiler was found")
		return
	}
	// Everything is watched: a package that is not may be the one that the linker takes generic
	// code from (sync.Map's), and then races are seen that are none.
	watched := []string{"CGO_ENABLED=1"}
	// Fewer cases are enough: more of the same do not run more side by side.
	r.test(name, ".", watched, append([]string{"-race", "-short"}, raced...)...)
	// The store's are on both databases.
	r.test(name+": models", ".", watched, "-race", "./models/...")
}

// npm runs an npm command of a folder.
func npm(r *results, name, dir string, args ...string) {
	if !found("node") || !found("npm") {
		r.skip(name, "no Node was found")
		return
	}
	install(r, dir)
	r.run(name, dir, nil, "npm", args...)
}

// install has npm install what a folder's lock names, where that is not there yet.
func install(r *results, dir string) {
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	installed, none := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	if err == nil && found("npm") && (none != nil || installed.ModTime().Before(lock.ModTime())) {
		r.run("npm ci in "+dir, dir, nil, "npm", "ci", "--no-audit", "--no-fund")
	}
}

// visual runs the visual's own tests, and compares the packages of visual/dist with what their
// source makes.
func visual(r *results) {
	npm(r, "tests of the visual", "visual", "test")
	const name = "packages of visual/dist against their source"
	if !ci() {
		r.skip(name, "building them takes some minutes, and is done with CI=true")
		return
	}
	npm(r, name, "visual", "run", "rebuild-check")
}

// fuzz runs every fuzz test for ten seconds.
func fuzz(r *results) {
	for _, module := range modules {
		list := exec.Command("go", "test", "-list", "^Fuzz", "./...")
		list.Dir, list.Stderr = module, os.Stderr
		out, err := list.Output()
		if err != nil {
			r.failed("list the fuzz tests of " + module)
			continue
		}
		var names []string
		for line := range strings.Lines(string(out)) {
			// The names of a package come first, then "ok  <package>  0.1s".
			switch fields := strings.Fields(line); {
			case strings.HasPrefix(line, "Fuzz"):
				names = append(names, fields[0])
			case len(fields) > 1 && fields[0] == "ok":
				for _, name := range names {
					r.run(name+" in "+fields[1], module, nil, "go", "test", "-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", "10s", fields[1])
				}
				names = nil
			}
		}
	}
}

// results counts tests and checks.
type results struct {
	out        io.Writer // nil: standard output
	pass, fail int
	failures   []string
	notRun     []string
}

func (r *results) skip(name, why string) { r.notRun = append(r.notRun, name+": "+why) }

func (r *results) failed(name string) {
	r.fail++
	r.failures = append(r.failures, name)
}

// beside carries steps out one after the other while others run, and prints what each has said at
// its end. What it returns waits for them.
func (r *results) beside(steps ...func(*results)) (wait func()) {
	done := make(chan []results)
	go func() {
		var all []results
		for _, step := range steps {
			var said bytes.Buffer
			one := results{out: &said}
			step(&one)
			fmt.Print(said.String())
			all = append(all, one)
		}
		done <- all
	}()
	return func() {
		for _, one := range <-done {
			r.pass, r.fail = r.pass+one.pass, r.fail+one.fail
			r.failures, r.notRun = append(r.failures, one.failures...), append(r.notRun, one.notRun...)
		}
	}
}

// run counts a command as passed when it exits with 0.
func (r *results) run(name, dir string, env []string, command string, args ...string) {
	start := r.heading(name)
	r.count(name, start, r.prepare(dir, env, command, args...).Run())
}

func (r *results) count(name string, start time.Time, err error) {
	took := time.Since(start).Round(100 * time.Millisecond)
	if err != nil {
		r.failed(name)
		fmt.Fprintf(r.writer(), "failed: %s (%v): %v\n", name, took, err)
		return
	}
	r.pass++
	fmt.Fprintf(r.writer(), "passed: %s (%v)\n", name, took)
}

// report prints the end and returns the exit code.
func (r *results) report() int {
	code := 0
	list("not run:", r.notRun)
	if len(r.notRun) > 0 && ci() {
		fmt.Println("With CI=true, what was not run is a failure.")
		code = 1
	}
	list("failed:", r.failures)
	if r.fail > 0 {
		code = 1
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", r.pass, r.fail, len(r.notRun))
	return code
}

func list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Println("\n" + title)
	for _, line := range lines {
		fmt.Println("  " + line)
	}
}

func (r *results) prepare(dir string, env []string, command string, args ...string) *exec.Cmd {
	if r.out != nil && found("nice") { // the tests in the foreground have bounds of time
		command, args = "nice", append([]string{command}, args...)
	}
	cmd := exec.Command(command, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), r.writer(), r.writer()
	return cmd
}

func (r *results) heading(name string) time.Time {
	fmt.Fprintln(r.writer(), "\n== "+name)
	return time.Now()
}

func (r *results) writer() io.Writer {
	if r.out == nil {
		return os.Stdout
	}
	return r.out
}

func ci() bool { return os.Getenv("CI") == "true" }

func hasCompiler() bool {
	out, err := exec.Command("go", "env", "CC").Output()
	fields := strings.Fields(string(out))
	return err == nil && len(fields) > 0 && found(fields[0])
}

func found(names ...string) bool {
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
		if _, err := exec.LookPath(filepath.Join("/usr/sbin", name)); err == nil && runtime.GOOS != "windows" {
			return true
		}
	}
	return false
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "check: "+message)
	os.Exit(2)
}
