// Package mail writes the engine's mails and hands them to an SMTP server.
//
// The mail of a kind is templates/<language>/<kind>.tmpl. The one template is
// executed twice, by html/template for the HTML part and by text/template for the
// plain text part, so that the two always say the same. It defines
//
//	subject   the mail's subject
//	title     the heading
//	body      the text, with the few tags defined in elements.go
//	button    the words on the one button, which leads to Email.Link
//
// parts.tmpl holds passages that several mails share, layout.html and layout.txt
// the frame around them, in every language. Another language is another folder, and
// a file of delivery/words; what only an operator gets is in English alone.
//
// Text about people (names, the licensee) is cleaned of control characters before
// any template sees it, is escaped by html/template, and never appears in a
// subject or an error.
package mail
