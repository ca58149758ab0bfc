// Package pbiviz puts a licence token into a Power BI visual's package and reads
// it back.
//
// A .pbiviz package is a zip file with a package.json and one
// resources/<guid>.pbiviz.json, which carries the visual's whole JavaScript as the
// JSON string content.js. Stamping inserts one statement at the start of that
// string, which leaves the token in a global variable under the visual's guid:
//
//	(globalThis.okvizLicenses=globalThis.okvizLicenses||{})['<guid>']='<token>';
//
// Every other byte of every entry stays as it is.
//
// A package is parsed once, when a version is uploaded, and stamped once per
// licence. Parse compresses what stands before and after the inserted statement
// and keeps both parts with their checksums; Template.Stamp writes one stored
// deflate block between them. So stamping is cheap, and the same token always
// gives the same bytes: keep templates, not stamped files.
//
// The package treats tokens as strings and knows nothing of claims or keys. It
// does no I/O except to the writer that it is given.
package pbiviz
