// Package workflows holds deterministic code only: the Subscription workflow,
// one long-lived run per subscription, whose id is the subscription's.
//
// A run carries the subscription's state and does one thing at a time: a step
// that has come due, or a command. Which step is due, and what a command comes
// to, is decided in package billing and carried out in package activities;
// here is only the waiting, the order, and what an operator sees of it.
package workflows
