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
	People         int64     // distinct, so far
	Covers         int64     // 0: no limit
	PeriodEnd      time.Time // exclusive
	BlockOverLimit bool      // an operator has turned blocking on
}

// Person is an anonymous user of a licence, as they are counted: a hash of what
// their visual made up for them.
type Person uint64

// PersonOf is who a question comes from.
func PersonOf(user string) Person {
	sum := sha256.Sum256([]byte(user))
	return Person(binary.BigEndian.Uint64(sum[:]))
}

// People counts distinct persons, however often each one comes and in whatever
// order, in at most 17 KiB: exactly as good as always up to a few thousand,
// then to within a percent or so. Nobody can be told from it. The zero People
// is nobody.
type People struct{ sketch *hyperloglog.Sketch }

// ReadPeople reads what Bytes has written; nothing at all is nobody.
func ReadPeople(b []byte) (People, error) {
	if len(b) == 0 {
		return People{}, nil
	}
	p := People{hyperloglog.New()}
	if err := p.sketch.UnmarshalBinary(b); err != nil {
		return People{}, fmt.Errorf("reading who was counted: %w", err)
	}
	return p, nil
}

// Add counts persons.
func (p *People) Add(persons ...Person) {
	if p.sketch == nil {
		p.sketch = hyperloglog.New()
	}
	for _, one := range persons {
		p.sketch.InsertHash(uint64(one))
	}
}

// Count is how many they are.
func (p People) Count() int64 {
	if p.sketch == nil {
		return 0
	}
	return int64(p.sketch.Estimate())
}

// Bytes is what is stored of them.
func (p People) Bytes() ([]byte, error) {
	if p.sketch == nil {
		return []byte{}, nil
	}
	b, err := p.sketch.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("writing who was counted: %w", err)
	}
	return b, nil
}
