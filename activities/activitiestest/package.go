package activitiestest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"testing"
)

// Package is a visual's package whose code has these literals: public keys.
func Package(t testing.TB, literals ...string) []byte {
	t.Helper()
	const guid = "shopVisual0123456789ABCDEF"
	code := "var powerbi = {};"
	for _, literal := range literals {
		code += " // " + literal
	}
	js, err := json.Marshal(code)
	check(t, err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range map[string]string{
		"package.json":                       `{"version":"1.0.0.0","visual":{"guid":"` + guid + `"}}`,
		"resources/" + guid + ".pbiviz.json": `{"visual":{"name":"shop","displayName":"Shop","guid":"` + guid + `","version":"1.0.0.0"},"content":{"js":` + string(js) + `,"css":""}}`,
	} {
		f, err := w.Create(name)
		check(t, err)
		_, err = f.Write([]byte(text))
		check(t, err)
	}
	check(t, w.Close())
	return out.Bytes()
}
