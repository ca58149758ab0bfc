// Package web is the pages that customers see: the visuals on sale, a product
// page each, and the checkout. They are plain clients of the public API, served
// as they are written, with no build step:
//
//   - page.html is the one document; its address decides what assets/main.js
//     draws into it.
//   - assets/ holds ES modules and the style sheet. order.js is the one that
//     must not be wrong: it buys once. assets/words/ has every sentence, a file
//     for each language. assets/lit-html is kept as published (BSD-3-Clause);
//     it turns templates into elements, so that nothing that is shown can
//     become markup.
//   - icons/ has a drawing for each visual of the default catalogue.
//
// Nothing is inline, nothing comes from another host, and no address holds a
// secret.
package web
