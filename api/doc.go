// Package api is the HTTP API: Gin routes, described by Huma, over the store's
// rows and the subscriptions' workflows.
//
// A read is answered from rows. A command (command.go) is first written as a
// request row and then sent to the subscription's workflow as an update with the
// row's id. The workflow stores the outcome on the row, and the response is made
// from it. So a command that is repeated, lost or late takes effect once.
//
// A route's security in its description says who may call it (auth.go); a route
// without security is open to everybody. All errors are problem documents
// (problem.go) that never repeat anything from the request.
package api
