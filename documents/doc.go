// Package documents writes invoices, credit notes and quotes as A4 PDF files.
//
// The figures are billing's: every sum on the page comes from a method of the
// invoice or the note, and nothing is computed a second time here. A writer
// has no clock and does no I/O, and the same document always gives the same
// bytes.
//
//	billing.Invoice ── writer.Invoice ──▶ sheet ── pages, wrapped lines ──▶ PDF
//	                                        └─ text: only what the fonts can show
//
// What customers type is never trusted: text.go turns it into printable text
// first, and a sheet draws nothing else. Right-to-left names are put into
// visual order; Arabic letters are not joined.
//
// Every error is final: the same call would fail again.
package documents
