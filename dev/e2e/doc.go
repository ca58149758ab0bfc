// Package e2e holds the tests of the whole system: the embedded Temporal
// server, worker, API, database, mail and the sandbox's ledger, as `make dev`
// starts them, asked only through the doors that customers, visuals, operators
// and Temporal's users have.
//
// Most tests share one system, each with customers and a test clock of its own;
// a test that changes how the system runs starts another. What was charged is
// always read from the sandbox gateway's ledger, never from the engine's own
// invoices. The last test searches all that histories and logs say for what
// they must not say.
package e2e
