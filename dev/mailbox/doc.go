// Package mailbox is a mail server for development that delivers nothing: it
// takes every mail over SMTP and shows it over HTTP, to tests as JSON and to
// people as a page. The JSON follows Mailpit's API as far as reading mail goes: a
// test can be pointed at either server.
//
// A mail that comes again to the same recipients with the same Message-ID is
// kept once, as large mail providers do. The outbox gives each of its rows one
// Message-ID for ever, so a mail that was sent twice after a crash is seen once.
//
// The mailbox asks nobody for a password: listen on loopback only.
package mailbox
