// Package temporal runs a whole Temporal server and its web UI inside the
// calling process, for development and for end-to-end tests: no Docker, no
// download at run time, data in one SQLite file or in memory. It listens on
// loopback only and asks nobody for a password, so it is not for production.
//
// What a caller should know:
//
//   - [Start] returns when workflows can be started: the frontend is healthy,
//     the namespace exists and its search attributes are registered.
//   - With a data file, workflows and their timers go on after a restart, also
//     when the process was killed. While a process has the file open, no other
//     process can open it; the lock ends with the process, not with Stop.
//   - A server in memory keeps its memory until the process ends, even after
//     Stop, because the server's SQLite plugin never closes a database.
//   - At most ten updates are in flight per workflow, as in production; more
//     are refused by the server and tried again by the SDK until their deadline.
package temporal
