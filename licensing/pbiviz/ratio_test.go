package pbiviz

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// minified is code of n bytes and more that deflates about as a bundler's does,
// to a quarter.
func minified(n int) string {
	random := rand.New(rand.NewChaCha8([32]byte{3}))
	names := make([]string, 900)
	for i := range names {
		name := make([]byte, 1+random.IntN(12))
		for j := range name {
			name[j] = "etaoinshrdlucmfwypvbgk"[min(random.IntN(22), random.IntN(22))]
		}
		names[i] = string(name)
	}
	name := func() string { return names[min(random.IntN(len(names)), random.IntN(len(names)))] }
	var code strings.Builder
	code.WriteString(`var powerbi;`)
	for code.Len() < n {
		switch random.IntN(4) {
		case 0:
			fmt.Fprintf(&code, `function %s(%s,%s){return this.%s["%s"]&&%s.%s(%d)}`, name(), name(), name(), name(), name(), name(), name(), random.IntN(1000))
		case 1:
			fmt.Fprintf(&code, `const %s=new %s.%s({%s:"%s \"%s\"",%s:!%d});`, name(), name(), name(), name(), name(), name(), name(), random.IntN(2))
		case 2:
			fmt.Fprintf(&code, "for(let %s=0;%s<%s.length;%s++)%s.%s(%s\n);", name(), name(), name(), name(), name(), name(), name())
		default:
			fmt.Fprintf(&code, `if(%s===%d<<%d)throw Error("%s %s\u00e9 %s");`, name(), random.IntN(1<<20), random.IntN(32), name(), name(), name())
		}
	}
	return code.String()
}

// large is a package of 2.4 MB of JavaScript, about as large as visuals get.
func large(t testing.TB) []byte {
	t.Helper()
	js, err := json.Marshal(minified(2_400_000))
	if err != nil {
		t.Fatal(err)
	}
	return packJSON(t, withCode(string(js)))
}

// rewrite is how anybody would stamp a package: read the zip, change content.js
// in the JSON, write the zip.
func rewrite(pkg []byte, token string) ([]byte, error) {
	in, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(f.Name, ".pbiviz.json") {
			var whole struct {
				Visual  map[string]any `json:"visual"`
				Content map[string]any `json:"content"`
			}
			if err := json.Unmarshal(data, &whole); err != nil {
				return nil, err
			}
			id, _ := whole.Visual["guid"].(string)
			code, _ := whole.Content["js"].(string)
			whole.Content["js"] = prelude(id, token, isStrict(code)) + code
			if data, err = json.Marshal(whole); err != nil {
				return nil, err
			}
		}
		e, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: f.Method, Modified: f.Modified})
		if err != nil {
			return nil, err
		}
		if _, err := e.Write(data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func fast(template *Template, token string) ([]byte, error) {
	var out bytes.Buffer
	err := template.Stamp(&out, token)
	return out.Bytes(), err
}

// decoded is what readers make of a package: each entry by its name, JSON as
// the values that it stands for.
func decoded(t *testing.T, pkg []byte) map[string]any {
	t.Helper()
	_, text, _, _ := contents(t, pkg)
	all := map[string]any{}
	for name, content := range text {
		if !strings.HasSuffix(name, ".json") {
			all[name] = content
			continue
		}
		var v any
		if err := json.Unmarshal([]byte(content), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = v
	}
	return all
}

// realistic is a token as long as they are.
func realistic(i int) string { return fmt.Sprintf("%d.%s.c2lnbmF0dXJl", i, noiseToken(900)) }

func TestBothWaysOfStampingMakeTheSamePackage(t *testing.T) {
	pkg, token := large(t), realistic(0)
	template, err := Parse(pkg)
	if err != nil {
		t.Fatal(err)
	}
	stamped, err := fast(template, token)
	if err != nil {
		t.Fatal(err)
	}
	rewritten, err := rewrite(pkg, token)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, rewritten), decoded(t, stamped)); diff != "" {
		t.Errorf("other contents (-rewritten +stamped):\n%.2000s", diff)
	}
	for name, made := range map[string][]byte{"stamped": stamped, "rewritten": rewritten} {
		if id, got, err := Token(made); err != nil || id != guid || got != token {
			t.Errorf("%s: reads back %q %.20q, %v", name, id, got, err)
		}
		unzip, err := exec.LookPath("unzip")
		if err != nil {
			continue // contents has read every entry with its checksum
		}
		file := filepath.Join(t.TempDir(), name+".pbiviz")
		if err := os.WriteFile(file, made, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(unzip, "-t", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// Rewriting takes the fast way a hundred times over. The two are timed in turn,
// so that a busy machine slows both, and medians are compared.
func TestStampingIsAHundredTimesFasterThanRewriting(t *testing.T) {
	pkg := large(t)
	template, err := Parse(pkg)
	if err != nil {
		t.Fatal(err)
	}
	rounds, stampings := 11, 100
	if testing.Short() {
		rounds = 3
	}
	var slow, quick []time.Duration
	for round := range rounds {
		start := time.Now()
		if _, err := rewrite(pkg, realistic(round)); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, time.Since(start))
		token := realistic(round)
		for range stampings {
			start := time.Now()
			if _, err := fast(template, token); err != nil {
				t.Fatal(err)
			}
			quick = append(quick, time.Since(start))
		}
	}
	rewriting, stamping := median(slow), median(quick)
	ratio := float64(rewriting) / float64(stamping)
	t.Logf("rewriting %v, stamping %v: %.0f times", rewriting, stamping, ratio)
	if ratio < 100 {
		t.Errorf("stamping is only %.0f times faster: %v against %v", ratio, stamping, rewriting)
	}
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// BenchmarkStampLarge and BenchmarkRewriteLarge are the two ways, for comparing.
func BenchmarkStampLarge(b *testing.B) {
	template, err := Parse(large(b))
	if err != nil {
		b.Fatal(err)
	}
	token := realistic(0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fast(template, token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRewriteLarge(b *testing.B) {
	pkg, token := large(b), realistic(0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rewrite(pkg, token); err != nil {
			b.Fatal(err)
		}
	}
}
