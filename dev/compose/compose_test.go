// Package compose_test holds docker-compose.yml against the compose specification, since
// the tests run where no Docker engine is at hand.
package compose_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// load reads the file as `docker compose config` would with an empty environment: it
// fails on what the specification does not know.
func load(t *testing.T) *types.Project {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "docker-compose.yml")}},
		Environment: types.Mapping{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestTheFileIsValidAndNamesTheServices(t *testing.T) {
	want := []string{"api", "mailpit", "migrate", "mysql", "seed", "temporal", "temporal-namespace", "temporal-schema", "temporal-ui", "worker"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(load(t).Services))); diff != "" {
		t.Error("services (-want +got):\n" + diff)
	}
}

func TestEveryPublishedPortIsOnLoopback(t *testing.T) {
	got := map[string]string{}
	for name, service := range load(t).Services {
		if service.NetworkMode != "" {
			t.Errorf("%s: network mode %q goes round the published ports", name, service.NetworkMode)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is published on %q", name, port.Published, port.HostIP)
			}
			got[port.Published] = name
		}
	}
	want := map[string]string{"8080": "api", "8233": "temporal-ui", "8025": "mailpit"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("published ports (-want +got):\n" + diff)
	}
}

func TestEveryImageHasAVersion(t *testing.T) {
	images := map[string]string{}
	for name, service := range load(t).Services {
		if service.Build == nil {
			images[name] = service.Image
		}
	}
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(dockerfile), -1) {
		images["Dockerfile: "+from[1]] = from[1]
	}
	for name, image := range images {
		if _, tag, _ := strings.Cut(image, ":"); !strings.ContainsAny(tag, "0123456789") {
			t.Errorf("%s: image %q names no version", name, image)
		}
	}
	if got, want := images["mysql"], "mysql:8.4"; got != want {
		t.Errorf("the database is %s, want %s", got, want)
	}
}

func TestDependenciesCanBeFulfilled(t *testing.T) {
	project := load(t)
	for name, service := range project.Services {
		for needed, dependency := range service.DependsOn {
			target := project.Services[needed]
			switch dependency.Condition {
			case types.ServiceConditionHealthy:
				if target.HealthCheck == nil || target.HealthCheck.Disable || len(target.HealthCheck.Test) == 0 {
					t.Errorf("%s waits for the health of %s, which has no check", name, needed)
				}
			case types.ServiceConditionCompletedSuccessfully:
				if !strings.HasPrefix(target.Restart, "on-failure") && target.Restart != "no" {
					t.Errorf("%s waits for the end of %s, which is started again", name, needed)
				}
			default:
				t.Errorf("%s does not say what it waits for in %s", name, needed)
			}
		}
	}
	// In the order of the purchase's way: tables and search attributes before what uses them.
	for service, needs := range map[string][]string{
		"migrate": {"mysql", "temporal-namespace"}, "seed": {"migrate"}, "api": {"seed"}, "worker": {"migrate", "mailpit"}, "temporal": {"temporal-schema"},
	} {
		for _, needed := range needs {
			if _, there := project.Services[service].DependsOn[needed]; !there {
				t.Errorf("%s does not wait for %s", service, needed)
			}
		}
	}
}

func TestOkvizServicesAreForDevelopmentAndReachTheOthers(t *testing.T) {
	project := load(t)
	for _, name := range []string{"migrate", "seed", "api", "worker"} {
		service := project.Services[name]
		want := map[string]string{
			"OKVIZ_ENV":        "development",
			"DATABASE_URL":     "mysql://okviz:development-only@mysql:3306/okviz",
			"TEMPORAL_ADDRESS": "temporal:7233",
			"OKVIZ_SMTP_URL":   "smtp://mailpit:1025?starttls=never",
		}
		for variable, value := range want {
			if got := service.Environment[variable]; got == nil || *got != value {
				t.Errorf("%s: %s is not %q", name, variable, value)
			}
		}
		if diff := cmp.Diff(types.ShellCommand{name}, service.Command); name != "seed" && diff != "" {
			t.Errorf("%s: command (-want +got):\n%s", name, diff)
		}
		if service.Build == nil {
			t.Errorf("%s is not built from this repository", name)
		}
	}
	for name, secret := range project.Secrets {
		if _, err := os.Stat(secret.File); err != nil {
			t.Errorf("secret %s: %v", name, err)
		}
	}
}

// What is secret elsewhere says here that it is not.
func TestSecretsAreMarkedAsForDevelopment(t *testing.T) {
	secret := regexp.MustCompile(`PASSWORD|PWD|SECRET|KEY$|TOKEN`)
	for name, service := range load(t).Services {
		for variable, value := range service.Environment {
			if secret.MatchString(variable) && (value == nil || !strings.HasPrefix(*value, "development-only")) {
				t.Errorf("%s: %s does not start with development-only", name, variable)
			}
		}
	}
}
