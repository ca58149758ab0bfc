package mail

import (
	"regexp"
	"strings"
)

// The tags that an email's template may use, and what they become in each of
// its two parts. They are replaced in the templates, never in what is filled
// in, and before trim markers are read: a {{- after a </p> would eat the line's
// end. The styles stand in the tags because mail programs drop style sheets;
// the classes are what layout.html turns dark.
var (
	htmlElements = strings.NewReplacer(
		"<p>", `<p class="ink" style="margin:0 0 16px;color:#1f2733">`,
		"<h>", `<h2 class="ink" style="margin:28px 0 8px;font-size:16px;line-height:24px;color:#1f2733">`, "</h>", "</h2>",
		"<ul>", `<ul class="ink" style="margin:0 0 16px;padding:0 0 0 20px;color:#1f2733">`,
		"<li>", `<li style="margin:0 0 8px">`,
		"<dl>", `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 20px;border-collapse:collapse">`, "</dl>", "</table>",
		"<dt>", `<tr><td class="line quiet" valign="top" width="32%" style="padding:9px 12px 9px 0;border-top:1px solid #e3e7ed;color:#586374">`, "</dt>", "</td>",
		"<dd>", `<td class="line ink" valign="top" style="padding:9px 0;border-top:1px solid #e3e7ed;color:#1f2733;white-space:pre-wrap;overflow-wrap:anywhere;word-break:break-word">`, "</dd>", "</td></tr>",
	)
	textElements = strings.NewReplacer(
		"<p>", "\n", "</p>", "\n",
		"<h>", "\n--- ", "</h>", " ---\n",
		"<ul>", "\n", "</ul>", "\n", "<li>", "- ", "</li>", "\n",
		"<dl>", "\n", "</dl>", "\n", "<dt>", "", "</dt>", ": ", "<dd>", "", "</dd>", "\n",
		"<b>", "", "</b>", "",
	)
)

var (
	whitespace = regexp.MustCompile(`\s+`)
	lineEdges  = regexp.MustCompile(` *\n *`)
	emptyLines = regexp.MustCompile(`\n{3,}`)
)

// oneLine lets the templates be wrapped and indented at will: only elements
// break lines.
func oneLine(source string) string { return whitespace.ReplaceAllString(source, " ") }

// tidy takes away the spaces and empty lines that conditions leave behind in
// a text.
func tidy(text string) string {
	text = emptyLines.ReplaceAllString(lineEdges.ReplaceAllString(text, "\n"), "\n\n")
	return strings.TrimSpace(text) + "\n"
}
