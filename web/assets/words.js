// The language of the pages: the first one that the reader prefers and that has
// a dictionary. Another language is a file in words/ and a line here.
import en from './words/en.js';
import it from './words/it.js';

const dictionaries = { en, it };

// locale is what money and dates are written by: "en-GB" has the words of "en".
export const locale = (navigator.languages ?? []).find(l => dictionaries[l.split('-')[0]]) ?? 'en';
export const t = dictionaries[locale.split('-')[0]];
