// Package words has what mails and documents say of plans, money, dates and
// invoices, in each of the customers' languages.
//
// A language is the file xx.yaml here and the folder delivery/mail/templates/xx;
// both are found by their names. Language lists what a file says: one that lacks
// a text, or has one too many, fails the tests of this package.
package words
