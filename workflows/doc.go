// Package workflows holds deterministic code only: the Subscription workflow, one
// long-lived run per subscription with the subscription's id.
//
// A run carries the subscription's state and does one thing at a time: a step that
// is due, or a command. Package billing decides which step is due and what a
// command leads to; package activities carries it out. The workflow itself only
// waits, keeps the order, and shows operators what is going on.
//
// Running workflows replay this code, possibly years after they started. testdata
// holds recorded histories that must go on replaying; CONTRIBUTING.md says how to
// change the code safely.
package workflows
