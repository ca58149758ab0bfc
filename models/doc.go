// Package models stores everything: GORM models, migrations and queries. It is the
// only package that knows SQL.
//
// The same queries run on MySQL (READ COMMITTED, explicit row locks) and on SQLite
// (one writer at a time). The central method is Store.Post: it writes everything
// that one step of a subscription changes, in one transaction, and only if the
// subscription still has the revision that the step started from.
package models
