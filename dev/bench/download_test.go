package bench

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/okviz/licensing/visual"
)

// BenchmarkDownload compares the download of a package of 2.4 MB, stamped for its licence,
// with a file of that size that Gin serves.
func BenchmarkDownload(b *testing.B) {
	server, db := database(b)
	temporal := start(b, task{Serve: "temporal"})
	url := filled(b, server, db, "download", 10)
	pkg := large(b, db)
	product := start(b, task{Serve: "api", Temporal: temporal.Temporal, Database: url})
	file := filepath.Join(b.TempDir(), "package.pbiviz")
	must(b, os.WriteFile(file, pkg, 0o600))
	bare := start(b, task{Serve: "bare", File: file})
	pin(b, product, bare)
	path := "/v1/licenses/" + string(licenseOf(1)) + "/download"
	ours := &side{http: product.HTTP, uses: []*process{product}, next: func(int64) []byte {
		return request("GET", path, "", "Authorization: Bearer "+operatorKey)
	}}
	theirs := &side{http: bare.HTTP, uses: []*process{bare}, next: func(int64) []byte { return request("GET", "/", "") }}
	for b.Loop() {
		compare(b, ours, theirs, 4, 6, time.Second)
	}
}

// large makes the package of Calendar Pro one of 2.4 MB.
func large(b *testing.B, db *sql.DB) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, p := range visual.Packages() {
		if p.Product != "calendar-pro" {
			continue
		}
		r, err := zip.NewReader(bytes.NewReader(p.Data), int64(len(p.Data)))
		must(b, err)
		for _, f := range r.File {
			must(b, w.Copy(f))
		}
	}
	more, err := w.CreateHeader(&zip.FileHeader{Name: "resources/more.bin", Method: zip.Store})
	must(b, err)
	_, err = io.CopyN(more, rand.Reader, 2_390_000)
	must(b, err)
	must(b, w.Close())
	_, err = db.ExecContext(b.Context(), "UPDATE versions SET package = ? WHERE product = 'calendar-pro'", out.Bytes())
	must(b, err)
	return out.Bytes()
}
