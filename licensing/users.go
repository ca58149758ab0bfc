package licensing

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/axiomhq/hyperloglog"
)

// WindowDays is how long the window is in which the users of a licence are
// counted: the running calendar week (Monday to Monday, UTC) and the three
// before it, and so at most so many days (docs/rules.md, Licences).
const WindowDays = 28

const (
	windowWeeks = WindowDays / 7
	// UsageWeeks is of how many weeks a licence's usage is made: two windows.
	UsageWeeks = 2 * windowWeeks
)

// Week is a calendar week, counted from the one that 1970 began in.
type Week int64

// WeekOf is the week of an instant.
func WeekOf(at time.Time) Week {
	const sinceMonday, week = 3 * 24 * 60 * 60, 7 * 24 * 60 * 60 // 1 January 1970 was a Thursday
	return Week((at.Unix() + sinceMonday) / week)
}

// Seen is who has asked about a licence since they were last written down, all
// in the week of At. Questions are all of them, no matter who asked; WithoutID those
// that named no user.
type Seen struct {
	At                   time.Time
	Users                []User
	Questions, WithoutID int64
}

// WeekUsage is who has asked about a licence in a week.
type WeekUsage struct {
	Week                 Week
	Sketch               Sketch
	Questions, WithoutID int64
}

// Usage is how far the users of a licence have used up what it covers.
type Usage struct {
	Estimate  int64 `json:"estimate"`   // distinct users in the window that ends with the week asked for
	Before    int64 `json:"before"`     // in the window before that one
	Questions int64 `json:"questions"`  // in the first of these windows
	WithoutID int64 `json:"without_id"` // likewise
}

// UsageIn sums up the weeks of a licence as of one of them.
func UsageIn(weeks []WeekUsage, now Week) (Usage, error) {
	var u Usage
	var windows [2]Sketch
	for _, w := range weeks {
		age := now - w.Week
		if age < 0 || age >= UsageWeeks {
			continue
		}
		if err := windows[age/windowWeeks].Merge(w.Sketch); err != nil {
			return u, err
		}
		if age < windowWeeks {
			u.Questions += w.Questions
			u.WithoutID += w.WithoutID
		}
	}
	u.Estimate, u.Before = windows[0].Count(), windows[1].Count()
	return u, nil
}

// WithoutIDShare is the share of questions that named no user, from 0 to 1.
func (u Usage) WithoutIDShare() float64 {
	if u.Questions == 0 {
		return 0
	}
	return float64(u.WithoutID) / float64(u.Questions)
}

// Tally is what is kept of a licence's usage besides its weeks, so that it can
// be read without them.
type Tally struct {
	Week      Week      `json:"week"` // which Usage is as of
	Usage     Usage     `json:"usage"`
	OverSince time.Time `json:"over_since,omitzero"` // more people than covered have been counted in a window since then
	ToldAt    time.Time `json:"told_at,omitzero"`    // when the billing contact was told of two such windows in a row
}

// After is the tally once somebody has been counted at an instant and usage is
// as it is now, in the tally's week. The billing contact is to be told once in
// a window (docs/rules.md, Licences).
func (t Tally) After(l License, usage Usage, at time.Time) (next Tally, tell bool) {
	if !l.ExceededIn(t.Usage) {
		t.OverSince = time.Time{}
	}
	t.Usage = usage
	if t.OverSince.IsZero() && l.ExceededIn(usage) {
		t.OverSince = at
	}
	recently := !t.ToldAt.IsZero() && at.Before(t.ToldAt.AddDate(0, 0, WindowDays))
	if tell = l.WithUsage(usage, false).OverLimit && !recently; tell {
		t.ToldAt = at
	}
	return t, tell
}

// Doubtful tells whether too many questions name no user for a licence to be
// blocked by their count: more than a quarter (docs/rules.md, Licences).
func (u Usage) Doubtful() bool { return 4*u.WithoutID > u.Questions }

// User is an anonymous user of a licence, as they are counted: a hash of what
// their visual made up for them.
type User uint64

// UserOf is who a question comes from.
func UserOf(user string) User {
	sum := sha256.Sum256([]byte(user))
	return User(binary.BigEndian.Uint64(sum[:]))
}

// Sketch counts distinct users, however often each one comes and in whatever
// order, in at most 17 KiB: exactly up to a few thousand, then to within a
// percent or so. Nobody can be told from it. The zero Sketch is nobody.
type Sketch struct{ sketch *hyperloglog.Sketch }

// ReadSketch reads what Bytes has written; nothing at all is nobody.
func ReadSketch(b []byte) (Sketch, error) {
	if len(b) == 0 {
		return Sketch{}, nil
	}
	s := Sketch{hyperloglog.New()}
	if err := s.sketch.UnmarshalBinary(b); err != nil {
		return Sketch{}, fmt.Errorf("reading who was counted: %w", err)
	}
	return s, nil
}

// Add counts users.
func (s *Sketch) Add(users ...User) {
	if s.sketch == nil {
		s.sketch = hyperloglog.New()
	}
	for _, one := range users {
		s.sketch.InsertHash(uint64(one))
	}
}

// Merge counts those of another sketch too.
func (s *Sketch) Merge(other Sketch) error {
	if other.sketch == nil {
		return nil
	}
	if s.sketch == nil {
		s.sketch = hyperloglog.New()
	}
	if err := s.sketch.Merge(other.sketch); err != nil {
		return fmt.Errorf("adding up who was counted: %w", err)
	}
	return nil
}

// Count is how many they are.
func (s Sketch) Count() int64 {
	if s.sketch == nil {
		return 0
	}
	return int64(s.sketch.Estimate())
}

// Bytes is what is stored of them.
func (s Sketch) Bytes() ([]byte, error) {
	if s.sketch == nil {
		return []byte{}, nil
	}
	b, err := s.sketch.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("writing who was counted: %w", err)
	}
	return b, nil
}
