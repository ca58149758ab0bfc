// Package pbiviz puts a licence token into a Power BI visual's package and reads it back.
//
// A .pbiviz package is a zip with a package.json and one resources/<guid>.pbiviz.json,
// which carries the visual's whole JavaScript as the JSON string content.js. Stamping
// inserts a prelude right after the opening quote of that string: one statement that
// leaves the token in a global keyed by the visual's guid,
//
//	(globalThis.okvizLicenses=globalThis.okvizLicenses||{})['<guid>']='<token>';
//
// Guid, version and every other byte of every entry stay as they are.
//
// A package is parsed once, when a version is uploaded, and stamped once per licence:
// [Parse] deflates what stands before and after the prelude and keeps both with their
// checksums, [Template.Stamp] writes one stored deflate block between them. The same
// token always gives the same bytes, so templates are worth keeping and stamped files
// are not.
//
// The package carries tokens as strings and knows nothing of their claims or keys.
// It does no I/O beyond the writer that it is given.
package pbiviz
