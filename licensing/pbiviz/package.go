package pbiviz

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
)

// Limits of a package (docs/operators.md, Versions).
const (
	MaxSize     = 16 << 20 // bytes of the zip
	MaxInflated = 32 << 20 // bytes of all entries together
	MaxEntries  = 64
)

// opened is a package that has been read through and found sound.
type opened struct {
	entries  []*zip.File
	comment  string
	resource *zip.File // resources/<guid>.pbiviz.json
	json     []byte    // the resource, inflated
	codeAt   int       // offset in json of the first byte inside content.js's quotes
	code     string    // content.js, decoded
	guid     string
	name     string
	version  string
}

// open reads a package whose entries inflate to at most maxInflated bytes.
func open(pkg []byte, maxInflated int64) (*opened, error) {
	archive, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		return nil, refuse(CodeDamaged, "the file is not a readable zip")
	}
	if len(archive.File) > MaxEntries {
		return nil, refuse(CodeTooLarge, "the package has %d entries; %d are allowed", len(archive.File), MaxEntries)
	}
	p := &opened{entries: archive.File, comment: archive.Comment}

	var manifest []byte
	var legacy bool
	left, raw := maxInflated, uint64(len(pkg))
	seen := map[string]bool{}
	for _, f := range archive.File {
		switch {
		case !local(f):
			return nil, refuse(CodeDamaged, "the entry %q is not a file inside the package", f.Name)
		case seen[f.Name]:
			return nil, refuse(CodeDamaged, "the entry %q occurs twice", f.Name)
		case f.CompressedSize64 > raw: // overlapping entries would multiply when copied
			return nil, refuse(CodeDamaged, "the entries are together larger than the file")
		case f.Flags&1 != 0:
			return nil, refuse(CodeDamaged, "the entry %q is encrypted", f.Name)
		case strings.HasSuffix(f.Name, "/") && f.CompressedSize64 > 0:
			return nil, refuse(CodeDamaged, "the folder entry %q has contents", f.Name)
		}
		seen[f.Name] = true
		raw -= f.CompressedSize64

		data, err := inflate(f, left)
		if err != nil {
			return nil, err
		}
		left -= int64(len(data))
		switch {
		case f.Name == "package.json":
			manifest = data
		case strings.HasPrefix(f.Name, "resources/") && strings.HasSuffix(f.Name, ".pbiviz.json"):
			if p.resource != nil {
				return nil, refuse(CodeDamaged, "the package has more than one resources/<guid>.pbiviz.json")
			}
			p.resource, p.json = f, data
		case strings.HasSuffix(strings.ToLower(f.Name), ".js"):
			legacy = true
		}
	}
	switch {
	case legacy:
		return nil, refuse(CodeLegacy, "the package keeps its code in separate .js files; rebuild it with current powerbi-visuals-tools")
	case manifest == nil:
		return nil, refuse(CodeIncomplete, "package.json is missing")
	case p.resource == nil:
		return nil, refuse(CodeIncomplete, "resources/<guid>.pbiviz.json is missing")
	}
	return p, p.read(manifest)
}

// local tells whether an entry stays where it is unpacked: no absolute name, no
// "..", on any system, and no link.
func local(f *zip.File) bool {
	return f.Name != "." && fs.ValidPath(strings.TrimSuffix(f.Name, "/")) && !strings.ContainsAny(f.Name, "\\:\x00") && f.Mode().Type()&^fs.ModeDir == 0
}

// inflate returns the contents of an entry, of which there may be at most limit bytes.
// What the zip's directory says about the size is not trusted.
func inflate(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, refuse(CodeDamaged, "the entry %q cannot be read", f.Name)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case int64(len(data)) > limit:
		return nil, refuse(CodeTooLarge, "the package's entries inflate to more than %d MiB", MaxInflated>>20)
	case err != nil || crc32.ChecksumIEEE(data) != f.CRC32:
		return nil, refuse(CodeDamaged, "the entry %q is damaged", f.Name)
	}
	return data, nil
}

// read takes guid, name, version and code from the resource and holds the guids
// against each other.
func (p *opened) read(manifest []byte) error {
	var top struct {
		Visual description `json:"visual"`
	}
	if err := json.Unmarshal(skipBOM(manifest), &top); err != nil {
		return refuse(CodeDamaged, "package.json is malformed")
	}
	v, err := p.locateCode()
	if err != nil {
		return err
	}
	p.guid, p.name, p.version = v.GUID, v.DisplayName, v.Version
	if p.name == "" {
		p.name = v.Name
	}
	switch {
	case !guidPattern.MatchString(p.guid):
		return refuse(CodeDamaged, "visual.guid is not a JavaScript identifier of at most 200 characters")
	case p.resource.Name != "resources/"+p.guid+".pbiviz.json":
		return refuse(CodeDamaged, "the resource's name and its visual.guid differ")
	case top.Visual.GUID != "" && top.Visual.GUID != p.guid:
		return refuse(CodeDamaged, "the visual.guid of package.json and of the resource differ")
	case strings.TrimSpace(p.code) == "":
		return refuse(CodeIncomplete, "content.js is empty")
	}
	return nil
}

type description struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	GUID        string `json:"guid"`
	Version     string `json:"version"`
}

// locateCode walks the resource's JSON token by token, so that a "js" elsewhere or
// inside a string is never taken for content.js, sets codeAt and code, and returns the
// visual's description. Keys that count and stand twice are refused: readers differ in
// which of them they take.
func (p *opened) locateCode() (description, error) {
	var v description
	var foundVisual, foundContent, foundCode bool

	text := skipBOM(p.json)
	bom := len(p.json) - len(text)
	dec := json.NewDecoder(bytes.NewReader(text))
	err := eachKey(dec, func(key string) error {
		switch key {
		case "visual":
			if foundVisual {
				return errors.New("visual twice")
			}
			foundVisual = true
			return dec.Decode(&v)
		case "content":
			if foundContent {
				return errors.New("content twice")
			}
			foundContent = true
			return eachKey(dec, func(key string) error {
				if key != "js" {
					return skipValue(dec)
				}
				if foundCode {
					return errors.New("content.js twice")
				}
				afterKey := int(dec.InputOffset())
				value, err := dec.Token()
				code, ok := value.(string)
				if err != nil || !ok {
					return errors.New("content.js is no string")
				}
				// Between a key and its string stand one colon and white space only.
				p.codeAt = bom + afterKey + bytes.IndexByte(text[afterKey:], '"') + 1
				p.code, foundCode = code, true
				return nil
			})
		}
		return skipValue(dec)
	})
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else {
			err = errors.New("more than one value")
		}
	}
	switch {
	case err != nil:
		return v, refuse(CodeDamaged, "the resource's JSON is malformed, or has a duplicate key")
	case !foundVisual:
		return v, refuse(CodeIncomplete, "the resource does not describe its visual")
	case !foundCode:
		return v, refuse(CodeIncomplete, "content.js is missing")
	}
	return v, nil
}

// eachKey reads an object, calling value after each key to read what belongs to it.
func eachKey(dec *json.Decoder, value func(key string) error) error {
	if open, err := dec.Token(); err != nil {
		return err
	} else if open != json.Delim('{') {
		return errors.New("no object")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if err := value(key.(string)); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func skipValue(dec *json.Decoder) error {
	var skipped json.RawMessage
	return dec.Decode(&skipped)
}

// skipBOM cuts off the byte order mark that some tools write.
func skipBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }
