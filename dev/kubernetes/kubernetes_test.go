// Package kubernetes holds the manifests of deploy/kubernetes against Kubernetes' own
// types and against the product, since no cluster is at hand.
package kubernetes

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"

	"github.com/okviz/licensing/engine"
)

const folder = "../../deploy/kubernetes"

// manifests are all objects, by kind and name. Reading them fails on a field that
// Kubernetes does not know, or one of another type.
type manifests struct {
	config      map[string]string // of the ConfigMap and the Secret that become variables
	deployments map[string]apps.Deployment
	jobs        map[string]batch.Job
	services    map[string]core.Service
	budgets     map[string]policy.PodDisruptionBudget
	secrets     map[string]core.Secret
}

func load(t *testing.T) manifests {
	t.Helper()
	m := manifests{map[string]string{}, map[string]apps.Deployment{}, map[string]batch.Job{}, map[string]core.Service{}, map[string]policy.PodDisruptionBudget{}, map[string]core.Secret{}}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			var kind struct {
				APIVersion, Kind string
				Metadata         struct{ Name string }
			}
			if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			name := kind.Metadata.Name
			switch kind.APIVersion + " " + kind.Kind {
			case "apps/v1 Deployment":
				m.deployments[name] = strict[apps.Deployment](t, file, document)
			case "batch/v1 Job":
				m.jobs[name] = strict[batch.Job](t, file, document)
			case "v1 Service":
				m.services[name] = strict[core.Service](t, file, document)
			case "policy/v1 PodDisruptionBudget":
				m.budgets[name] = strict[policy.PodDisruptionBudget](t, file, document)
			case "v1 ConfigMap":
				maps.Copy(m.config, strict[core.ConfigMap](t, file, document).Data)
			case "v1 Secret":
				m.secrets[name] = strict[core.Secret](t, file, document)
				if name == "okviz" {
					maps.Copy(m.config, m.secrets[name].StringData)
				}
			default:
				t.Fatalf("%s: %s %s is not expected", file, kind.APIVersion, kind.Kind)
			}
		}
	}
	return m
}

func strict[T any](t *testing.T, file, document string) (object T) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return object
}

// pods are the templates of everything that runs, by role.
func (m manifests) pods() map[string]core.PodTemplateSpec {
	return map[string]core.PodTemplateSpec{
		"api": m.deployments["okviz-api"].Spec.Template, "worker": m.deployments["okviz-worker"].Spec.Template,
		"migrate": m.jobs["okviz-migrate"].Spec.Template,
	}
}

func TestEachRoleRunsItsCommandWithoutPrivilegesAndCanReadItsKeys(t *testing.T) {
	m := load(t)
	for role, pod := range m.pods() {
		c := pod.Spec.Containers[0]
		if !slices.Equal(c.Args, []string{role}) {
			t.Errorf("%s runs okviz %v", role, c.Args)
		}
		if s := pod.Spec.SecurityContext; s == nil || !*s.RunAsNonRoot || *s.RunAsUser == 0 || *s.FSGroup == 0 || *pod.Spec.AutomountServiceAccountToken {
			t.Errorf("%s: %+v", role, s)
		}
		if s := c.SecurityContext; s == nil || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) {
			t.Errorf("%s: %+v", role, s)
		}
		mounted := map[string]string{}
		for _, v := range c.VolumeMounts {
			mounted[v.Name] = v.MountPath
		}
		for _, v := range pod.Spec.Volumes {
			if _, there := mounted[v.Name]; !there {
				t.Errorf("%s: nobody mounts %s", role, v.Name)
			}
			if v.Secret == nil {
				continue
			}
			for key := range m.secrets[v.Secret.SecretName].StringData {
				if file := mounted[v.Name] + "/" + key; file != m.config["OKVIZ_SIGNING_KEYS"] {
					t.Errorf("%s: the keys are at %s", role, file)
				}
			}
			if mode := *v.Secret.DefaultMode; mode != 0o440 { // the group's, as production demands
				t.Errorf("%s: the keys have mode %o", role, mode)
			}
		}
		if len(mounted) != len(pod.Spec.Volumes) {
			t.Errorf("%s mounts %v", role, mounted)
		}
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil && m.secrets[from.SecretRef.Name].Name == "" {
				t.Errorf("%s: there is no secret %s", role, from.SecretRef.Name)
			}
		}
	}
}

func TestProbesAskWhereTheProcessAnswers(t *testing.T) {
	m := load(t)
	for role, listens := range map[string]map[string]string{
		"api":    {"http": m.config["OKVIZ_HTTP"], "metrics": variable(m.pods()["api"], "OKVIZ_METRICS")},
		"worker": {"metrics": variable(m.pods()["worker"], "OKVIZ_WORKER_METRICS")},
	} {
		pod := m.pods()[role]
		c := pod.Spec.Containers[0]
		ports := map[string]int32{}
		for _, p := range c.Ports {
			ports[p.Name] = p.ContainerPort
			if _, port, _ := strings.Cut(listens[p.Name], ":"); port != strconv.Itoa(int(p.ContainerPort)) {
				t.Errorf("%s: port %s is %d, and it listens at %s", role, p.Name, p.ContainerPort, listens[p.Name])
			}
		}
		for path, probe := range map[string]*core.Probe{"/readyz": c.StartupProbe, "/healthz": c.LivenessProbe} {
			if probe == nil || probe.HTTPGet.Path != path || ports[probe.HTTPGet.Port.String()] == 0 {
				t.Errorf("%s: a probe of %s: %+v", role, path, probe)
			}
		}
		// One that is away must not take every api, and the licence checks that they still answer, out of service.
		if c.ReadinessProbe.HTTPGet.Path != "/healthz" {
			t.Errorf("%s: readiness asks %s", role, c.ReadinessProbe.HTTPGet.Path)
		}
		if *pod.Spec.TerminationGracePeriodSeconds < 40 { // requests and activities have 30 s
			t.Errorf("%s is killed after %d s", role, *pod.Spec.TerminationGracePeriodSeconds)
		}
	}
}

func TestSelectorsFindTheirPods(t *testing.T) {
	m := load(t)
	pods := m.pods()
	for name, selector := range map[string]map[string]string{
		"api":    m.deployments["okviz-api"].Spec.Selector.MatchLabels,
		"worker": m.deployments["okviz-worker"].Spec.Selector.MatchLabels,
	} {
		budget := m.budgets["okviz-"+name].Spec.Selector.MatchLabels
		for role, pod := range pods {
			if found := matches(selector, pod.Labels); found != (role == name) || matches(budget, pod.Labels) != found {
				t.Errorf("%s: %v finds the pods of %s: %v", name, selector, role, found)
			}
		}
	}
	service := m.services["okviz"].Spec
	for role, pod := range pods {
		if matches(service.Selector, pod.Labels) != (role == "api") {
			t.Errorf("the service finds, or does not find, the pods of %s", role)
		}
	}
	if target := service.Ports[0].TargetPort.String(); !slices.ContainsFunc(pods["api"].Spec.Containers[0].Ports, func(p core.ContainerPort) bool { return p.Name == target }) {
		t.Errorf("the service's port %s is none of the api's", target)
	}
}

func TestProductionTakesTheConfigurationOnceItsSecretsAreReal(t *testing.T) {
	m := load(t)
	for _, role := range []string{"api", "worker"} {
		for _, v := range m.pods()[role].Spec.Containers[0].Env {
			m.config[v.Name] = strings.ReplaceAll(v.Value, "$(POD_IP)", "10.1.2.3")
		}
	}
	for name, value := range m.config {
		t.Setenv(name, value)
	}
	if _, err := engine.FromEnvironment(); err == nil || !strings.Contains(err.Error(), "OKVIZ_SECRET") || !strings.Contains(err.Error(), "OKVIZ_STRIPE_KEY") {
		t.Errorf("production takes the example's secrets: %v", err)
	}
	t.Setenv("OKVIZ_SECRET", "5b7f0c9d21e84a6fb3d8c2a19e704f65c8b1d2e3f4a50617")
	t.Setenv("OKVIZ_STRIPE_KEY", "sk_live_0123456789abcdefghijklmn")
	t.Setenv("OKVIZ_STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdefghijklmnopqr")
	if _, err := engine.FromEnvironment(); err != nil {
		t.Error(err)
	}
	documented, err := os.ReadFile("../../docs/operators.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range m.config {
		if name != "POD_IP" && !strings.Contains(string(documented), name) && !strings.HasPrefix(name, "TEMPORAL_TLS") {
			t.Errorf("%s is no variable of ours", name)
		}
	}
}

func variable(pod core.PodTemplateSpec, name string) string {
	for _, v := range pod.Spec.Containers[0].Env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func matches(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}
