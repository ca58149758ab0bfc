// Package models keeps the engine's rows: GORM models, migrations and queries.
// It is the only package that knows SQL.
//
// The same queries run on MySQL (READ COMMITTED, explicit row locks) and on
// SQLite (one writer at a time). Post is the heart: it writes everything that
// one step of a subscription comes to, in one transaction, behind the fence of
// the subscription's revision.
package models
