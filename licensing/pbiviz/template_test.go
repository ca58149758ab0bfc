package pbiviz

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/visual"
)

// entry is one file of a synthetic package.
type entry struct {
	name, text string
	method     uint16
}

const (
	guid     = "demoVisual0123456789ABCDEF"
	resource = "resources/" + guid + ".pbiviz.json"
	manifest = `{"version":"1.0.0.0","visual":{"guid":"` + guid + `"}}`
	about    = `"visual":{"name":"demo","displayName":"Demo","guid":"` + guid + `","version":"1.2.3.0"}`
)

func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetComment("a comment"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// packJSON is a package with this resource.
func packJSON(t testing.TB, text string) []byte {
	t.Helper()
	return pack(t, entry{"package.json", manifest, zip.Deflate}, entry{"resources/", "", zip.Store}, entry{resource, text, zip.Deflate})
}

func withCode(js string) string { return `{` + about + `,"content":{"js":` + js + `,"css":""}}` }

// good are packages that can be stamped, by what is special about them.
func good(t testing.TB) map[string][]byte {
	t.Helper()
	long := strings.Repeat(`var a=\"\\n\";`, 200_000)
	packages := map[string][]byte{
		"deflated":                    packJSON(t, withCode(`"var a = 1;"`)),
		"stored":                      pack(t, entry{"package.json", manifest, zip.Store}, entry{resource, withCode(`"var a = 1;"`), zip.Store}),
		"resource first":              pack(t, entry{resource, withCode(`"var a = 1;"`), zip.Deflate}, entry{"package.json", manifest, zip.Store}),
		"byte order marks":            pack(t, entry{"package.json", "\ufeff" + manifest, zip.Store}, entry{resource, "\ufeff" + withCode(`"var a = 1;"`), zip.Deflate}),
		"white space":                 packJSON(t, "\r\n{ "+about+",\n \"content\" \t: {\n \"js\"\n:\r\n \"var a = 1;\" } }\n"),
		"odd escapes":                 packJSON(t, withCode(`"\u0076ar s = \"\\\"\\u2028\ud83d\ude00\ud800\"; \/\/ é\t"`)),
		"an escaped key":              packJSON(t, `{`+about+`,"c\u006fntent":{"j\u0073":"var a = 1;"}}`),
		"other keys called js":        packJSON(t, `{"js":"no","a":{"content":{"js":"no"}},"b":["js","content"],`+about+`,"content":{"x":{"js":"no"},"css":"\"js\":\"no","js":"var a = 1;","z":"\"js\":"}}`),
		"code before the description": packJSON(t, `{"content":{"js":"var a = 1;"},`+about+`}`),
		"strict code":                 packJSON(t, withCode(`"'use strict';var a = 1;"`)),
		"long":                        packJSON(t, withCode(`"`+long+`"`)),
		"incompressible":              packJSON(t, withCode(`"/*`+noise(3<<20)+`*/"`)),
	}
	for _, p := range visual.Packages() {
		packages[p.Product] = p.Data
	}
	return packages
}

// noise is text that deflate cannot shorten much.
func noise(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-"
	bytes := make([]byte, n)
	random := rand.NewChaCha8([32]byte{2})
	random.Read(bytes)
	for i, b := range bytes {
		bytes[i] = letters[b&63]
	}
	return string(bytes)
}

func stamp(t testing.TB, template *Template, token string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := template.Stamp(&out, token); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// contents reads a zip with the standard library alone.
func contents(t testing.TB, pkg []byte) (names []string, text map[string]string, raw map[string][]byte, comment string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	text, raw = map[string]string{}, map[string][]byte{}
	for _, f := range r.File {
		names = append(names, f.Name)
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		text[f.Name] = string(data)
		rawIn, err := f.OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		if raw[f.Name], err = io.ReadAll(rawIn); err != nil {
			t.Fatal(err)
		}
	}
	return names, text, raw, r.Comment
}

func TestOnlyThePreludeIsAdded(t *testing.T) {
	for name, pkg := range good(t) {
		t.Run(name, func(t *testing.T) {
			template, err := Parse(pkg)
			if err != nil {
				t.Fatal(err)
			}
			stamped := stamp(t, template, testToken)
			names, before, rawBefore, comment := contents(t, pkg)
			namesAfter, after, rawAfter, commentAfter := contents(t, stamped)
			if diff := cmp.Diff(names, namesAfter); diff != "" || comment != commentAfter {
				t.Errorf("entries or comment changed: %s", diff)
			}
			added := "(globalThis.okvizLicenses=globalThis.okvizLicenses||{})['" + template.GUID() + "']='" + testToken + "';"
			if name == "strict code" {
				added = "'use strict';" + added
			}
			for _, n := range names {
				want := before[n]
				if strings.HasSuffix(n, ".pbiviz.json") {
					// The prelude stands right after a quote, and without it all is as before.
					at := strings.Index(after[n], added)
					if at < 1 || after[n][at-1] != '"' || after[n][:at]+after[n][at+len(added):] != want {
						t.Errorf("%s: differs in more than the prelude", n)
					}
				} else if after[n] != want || !bytes.Equal(rawBefore[n], rawAfter[n]) {
					t.Errorf("%s: changed", n)
				}
			}
			if err := template.Check(); err != nil {
				t.Error(err)
			}
			if gotGUID, token, err := Token(stamped); err != nil || gotGUID != template.GUID() || token != testToken {
				t.Errorf("read back %q %q %v", gotGUID, token, err)
			}
		})
	}
}

func TestTheSameTokenGivesTheSameBytes(t *testing.T) {
	for name, pkg := range good(t) {
		first, err := Parse(pkg)
		if err != nil {
			t.Fatal(name, err)
		}
		second, err := Parse(bytes.Clone(pkg))
		if err != nil {
			t.Fatal(name, err)
		}
		one := stamp(t, first, testToken)
		if !bytes.Equal(one, stamp(t, first, testToken)) || !bytes.Equal(one, stamp(t, second, testToken)) {
			t.Errorf("%s: stamped differently", name)
		}
		if bytes.Equal(one, stamp(t, first, testToken+"A")) {
			t.Errorf("%s: another token gives the same bytes", name)
		}
	}
}

func TestManyMayStampAtOnce(t *testing.T) {
	template, err := Parse(packJSON(t, withCode(`"var a = 1;"`)))
	if err != nil {
		t.Fatal(err)
	}
	want := stamp(t, template, testToken)
	done := make(chan error)
	for range 8 {
		go func() {
			var out bytes.Buffer
			err := template.Stamp(&out, testToken)
			if err == nil && !bytes.Equal(out.Bytes(), want) {
				err = errors.New("other bytes")
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestUnzipAcceptsStampedPackages(t *testing.T) {
	unzip, err := exec.LookPath("unzip")
	if err != nil {
		t.Skip("no unzip was found, which tests the stamped zips")
	}
	folder := t.TempDir()
	for name, pkg := range good(t) {
		template, err := Parse(pkg)
		if err != nil {
			t.Fatal(name, err)
		}
		file := filepath.Join(folder, name+".pbiviz")
		if err := os.WriteFile(file, stamp(t, template, testToken), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(unzip, "-t", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestWhatATemplateSaysOfItsVisual(t *testing.T) {
	template, err := Parse(packJSON(t, withCode(`"var k = \"q\\\"\";"`)))
	if err != nil {
		t.Fatal(err)
	}
	if template.GUID() != guid || template.Name() != "Demo" || template.Version() != "1.2.3.0" {
		t.Errorf("%q %q %q", template.GUID(), template.Name(), template.Version())
	}
	// The code is searched as JavaScript sees it, and nothing but the code.
	if !template.Contains(`k = "q\""`) || template.Contains("displayName") {
		t.Error("Contains does not look into the code, or not only there")
	}
}

func TestWhatIsNotAPackageIsRefused(t *testing.T) {
	sound := withCode(`"var a = 1;"`)
	stamped, err := Parse(packJSON(t, sound))
	if err != nil {
		t.Fatal(err)
	}
	many := []entry{{"package.json", manifest, zip.Store}, {resource, sound, zip.Store}}
	for i := range 63 {
		many = append(many, entry{fmt.Sprint("resources/", i, ".resjson"), "{}", zip.Store})
	}
	flipped := pack(t, entry{"package.json", manifest, zip.Store}, entry{resource, sound, zip.Store})
	flipped[bytes.Index(flipped, []byte("var a = 1"))] ^= 1
	encrypted := pack(t, entry{"package.json", manifest, zip.Store}, entry{resource, sound, zip.Store})
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1

	for _, c := range []struct {
		name string
		pkg  []byte
		code string
	}{
		{"nothing", nil, CodeDamaged},
		{"text", []byte("hello"), CodeDamaged},
		{"a cut zip", packJSON(t, sound)[:200], CodeDamaged},
		{"a flipped bit", flipped, CodeDamaged},
		{"an encrypted entry", encrypted, CodeDamaged},
		{"an entry without checksum", unchecked(t), CodeDamaged},
		{"more than 16 MiB", make([]byte, MaxSize+1), CodeTooLarge},
		{"65 entries", pack(t, many...), CodeTooLarge},
		{"more than 32 MiB inflated", pack(t, entry{"package.json", manifest, zip.Store}, entry{"a.css", strings.Repeat(" ", 33<<20), zip.Deflate}), CodeTooLarge},
		{"a script of 60 MiB", packJSON(t, withCode(`"`+strings.Repeat("/**/", 15<<20)+`"`)), CodeTooLarge},
		{"more than 32 MiB inflated, and saying less", lyingBomb(t, 33<<20), CodeDamaged},
		{"entries that share their bytes", overlapping(t), CodeDamaged},
		{"an entry twice", pack(t, entry{"package.json", manifest, zip.Store}, entry{"package.json", manifest, zip.Store}), CodeDamaged},
		{"code in separate files", pack(t, entry{"package.json", manifest, zip.Store}, entry{resource, `{` + about + `}`, zip.Store}, entry{"resources/demo.JS", "var a", zip.Store}), CodeLegacy},
		{"no package.json", pack(t, entry{resource, sound, zip.Store}), CodeIncomplete},
		{"no resource", pack(t, entry{"package.json", manifest, zip.Store}), CodeIncomplete},
		{"two resources", pack(t, entry{"package.json", manifest, zip.Store}, entry{resource, sound, zip.Store}, entry{"resources/b.pbiviz.json", sound, zip.Store}), CodeDamaged},
		{"package.json is no JSON", pack(t, entry{"package.json", "{", zip.Store}, entry{resource, sound, zip.Store}), CodeDamaged},
		{"package.json of another visual", pack(t, entry{"package.json", `{"visual":{"guid":"other"}}`, zip.Store}, entry{resource, sound, zip.Store}), CodeDamaged},
		{"resource named after another visual", pack(t, entry{"package.json", "{}", zip.Store}, entry{"resources/other.pbiviz.json", sound, zip.Store}), CodeDamaged},
		{"broken JSON", packJSON(t, sound[:len(sound)-1]), CodeDamaged},
		{"more after the JSON", packJSON(t, sound+"{}"), CodeDamaged},
		{"an array", packJSON(t, "["+sound+"]"), CodeDamaged},
		{"content is no object", packJSON(t, `{`+about+`,"content":"js"}`), CodeDamaged},
		{"content.js is a number", packJSON(t, withCode(`1`)), CodeDamaged},
		{"content.js is null", packJSON(t, withCode(`null`)), CodeDamaged},
		{"content.js is an object", packJSON(t, withCode(`{"js":"x"}`)), CodeDamaged},
		{"content.js is empty", packJSON(t, withCode(`" "`)), CodeIncomplete},
		{"no content.js", packJSON(t, `{`+about+`,"content":{"css":"","JS":"x"}}`), CodeIncomplete},
		{"no visual", packJSON(t, `{"content":{"js":"x"}}`), CodeIncomplete},
		{"content.js twice", packJSON(t, `{`+about+`,"content":{"js":"a","j\u0073":"b"}}`), CodeDamaged},
		{"content twice", packJSON(t, `{`+about+`,"content":{"js":"a"},"content":{"js":"b"}}`), CodeDamaged},
		{"content twice, once without code", packJSON(t, `{`+about+`,"content":{"js":"a"},"content":{}}`), CodeDamaged},
		{"visual twice", packJSON(t, `{`+about+`,`+about+`,"content":{"js":"a"}}`), CodeDamaged},
		{"a guid that is no identifier", packJSON(t, `{"visual":{"guid":"a']-alert(1)-['"},"content":{"js":"a"}}`), CodeDamaged},
		{"a stamped package", stamp(t, stamped, testToken), CodeStamped},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.pkg)
			var refused *Error
			if !errors.As(err, &refused) || refused.Code != c.code || refused.Detail == "" {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestAPackageWithAnEntryOutsideOfItIsRefused(t *testing.T) {
	for _, name := range []string{
		"../evil.css", "../../evil.css", "resources/../../evil.css", "resources/..", "/etc/evil.css", "./a.css", "a//b.css", "", ".",
		`..\evil.css`, `C:\evil.css`, "C:evil.css", `\\host\evil.css`, "a\x00.css", "\xff.css", "../", "//",
	} {
		_, err := Parse(pack(t, entry{"package.json", manifest, zip.Store}, entry{resource, withCode(`"x"`), zip.Store}, entry{name, "", zip.Store}))
		if refused := (*Error)(nil); !errors.As(err, &refused) || refused.Code != CodeDamaged {
			t.Errorf("%q: got %v, want %s", name, err, CodeDamaged)
		}
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	link := zip.FileHeader{Name: "link"}
	link.SetMode(0o777 | fs.ModeSymlink)
	_, err := w.CreateHeader(&link)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(out.Bytes()); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("a link: got %v", err)
	}
	if _, err := Parse(pack(t, entry{"resources/", "", zip.Store}, entry{"a b..css", "", zip.Store}, entry{"package.json", manifest, zip.Store}, entry{resource, withCode(`"x"`), zip.Store})); err != nil {
		t.Errorf("a folder and an odd name: %v", err)
	}
}

// Blanks, comments and literals before the first statement are read one rune
// at a time.
func TestWhatAScriptBeginsWithIsReadForItsFirstMebibyteOnly(t *testing.T) {
	if !isStrict(strings.Repeat("/**/", 1<<18-100) + "'use strict';") {
		t.Error("a directive in the first mebibyte is not seen")
	}
	if isStrict(strings.Repeat("/**/", 1<<18) + "'use strict';") {
		t.Error("the whole script is read")
	}
}

// lyingBomb has an entry that inflates to size bytes, of which the directory says 10.
func lyingBomb(t testing.TB, size int) []byte {
	t.Helper()
	var deflated, out bytes.Buffer
	f, err := flate.NewWriter(&deflated, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	w := zip.NewWriter(&out)
	e, err := w.CreateRaw(&zip.FileHeader{Name: "bomb", Method: zip.Deflate,
		CompressedSize64: uint64(deflated.Len()), UncompressedSize64: 10, CRC32: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(deflated.Bytes()); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return out.Bytes()
}

// unchecked has a sound entry whose checksum is not given.
func unchecked(t testing.TB) []byte {
	t.Helper()
	text := withCode(`"var a = 1;"`)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range []entry{{"package.json", manifest, zip.Store}, {resource, text, zip.Store}} {
		size := uint64(len(e.text))
		f, err := w.CreateRaw(&zip.FileHeader{Name: e.name, CompressedSize64: size, UncompressedSize64: size})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// overlapping has two directory entries for the same bytes, so that copying them would
// make more of them.
func overlapping(t testing.TB) []byte {
	t.Helper()
	text := noise(1000)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range []string{"a", "b"} {
		e, err := w.CreateRaw(&zip.FileHeader{Name: name, CompressedSize64: uint64(len(text)),
			UncompressedSize64: uint64(len(text)), CRC32: crc32.ChecksumIEEE([]byte(text))})
		if err != nil {
			t.Fatal(err)
		}
		if name == "a" {
			fmt.Fprint(e, text)
		}
	}
	w.Close()
	// b's directory entry (46 bytes before its name) points at a's bytes: its offset is
	// the four bytes before the name.
	pkg := out.Bytes()
	b := bytes.LastIndex(pkg, []byte("PK\x01\x02"))
	copy(pkg[b+42:b+46], []byte{0, 0, 0, 0})
	return pkg
}

func TestATokenThatIsNoCompactJWSIsRefused(t *testing.T) {
	template, err := Parse(packJSON(t, withCode(`"var a = 1;"`)))
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{
		"", "a", "a.b", "a..c", ".b.c", "a.b.", "a.b.c.d", "a.b.c\n", "a.b.c ", "a.b.c'", `a.b.c"`, `a.b.c\`, "a.b.c=", "a+.b.c", "ä.b.c",
		"a.b." + strings.Repeat("c", 1<<16),
	} {
		var out bytes.Buffer
		var refused *Error
		if err := template.Stamp(&out, token); !errors.As(err, &refused) || refused.Code != CodeTokenInvalid {
			t.Errorf("%.20q: %v", token, err)
		}
		if out.Len() > 0 {
			t.Errorf("%.20q: something was written", token)
		}
	}
}

func TestAPackageWithoutTokenHasNoneToRead(t *testing.T) {
	_, _, err := Token(packJSON(t, withCode(`"var a = 1;"`)))
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != CodeNotStamped {
		t.Errorf("got %v", err)
	}
}

func TestAPackageAtTheLimitCanBeReadBack(t *testing.T) {
	frame := len(manifest) + len(withCode(`""`))
	pkg := packJSON(t, withCode(`"`+strings.Repeat("/", MaxInflated-frame)+`"`))
	template, err := Parse(pkg)
	if err != nil {
		t.Fatal(err)
	}
	if _, token, err := Token(stamp(t, template, testToken)); err != nil || token != testToken {
		t.Errorf("%q %v", token, err)
	}
}

func TestTheWritersErrorIsReturned(t *testing.T) {
	template, err := Parse(packJSON(t, withCode(`"`+noise(20_000)+`"`)))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the customer went away")
	if err := template.Stamp(failing{broken}, testToken); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzParse(f *testing.F) {
	f.Add([]byte("hello"))
	f.Add(lyingBomb(f, 200_000))
	f.Add(overlapping(f))
	for name, pkg := range good(f) {
		if name != "long" && name != "incompressible" {
			f.Add(pkg)
		}
	}
	f.Fuzz(func(t *testing.T, pkg []byte) {
		const limit = 100_000 // whatever inflates to more is refused
		if _, err := open(pkg, limit); err == nil {
			_, text, _, _ := contents(t, pkg)
			size := 0
			for _, data := range text {
				size += len(data)
			}
			if size > limit {
				t.Fatalf("%d bytes were inflated, of at most %d", size, limit)
			}
		}
		template, err := Parse(pkg)
		if err != nil {
			var refused *Error
			if !errors.As(err, &refused) {
				t.Fatalf("not an *Error: %v", err)
			}
			return
		}
		if err := template.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzResource fuzzes the JSON alone, which a mutated zip's checksums hide.
func FuzzResource(f *testing.F) {
	for _, pkg := range good(f) {
		_, text, _, _ := contents(f, pkg)
		if json := text[resource]; len(json) < 1000 {
			f.Add(json)
		}
	}
	f.Fuzz(func(t *testing.T, json string) {
		template, err := Parse(packJSON(t, json))
		if err != nil {
			return
		}
		if err := template.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkStamp stamps a package with 2.6 MB of code, as large as visuals get.
func BenchmarkStamp(b *testing.B) {
	template, err := Parse(packJSON(b, withCode(`"`+strings.Repeat(noise(1000), 2600)+`"`)))
	if err != nil {
		b.Fatal(err)
	}
	token := "a." + noiseToken(900) + ".c"
	b.ReportAllocs()
	for b.Loop() {
		if err := template.Stamp(io.Discard, token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	pkg := packJSON(b, withCode(`"`+strings.Repeat(noise(1000), 2600)+`"`))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(pkg); err != nil {
			b.Fatal(err)
		}
	}
}

func noiseToken(n int) string { return strings.ReplaceAll(noise(n), "+", "_") }
