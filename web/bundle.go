package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/evanw/esbuild/pkg/api"
)

// encodings are how a text is also kept, the smallest first.
var encodings = []struct {
	name string
	to   func(io.Writer) io.WriteCloser
}{
	{"br", func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, brotli.BestCompression) }},
	{"gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
}

// bundle is the customers' pages' modules as one file, and their styles as another, and
// so for the console, all small and named by their content: a browser asks once for
// each, and never again until there is a new one. addresses are by pages.js,
// pages.css, console.js and console.css.
func bundle(served map[string]file) (files map[string]file, addresses map[string]string) {
	const root = "/assets/"
	sheets := map[string]string{ // the brand's comes after ours
		root + "all.css":     `@import "/assets/style.css"; @import "/brand/style.css";`,
		root + "console.css": `@import "/assets/style.css"; @import "/assets/operator/style.css"; @import "/brand/style.css";`,
	}
	result := api.Build(api.BuildOptions{
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: root + "main.js", OutputPath: "pages"}, {InputPath: root + "all.css", OutputPath: "pages"},
			{InputPath: root + "operator/main.js", OutputPath: "console"}, {InputPath: root + "console.css", OutputPath: "console"},
		},
		Bundle: true, Format: api.FormatESModule, Target: api.ES2022,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		LegalComments: api.LegalCommentsEndOfFile,
		EntryNames:    "[name]-[hash]", Outdir: "/bundle", LogLevel: api.LogLevelSilent,
		Plugins: []api.Plugin{{Name: "served", Setup: func(b api.PluginBuild) {
			b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
				name := a.Path
				elsewhere := strings.Contains(name, ":") || strings.HasPrefix(name, "#") // the policy says about other hosts
				if !path.IsAbs(name) && !elsewhere {
					name = path.Join(path.Dir(a.Importer), name)
				}
				if elsewhere || a.Kind == api.ResolveCSSURLToken { // pictures stay files of their own
					return api.OnResolveResult{Path: name, External: true}, nil
				}
				return api.OnResolveResult{Path: name, Namespace: "served"}, nil
			})
			b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "served"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
				body, kind := "", api.LoaderJS
				if f, ok := served[a.Path]; ok {
					body = string(f.body)
				} else if sheet, ok := sheets[a.Path]; ok {
					body = sheet
				} else {
					return api.OnLoadResult{}, fmt.Errorf("there is no %s", a.Path)
				}
				if strings.HasSuffix(a.Path, ".css") {
					kind = api.LoaderCSS
				}
				return api.OnLoadResult{Contents: &body, Loader: kind}, nil
			})
		}}},
	})
	if len(result.Errors) > 0 {
		panic(result.Errors[0].Text) // the binary was built wrong, which a test excludes
	}
	files, addresses = map[string]file{}, map[string]string{}
	for _, f := range result.OutputFiles {
		address := "/bundle/" + path.Base(f.Path)
		made := newFile(f.Contents, contentTypes[path.Ext(f.Path)])
		made.kept = "public, max-age=31536000, immutable"
		files[address] = made
		part, _, _ := strings.Cut(path.Base(f.Path), "-")
		addresses[part+path.Ext(f.Path)] = address
	}
	return files, addresses
}

// compressed is a file that is also kept as those encodings that make it smaller.
func (f file) compressed() file {
	f.encoded = map[string][]byte{}
	for _, e := range encodings {
		var b bytes.Buffer
		w := e.to(&b)
		_, err := w.Write(f.body)
		if closing := w.Close(); err != nil || closing != nil {
			panic(fmt.Sprint(err, closing)) // a buffer takes everything
		}
		if b.Len() < len(f.body) {
			f.encoded[e.name] = b.Bytes()
		}
	}
	return f
}

// accepted is the file's body in the first encoding that a request takes.
func (f file) accepted(r *http.Request) (encoding string, body []byte) {
	takes := map[string]bool{}
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		takes[name] = strings.Trim(q, " q=0.") != "" || q == ""
	}
	for _, e := range encodings {
		if body, ok := f.encoded[e.name]; ok && takes[e.name] {
			return e.name, body
		}
	}
	return "", f.body
}
