package pbiviz

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// pieces are of content.js, as they stand in the JSON: some that no encoder of today
// writes, and some that stand for no character at all.
var pieces = []string{
	"var a=1;", "/* x */", "content", `\"js\":\"`, `\"`, `\\`, `\\\"`, `\/`, `\b\f\n\r\t`, "\\u003c\\u002fscript\\u003E", `\u0022`, `\u005c`, `\u0000`,
	"\\u2028\\u2029", "\u2028", "é", "日本", "😀", "\\ud83d\\ude00", "\\uD83D\\uDE00", "\\ud800", "\\udc00\\ud800", "\x7f", "\xff", "\ufeff", "'", "{}[],:",
	"'use strict';", "//# sourceMappingURL=x", `globalThis.okvizLicenses`,
}

// sample is a random valid package, with what is known of it.
type sample struct {
	pkg    []byte
	guid   string
	at     int // of the first byte inside content.js's quotes, in the resource's JSON
	strict bool
}

func drawSample(t *rapid.T) sample {
	s := sample{guid: rapid.StringMatching(`[A-Za-z_$][A-Za-z0-9_$]{0,40}`).Draw(t, "guid")}
	space := func() string {
		return rapid.SampledFrom([]string{"", "", "", " ", "\r\n\t", "  \n"}).Draw(t, "space")
	}
	bom := func() string { return rapid.SampledFrom([]string{"", "", "\ufeff"}).Draw(t, "bom") }

	s.strict = rapid.Bool().Draw(t, "strict")
	code := rapid.SampledFrom([]string{"", " ", `/*! \u00a9 */`, "// x\\n"}).Draw(t, "before")
	if s.strict {
		code += rapid.SampledFrom([]string{"'use strict';", `\"use strict\";`, "'use strict'\\n", `\u0027use strict\u0027;`}).Draw(t, "directive")
	}
	code += "var powerbi;" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 40).Draw(t, "pieces"), "")
	if rapid.IntRange(0, 19).Draw(t, "huge") == 0 {
		code += strings.Repeat(noise(5000)+`\n\"`, 500)
	}

	// The resource's JSON: what counts stands among what does not.
	var text strings.Builder
	text.WriteString(bom() + "{")
	members := rapid.Permutation([]string{"visual", "content", "js", "more", "list"}).Draw(t, "members")
	for i, member := range members {
		if i > 0 {
			text.WriteString(",")
		}
		text.WriteString(space())
		key := `"` + member + `"`
		if member == "content" && rapid.Bool().Draw(t, "escaped key") {
			key = `"c\u006fntent"`
		}
		text.WriteString(key + space() + ":" + space())
		switch member {
		case "visual":
			text.WriteString(`{"name":"x","guid":` + space() + `"` + s.guid + `","version":"1.0.0.0"}`)
		case "content":
			text.WriteString(`{` + space() + `"css":"\"js\":\"",` + space() + `"js"` + space() + ":" + space() + `"`)
			s.at = text.Len()
			text.WriteString(code + `"` + space() + `,"iconBase64":"data:image/png;base64,AAAA"}`)
		case "js":
			text.WriteString(`"not the code"`)
		case "more":
			text.WriteString(`{"content":{"js":"not the code"},"n":[1e3,-0.5,null,true]}`)
		case "list":
			text.WriteString(`["content",{"js":1}]`)
		}
	}
	text.WriteString(space() + "}" + space())

	type file struct{ name, content string }
	files := []file{
		{"package.json", bom() + `{"visual":{"guid":"` + s.guid + `"}}`},
		{"resources/" + s.guid + ".pbiviz.json", text.String()},
	}
	for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zé]{1,8}(\.png|\.resjson|)`), 0, 4, rapid.ID).Draw(t, "others") {
		content := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "content")
		files = append(files, file{"assets/" + name, string(content)})
	}
	if rapid.Bool().Draw(t, "folder") {
		files = append(files, file{"assets/", ""})
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range rapid.Permutation(files).Draw(t, "order") {
		header := &zip.FileHeader{
			Name: f.name, Method: rapid.SampledFrom([]uint16{zip.Store, zip.Deflate}).Draw(t, "method"),
			Comment: rapid.SampledFrom([]string{"", "a comment"}).Draw(t, "comment"), ExternalAttrs: rapid.SampledFrom([]uint32{0, 0o644 << 16}).Draw(t, "attributes"),
		}
		if rapid.Bool().Draw(t, "dated") {
			header.Modified = time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC)
		}
		if rapid.Bool().Draw(t, "extra") {
			header.Extra = []byte{0xfe, 0xca, 2, 0, 'o', 'k'}
		}
		if strings.HasSuffix(f.name, "/") || header.Method == zip.Deflate || rapid.Bool().Draw(t, "sizes afterwards") {
			e, err := w.CreateHeader(header) // sizes in a descriptor after the data
			must(err)
			_, err = io.WriteString(e, f.content)
			must(err)
			continue
		}
		header.CRC32 = crc32.ChecksumIEEE([]byte(f.content)) // sizes before the data, as old tools write them
		header.CompressedSize64, header.UncompressedSize64 = uint64(len(f.content)), uint64(len(f.content))
		e, err := w.CreateRaw(header)
		must(err)
		_, err = io.WriteString(e, f.content)
		must(err)
	}
	must(w.SetComment(rapid.SampledFrom([]string{"", "made by hand"}).Draw(t, "zip comment")))
	must(w.Close())
	s.pkg = out.Bytes()
	return s
}

// read is an entry as archive/zip reads it: header, raw bytes, and inflated.
func read(t *rapid.T, f *zip.File) (raw, data []byte) {
	in, err := f.OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = io.ReadAll(in); err != nil {
		t.Fatal(err)
	}
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	if data, err = io.ReadAll(r); err != nil { // checks size and checksum
		t.Fatalf("%s: %v", f.Name, err)
	}
	return raw, data
}

// codeOf decodes content.js as a visual's host does.
func codeOf(t *rapid.T, resource []byte) string {
	var v struct{ Content struct{ JS string } }
	if err := json.Unmarshal(bytes.TrimPrefix(resource, []byte("\ufeff")), &v); err != nil {
		t.Fatalf("the resource is no JSON: %v", err)
	}
	return v.Content.JS
}

func TestWhateverThePackageOnlyThePreludeIsAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		template, err := Parse(s.pkg)
		if err != nil {
			t.Fatal(err)
		}
		token := rapid.StringMatching(`[A-Za-z0-9_-]{1,900}\.[A-Za-z0-9_-]{1,900}\.[A-Za-z0-9_-]{86}`).Draw(t, "token")
		stamped, err := fast(template, token)
		if err != nil {
			t.Fatal(err)
		}
		added := "(globalThis.okvizLicenses=globalThis.okvizLicenses||{})['" + s.guid + "']='" + token + "';"
		if s.strict {
			added = "'use strict';" + added
		}

		before, err := zip.NewReader(bytes.NewReader(s.pkg), int64(len(s.pkg)))
		if err != nil {
			t.Fatal(err)
		}
		after, err := zip.NewReader(bytes.NewReader(stamped), int64(len(stamped)))
		if err != nil {
			t.Fatal(err)
		}
		if len(before.File) != len(after.File) || before.Comment != after.Comment {
			t.Fatalf("%d entries became %d, the comment %q", len(before.File), len(after.File), after.Comment)
		}
		for i, was := range before.File {
			is := after.File[i]
			rawBefore, dataBefore := read(t, was)
			rawAfter, dataAfter := read(t, is)
			if was.Name != "resources/"+s.guid+".pbiviz.json" {
				if diff := cmp.Diff(was.FileHeader, is.FileHeader); diff != "" {
					t.Errorf("the header of %q (-before +after):\n%s", was.Name, diff)
				}
				if !bytes.Equal(rawBefore, rawAfter) {
					t.Errorf("the bytes of %q changed", was.Name)
				}
				continue
			}
			if is.Name != was.Name || !is.Modified.Equal(was.Modified) || is.Comment != was.Comment || is.ExternalAttrs != was.ExternalAttrs || !bytes.Equal(is.Extra, was.Extra) {
				t.Errorf("the resource's header became %+v", is.FileHeader)
			}
			if want := string(dataBefore[:s.at]) + added + string(dataBefore[s.at:]); string(dataAfter) != want {
				t.Error("the resource differs in more than the prelude")
			}
			if codeOf(t, dataAfter) != added+codeOf(t, dataBefore) {
				t.Error("the code differs in more than the prelude")
			}
		}
		if id, got, err := Token(stamped); err != nil || id != s.guid || got != token {
			t.Errorf("read back %q %q %v", id, got, err)
		}
		if _, err := Parse(stamped); codeOfError(err) != CodeStamped {
			t.Errorf("a stamped package as a version: %v", err)
		}
		if again, err := fast(template, token); err != nil || !bytes.Equal(again, stamped) {
			t.Error("the same token gives other bytes")
		}
	})
}

func TestAFlippedBitIsRefusedOrHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		sound, err := Parse(s.pkg)
		if err != nil {
			t.Fatal(err)
		}
		pkg := bytes.Clone(s.pkg)
		pkg[rapid.IntRange(0, len(pkg)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		template, err := Parse(pkg)
		if err != nil {
			if codeOfError(err) == "" {
				t.Errorf("not an *Error: %v", err)
			}
			return
		}
		// It was in a header or comment: those have no checksum.
		if template.GUID() != s.guid || template.pkg.code != sound.pkg.code {
			t.Error("the code or the guid has changed unseen")
		}
		if err := template.Check(); err != nil {
			t.Error(err)
		}
	})
}

func codeOfError(err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// endless is a method of compression that this package does not know and its
// tests do: whatever is compressed, it inflates to white space without end.
const endless = 99

// inflated counts what endless entries have inflated to.
var inflated int64

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	inflated += int64(len(p))
	return len(p), nil
}

func init() {
	zip.RegisterDecompressor(endless, func(io.Reader) io.ReadCloser { return io.NopCloser(endlessReader{}) })
}

func TestNothingIsInflatedPastTheLimit(t *testing.T) {
	const limit = 100_000
	for name, sizes := range map[string][]int64{
		"one entry without end":               {1 << 40},
		"one that says that it is small":      {10},
		"entries that exceed it together":     {1, 1 << 40},
		"the limit is what earlier ones left": {60_000, 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := zip.NewWriter(&out)
			for i, size := range sizes {
				header := &zip.FileHeader{Name: string(rune('a' + i)), Method: endless, CompressedSize64: 1, UncompressedSize64: uint64(size)}
				if i+1 < len(sizes) { // an ordinary one
					header.Method, header.CompressedSize64, header.CRC32 = zip.Store, uint64(size), crc32.ChecksumIEEE(make([]byte, size))
				}
				e, err := w.CreateRaw(header)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := e.Write(make([]byte, header.CompressedSize64)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			left := int64(limit)
			for _, size := range sizes[:len(sizes)-1] {
				left -= size
			}
			inflated = 0
			_, err := open(out.Bytes(), limit)
			if code := codeOfError(err); code != CodeTooLarge && code != CodeDamaged {
				t.Errorf("got %v", err)
			}
			// One byte more tells that there is more.
			if inflated == 0 || inflated > left+1 {
				t.Errorf("%d bytes were inflated, where %d were left", inflated, left)
			}
		})
	}
}
