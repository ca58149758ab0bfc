// Package github_test holds .github/dependabot.yml to the folders that have dependencies. The
// workflows are read by actionlint, see dev/check.
package github_test

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const root = "../.."

// manifests are the files by which a folder is one of an ecosystem.
var manifests = map[string]string{
	"gomod": "go.mod", "npm": "package.json", "docker": "Dockerfile", "docker-compose": "docker-compose.yml", "github-actions": ".github/workflows",
}

func TestEveryFolderWithDependenciesIsUpdatedWeekly(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github", "dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Version int
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directory   string
			Directories []string
			Schedule    struct{ Interval string }
			Groups      map[string]struct{ Patterns []string }
		}
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	if config.Version != 2 {
		t.Errorf("version %d, want 2", config.Version)
	}
	updated := map[string]bool{} // ecosystem:folder
	for _, u := range config.Updates {
		manifest, known := manifests[u.Ecosystem]
		if !known || u.Schedule.Interval != "weekly" {
			t.Errorf("%s is updated %q", u.Ecosystem, u.Schedule.Interval)
		}
		folders := u.Directories
		if u.Directory != "" {
			folders = append(folders, u.Directory)
		}
		for _, folder := range folders {
			updated[u.Ecosystem+":"+folder] = true
			if _, err := os.Stat(filepath.Join(root, folder, manifest)); err != nil {
				t.Errorf("%s: %v", u.Ecosystem, err)
			}
		}
	}
	wanted := []string{"docker:/", "docker-compose:/", "github-actions:/"}
	err = fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		folder := strings.TrimSuffix("/"+filepath.ToSlash(filepath.Dir(path)), "/.")
		switch d.Name() {
		case "node_modules", ".git", "testdata":
			if d.IsDir() {
				return fs.SkipDir
			}
		case "go.mod":
			wanted = append(wanted, "gomod:"+cmp.Or(folder, "/"))
		case "package-lock.json":
			wanted = append(wanted, "npm:"+folder)
		}
		return err
	})
	if err != nil || len(wanted) < 7 {
		t.Errorf("found %v, %v", wanted, err)
	}
	for _, want := range wanted {
		if !updated[want] {
			t.Errorf("%s is not updated", want)
		}
	}
}
