package temporal

import (
	"log/slog"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// serverLog passes the server's warnings and errors to slog. While the server
// starts and stops, its services complain about each other's absence: only what
// ends the start is worth reading then.
type serverLog struct {
	out   *slog.Logger
	state *atomic.Bool // whether the server is up
}

func newServerLog(out *slog.Logger) *serverLog {
	return &serverLog{out: out.With("from", "temporal"), state: new(atomic.Bool)}
}

func (l *serverLog) ready()   { l.state.Store(true) }
func (l *serverLog) silence() { l.state.Store(false) }

// fatalError is what a fatal log line panics with.
type fatalError string

func (e fatalError) Error() string { return string(e) }

func (l *serverLog) Debug(string, ...tag.Tag) {}
func (l *serverLog) Info(string, ...tag.Tag)  {}

func (l *serverLog) Warn(msg string, tags ...tag.Tag) {
	if l.state.Load() {
		l.out.Warn(msg, attributes(tags)...)
	}
}

func (l *serverLog) Error(msg string, tags ...tag.Tag) {
	if l.state.Load() {
		l.out.Error(msg, attributes(tags)...)
	}
}

func (l *serverLog) DPanic(msg string, tags ...tag.Tag) { l.out.Error(msg, attributes(tags)...) }
func (l *serverLog) Panic(msg string, tags ...tag.Tag)  { l.Fatal(msg, tags...) }

func (l *serverLog) Fatal(msg string, tags ...tag.Tag) {
	l.out.Error(msg, attributes(tags)...)
	for _, t := range tags {
		if err, ok := t.Value().(error); ok {
			msg += ": " + err.Error()
		}
	}
	panic(fatalError(msg))
}

// With keeps the server from wrapping the logger anew for every service.
func (l *serverLog) With(tags ...tag.Tag) log.Logger {
	return &serverLog{out: l.out.With(attributes(tags)...), state: l.state}
}

func attributes(tags []tag.Tag) []any {
	attrs := make([]any, len(tags))
	for i, t := range tags {
		attrs[i] = slog.Any(t.Key(), t.Value())
	}
	return attrs
}
