// Package statement reads the statement of a bank account as banks export it:
// a CSV file whose first line names the columns. It computes only; what a line
// is for, and what is done for it, is decided by billing.
//
// Columns may be called by several names (in English, German and Italian), in
// any order; what is not known is left out:
//
//	date       booked: 2026-02-03, or 03.02.2026
//	amount     what has come; negative where it went out. 4950.00, 4,950.00,
//	           4.950,00 and 4 950,00 are the same
//	currency   ISO 4217
//	reference  what the payer has written; several such columns are joined
//	id         the bank's own name of the line; may be missing
//
// Columns are divided by commas, semicolons or tabs; the file is UTF-8, with or
// without a byte order mark, or else Latin 1.
package statement
