package pbiviz

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// Template is a vendor's package, made ready to be stamped. It may be used by many
// goroutines at once.
type Template struct {
	pkg        *opened
	strict     bool
	head, tail part
}

// part is a stretch of the resource's JSON.
type part struct {
	deflated []byte
	crc      uint32 // of the bytes before deflating
	size     int64  // likewise
}

// Parse validates a package as a vendor uploads it and makes a template of it. The
// template keeps pkg, which must not be changed afterwards.
//
// A package has at most [MaxSize] bytes, [MaxEntries] entries and [MaxInflated] bytes
// when inflated; the latter are counted while inflating. Errors are [*Error].
func Parse(pkg []byte) (*Template, error) {
	if len(pkg) > MaxSize {
		return nil, refuse(CodeTooLarge, "the package has more than %d MiB", MaxSize>>20)
	}
	p, err := open(pkg, MaxInflated)
	if err != nil {
		return nil, err
	}
	if _, _, stamped := splitPrelude(p.code); stamped {
		return nil, refuse(CodeStamped, "the package already carries a licence; upload the package as it was built")
	}
	t := &Template{pkg: p, strict: isStrict(p.code)}
	if t.head, err = deflate(p.json[:p.codeAt], false); err != nil {
		return nil, fmt.Errorf("deflate the head of %s: %w", p.guid, err)
	}
	if t.tail, err = deflate(p.json[p.codeAt:], true); err != nil {
		return nil, fmt.Errorf("deflate the tail of %s: %w", p.guid, err)
	}
	p.json = nil // held deflated from here on
	return t, nil
}

// deflate compresses a stretch. Only the last one ends the stream; others end on a byte
// boundary, where another block may follow.
func deflate(data []byte, last bool) (part, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return part{}, err
	}
	if _, err := w.Write(data); err != nil {
		return part{}, err
	}
	end := w.Flush
	if last {
		end = w.Close
	}
	if err := end(); err != nil {
		return part{}, err
	}
	return part{deflated: bytes.Clone(out.Bytes()), crc: crc32.ChecksumIEEE(data), size: int64(len(data))}, nil
}

// GUID is the visual's guid, a JavaScript identifier.
func (t *Template) GUID() string { return t.pkg.guid }

// Name is the name that Power BI shows.
func (t *Template) Name() string { return t.pkg.name }

// Version is the visual's version as the package states it, usually of four parts:
// "2.4.2.0".
func (t *Template) Version() string { return t.pkg.version }

// Contains says whether the visual's code has the literal s. String literals survive
// minification, so this tells which public keys a build knows.
func (t *Template) Contains(s string) bool { return strings.Contains(t.pkg.code, s) }

// Stamp writes the package with the token in it. The same token gives the same bytes.
// A token that is not a compact JWS is refused with an [*Error]; its signature and
// claims are not looked at. Other errors are the writer's.
func (t *Template) Stamp(w io.Writer, token string) error {
	if !tokenPattern.MatchString(token) {
		return refuse(CodeTokenInvalid, "the token is not three base64url parts with points between them")
	}
	prelude := prelude(t.pkg.guid, token, t.strict)
	if len(prelude) > maxPrelude {
		return refuse(CodeTokenInvalid, "the token is too long")
	}
	out := zip.NewWriter(w)
	for _, f := range t.pkg.entries {
		write := out.Copy
		if f == t.pkg.resource {
			write = func(*zip.File) error { return t.writeResource(out, prelude) }
		}
		if err := write(f); err != nil {
			return fmt.Errorf("stamp %s: %w", t.pkg.guid, err)
		}
	}
	if err := out.SetComment(t.pkg.comment); err != nil {
		return fmt.Errorf("stamp %s: %w", t.pkg.guid, err)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("stamp %s: %w", t.pkg.guid, err)
	}
	return nil
}

// writeResource writes the resource's entry: head, one stored block, tail.
func (t *Template) writeResource(out *zip.Writer, prelude string) error {
	size := uint16(len(prelude))
	block := make([]byte, 0, 5+len(prelude))
	block = append(block, 0) // not the last block; stored
	block = binary.LittleEndian.AppendUint16(block, size)
	block = binary.LittleEndian.AppendUint16(block, ^size)
	block = append(block, prelude...)

	const dataDescriptor = 1 << 3
	header := t.pkg.resource.FileHeader
	header.Method = zip.Deflate
	header.ReaderVersion = max(header.ReaderVersion, 20) // the first version that knows deflate
	header.Flags &^= dataDescriptor                      // sizes are known beforehand
	header.CompressedSize64 = uint64(len(t.head.deflated) + len(block) + len(t.tail.deflated))
	header.UncompressedSize64 = uint64(t.head.size + int64(len(prelude)) + t.tail.size)
	header.CRC32 = joinCRC(t.head.crc, crc32.ChecksumIEEE([]byte(prelude)), int64(len(prelude)))
	header.CRC32 = joinCRC(header.CRC32, t.tail.crc, t.tail.size)

	w, err := out.CreateRaw(&header)
	if err != nil {
		return err
	}
	for _, bytes := range [][]byte{t.head.deflated, block, t.tail.deflated} {
		if _, err := w.Write(bytes); err != nil {
			return err
		}
	}
	return nil
}

// Check stamps a copy with a dummy token and holds it against the original. It is for
// the upload of a version, before any customer is sent a file.
func (t *Template) Check() error {
	const dummy = "ZHVtbXk.dG9rZW4.Y2hlY2s"
	fail := func(what string) error { return refuse(CodeSelfCheck, "a stamped copy of %s %s", t.pkg.guid, what) }

	var stamped bytes.Buffer
	if err := t.Stamp(&stamped, dummy); err != nil {
		return err
	}
	p, err := open(stamped.Bytes(), MaxInflated+maxPrelude)
	if err != nil {
		return fail("cannot be read: " + err.Error())
	}
	guid, token, ok := splitPrelude(p.code)
	if !ok || guid != t.pkg.guid || token != dummy {
		return fail("does not carry its token")
	}
	original, err := inflate(t.pkg.resource, MaxInflated)
	if err != nil {
		return err
	}
	added := prelude(guid, dummy, t.strict)
	if p.codeAt != t.pkg.codeAt || p.code != added+t.pkg.code || !bytes.Equal(original,
		append(p.json[:p.codeAt:p.codeAt], p.json[p.codeAt+len(added):]...)) {
		return fail("differs in more than its prelude")
	}
	return nil
}

// Token reads a stamped package: the guid that the token was stamped for, and the token.
// A package without one gives [CodeNotStamped].
func Token(pkg []byte) (guid, token string, err error) {
	p, err := open(pkg, MaxInflated+maxPrelude)
	if err != nil {
		return "", "", err
	}
	guid, token, ok := splitPrelude(p.code)
	if !ok {
		return "", "", refuse(CodeNotStamped, "the package carries no licence")
	}
	return guid, token, nil
}
