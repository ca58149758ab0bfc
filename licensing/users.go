package licensing

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/axiomhq/hyperloglog"
)

// Use is how far the running period of a licence has used up what it covers.
type Use struct {
	Users          int64     // distinct, so far
	Covers         int64     // 0: no limit
	PeriodEnd      time.Time // exclusive
	BlockOverLimit bool      // an operator has turned blocking on
}

// User is an anonymous user of a licence, as they are counted: a hash of what
// their visual made up for them.
type User uint64

// UserOf is who a question comes from.
func UserOf(user string) User {
	sum := sha256.Sum256([]byte(user))
	return User(binary.BigEndian.Uint64(sum[:]))
}

// Sketch counts distinct persons, however often each one comes and in whatever
// order, in at most 17 KiB: exactly as good as always up to a few thousand,
// then to within a percent or so. Nobody can be told from it. The zero Sketch
// is nobody.
type Sketch struct{ sketch *hyperloglog.Sketch }

// ReadSketch reads what Bytes has written; nothing at all is nobody.
func ReadSketch(b []byte) (Sketch, error) {
	if len(b) == 0 {
		return Sketch{}, nil
	}
	p := Sketch{hyperloglog.New()}
	if err := p.sketch.UnmarshalBinary(b); err != nil {
		return Sketch{}, fmt.Errorf("reading who was counted: %w", err)
	}
	return p, nil
}

// Add counts persons.
func (p *Sketch) Add(persons ...User) {
	if p.sketch == nil {
		p.sketch = hyperloglog.New()
	}
	for _, one := range persons {
		p.sketch.InsertHash(uint64(one))
	}
}

// Count is how many they are.
func (p Sketch) Count() int64 {
	if p.sketch == nil {
		return 0
	}
	return int64(p.sketch.Estimate())
}

// Bytes is what is stored of them.
func (p Sketch) Bytes() ([]byte, error) {
	if p.sketch == nil {
		return []byte{}, nil
	}
	b, err := p.sketch.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("writing who was counted: %w", err)
	}
	return b, nil
}
