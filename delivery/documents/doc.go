// Package documents writes invoices, credit notes and quotes as A4 PDF files.
//
// Every figure on a page comes from a method of billing's invoice, credit note or
// quote; nothing is computed again here. A Writer has no clock and does no I/O,
// and the same document always gives the same bytes.
//
//	billing.Invoice ── Writer.Invoice ──▶ sheet ── pages, wrapped lines ──▶ PDF
//	                                        └─ text: only what the fonts can show
//
// Text that customers typed is cleaned (text.go) before it is drawn. Right-to-left
// names are put into visual order; Arabic letters are not joined.
//
// Every error is permanent: calling again gives the same error.
package documents
