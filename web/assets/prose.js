// @ts-check
// Texts of the catalogue. The API has cleaned them: headings, paragraphs, lists,
// emphasis and links are left. The policy of the pages would run no script either.

/**
 * prose are the nodes of such a text, anew for each place that shows it.
 * @param {string} text HTML
 */
export const prose = text => {
  const nodes = document.createDocumentFragment();
  nodes.append(...new DOMParser().parseFromString(text, 'text/html').body.childNodes);
  return nodes;
};
