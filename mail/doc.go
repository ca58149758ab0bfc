// Package mail writes the engine's letters and hands them to an SMTP server.
//
// A letter of a kind is templates/<language>/<kind>.tmpl. It is written once
// and read twice: by html/template for the HTML part and by text/template for
// its plain twin, so that the two can never tell different things. It defines
//
//	subject   the mail's subject
//	title     the line at the head of the letter
//	body      what it says, with the few tags named in elements.go
//	button    the words on the one button, which leads to Letter.Link
//
// parts.tmpl holds what several letters say, layout.html and layout.txt what
// stands around them. Another language is another folder.
//
// What a letter tells about people (names, the licensee) is cleaned of
// control characters before any template sees it, is escaped by html/template,
// and never gets into a subject or an error.
package mail
