package reports

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// The demonstration visual and the SDK, seen from this package.
const (
	visualSource = "../../visual"
	sdkSource    = visualSource + "/sdk/src"
)

// patch changes a line of the SDK's source.
type patch struct{ file, line, changed string }

// Both ways in which signatures are checked, switched off.
var (
	pureOff     = patch{"token.ts", "return verify(token.signature, token.signed, token.key);", "return true;"}
	browsersOff = patch{"token.ts", "return await subtle.verify(", "return true || await subtle.verify("}
)

// build makes the JavaScript of the demonstration visual from its source, with
// the SDK's source patched. Power BI's own tool wraps it much the same.
func build(t *testing.T, guid string, patches ...patch) string {
	t.Helper()
	source, err := filepath.Abs(visualSource)
	must(t, err)
	product, err := json.Marshal(object{"id": "calendar-pro", "name": "Calendar Pro", "guid": guid, "version": "2.4.2"})
	must(t, err)
	done := 0
	load := func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		text, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		code := string(text)
		for _, p := range patches {
			if filepath.Base(args.Path) == p.file && strings.Count(code, p.line) == 1 {
				code = strings.Replace(code, p.line, p.changed, 1)
				done++
			}
		}
		if strings.HasSuffix(filepath.ToSlash(args.Path), "/src/product.ts") {
			code = "export const PRODUCT = " + string(product)
		}
		return api.OnLoadResult{Contents: &code, Loader: api.LoaderTS}, nil
	}
	result := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{
			Contents:   `import { Visual } from "./src/visual"; powerbi.visuals = { plugins: { ` + guid + `: { create: (options) => new Visual(options) } } };`,
			ResolveDir: source, Loader: api.LoaderJS,
		},
		Bundle: true, Format: api.FormatIIFE, Charset: api.CharsetUTF8,
		Alias:  map[string]string{"okviz-license": filepath.Join(source, "sdk", "src", "index.ts")},
		Loader: map[string]api.Loader{".less": api.LoaderEmpty},
		Plugins: []api.Plugin{{Name: "patches", Setup: func(b api.PluginBuild) {
			b.OnLoad(api.OnLoadOptions{Filter: `\.ts$`}, load)
			// Of Power BI's package only the types are used: it need not be installed.
			const types = "types"
			b.OnResolve(api.OnResolveOptions{Filter: `^powerbi-visuals-api$`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
				return api.OnResolveResult{Path: args.Path, Namespace: types}, nil
			})
			b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: types}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
				nothing := "export default {}"
				return api.OnLoadResult{Contents: &nothing}, nil
			})
		}}},
	})
	for _, e := range result.Errors {
		t.Fatalf("the visual does not build: %s", e.Text)
	}
	if done != len(patches) {
		t.Fatalf("%d of %d patches fit the source: the tests no longer switch off what is there", done, len(patches))
	}
	return string(result.OutputFiles[0].Contents)
}

// The check alone: what shows notices is left out where it is not used.
func TestTheSDKIsSmall(t *testing.T) {
	source, err := filepath.Abs(sdkSource)
	must(t, err)
	result := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: `export { License } from "./index"`, ResolveDir: source, Loader: api.LoaderTS},
		Bundle: true, Format: api.FormatESModule, Target: api.ES2022, Charset: api.CharsetUTF8,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
	})
	for _, e := range result.Errors {
		t.Fatal(e.Text)
	}
	const limit = 8 << 10
	size := len(result.OutputFiles[0].Contents)
	if size > limit {
		t.Errorf("minified it has %d bytes, and may have %d", size, limit)
	}
	t.Logf("%d bytes minified", size)
}
