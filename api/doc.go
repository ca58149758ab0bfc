// Package api is the HTTP contract: Gin routes, described by Huma, over the
// store's rows and the subscriptions' workflows.
//
// A read answers from rows. A command (command.go) is first written as a
// request row, then sent to the subscription's workflow as an update whose id
// is the row's, and its answer is the row's outcome: so a repeated, lost or
// late command happens once. Who may call a route is its description's security
// (auth.go): a route without any is open to everybody. All errors are problem
// documents, made in one place (problem.go), and repeat nothing of the request.
package api
