// Package web is the pages that customers see: the visuals on sale, a product
// page each, the checkout, the sign-in and the account. They are plain clients
// of the public API, written with no build step: the binary bundles and compresses
// them when it starts (bundle.go).
//
//   - page.html is the one document; its address decides what assets/main.js
//     draws into it.
//   - assets/ holds ES modules and the style sheet; README.md says what each is
//     for. pages.json lists the addresses that have a page. assets/words/
//     has every sentence, a file for each language. assets/lit-html is kept as
//     published (BSD-3-Clause); it turns templates into elements, so that
//     nothing that is shown can become markup.
//   - icons/ has a drawing for each visual of the default catalogue.
//
// Nothing is inline, nothing comes from another host, and no address that is
// sent to a server holds a secret.
package web
