// @ts-check
// The language of the pages: the first one that the reader prefers and that has
// a dictionary. Another language is a file in words/ and a line here.
import en from './words/en.js';
import it from './words/it.js';
/** @import { Dictionary } from '../types/pages' */

/** @type {Record<string, Dictionary>} */
const dictionaries = { en, it };

// locale is what money and dates are written by: "en-GB" has the words of "en".
export const locale = (navigator.languages ?? []).find(l => dictionaries[l.split('-')[0]]) ?? 'en';
export const t = dictionaries[locale.split('-')[0]];

/**
 * word finds the words for something that the API names. There may be none: the
 * API may be newer than the page.
 * @template T
 * @param {Record<string, T>} words
 * @param {string | null} [key]
 * @returns {T | undefined}
 */
export const word = (words, key) => (key && Object.hasOwn(words, key) ? words[key] : undefined);
