package pbiviz_test

import (
	"archive/zip"
	"bytes"
	"fmt"

	"github.com/okviz/licensing/licensing/pbiviz"
)

// A package is parsed once, and stamped for each licence.
func ExampleTemplate_Stamp() {
	var pkg bytes.Buffer
	w := zip.NewWriter(&pkg)
	for _, file := range [][2]string{
		{"package.json", `{"version":"1.0.0.0","visual":{"guid":"demo0123456789ABCDEF"}}`},
		{"resources/demo0123456789ABCDEF.pbiviz.json", `{"visual":{"name":"demo","displayName":"Demo","guid":"demo0123456789ABCDEF","version":"1.0.0.0"},"content":{"js":"var powerbi = {};","css":""}}`},
	} {
		f, err := w.Create(file[0])
		if err == nil {
			_, err = f.Write([]byte(file[1]))
		}
		if err != nil {
			panic(err)
		}
	}
	w.Close()

	template, err := pbiviz.Parse(pkg.Bytes())
	if err != nil {
		panic(err)
	}
	var stamped bytes.Buffer
	if err := template.Stamp(&stamped, "eyJhbGciOiJFZERTQSJ9.e30.c2ln"); err != nil {
		panic(err)
	}
	guid, token, err := pbiviz.Token(stamped.Bytes())
	fmt.Println(guid, token, err)
	// Output: demo0123456789ABCDEF eyJhbGciOiJFZERTQSJ9.e30.c2ln <nil>
}
