package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
)

// Database tells how it is. Errors: billing.ErrNotMigrated, ErrNotWritable.
type Database interface {
	Ping(ctx context.Context) error
	Writable(ctx context.Context) error
}

// Temporal tells whether it answers.
type Temporal interface {
	Ping(ctx context.Context) error
}

// readiness is what a process can do its work with.
type readiness struct {
	database Database
	temporal Temporal

	mu     sync.Mutex // of the probe of the database: anybody may ask
	probed time.Time
	err    error
}

// Readiness answers GET /readyz of an api or a worker: it names how each
// dependency is, and is 503 unless all are ok.
func Readiness(database Database, temporal Temporal) http.Handler {
	return &readiness{database: database, temporal: temporal}
}

func (s *readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	answer := map[string]string{"database": "ok", "temporal": "ok"}
	if err := s.stored(ctx); err != nil {
		answer["database"] = "down"
		for known, name := range map[error]string{billing.ErrNotMigrated: "not_migrated", billing.ErrNotWritable: "not_writable"} {
			if errors.Is(err, known) {
				answer["database"], answer["detail"] = name, known.Error()
			}
		}
	}
	if s.temporal.Ping(ctx) != nil {
		answer["temporal"] = "down"
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if answer["database"] != "ok" || answer["temporal"] != "ok" {
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(answer) //nolint:errcheck // the asker has gone
}

// stored asks the database how it is; it is written to at most once a second.
func (s *readiness) stored(ctx context.Context) error {
	if err := s.database.Ping(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.probed) > time.Second {
		// The answer is for all who ask: one who hangs up does not spoil it.
		probe, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		s.err = s.database.Writable(probe)
		cancel()
		s.probed = time.Now()
	}
	return s.err
}
