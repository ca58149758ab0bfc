// Package api is the HTTP API and nothing else: Gin routes, described by Huma.
//
// A read is answered from rows, a licence check from memory (licensing/checks). A
// command is carried out by package commands; command.go answers with what became
// of it.
//
// The routes are grouped by subject: shop, subscriptions, invoices, licenses,
// accounts, operators, and gateway for what the payment gateway sends. Each has a
// Store of its own. server is what they share.
//
// A route's security in its description says who may call it (auth.go); a route
// without security is open to everybody. All errors are problem documents
// (problem.go) that never repeat anything from the request.
package api
