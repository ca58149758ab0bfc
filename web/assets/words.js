// @ts-check
// The language of the pages: the first one that the reader prefers and that has
// a dictionary. Another language is a file in words/ and a line here.
import en from './words/en.js';
import it from './words/it.js';
/** @import { Dictionary, Me } from '../types/pages' */

/** @type {Record<string, Dictionary>} */
const dictionaries = { en, it };

// languages are those that there are, each by its own name.
export const languages = Object.entries(dictionaries).map(([tag, words]) => [tag, words.language]);

// locale is what money and dates are written by: "en-GB" has the words of "en".
export const locale = (navigator.languages ?? []).find(l => dictionaries[l.split('-')[0]]) ?? 'en';
export const language = /** @type {Me['language']} */ (locale.split('-')[0]);
export const t = dictionaries[language];

/**
 * word finds the words for something that the API names. There may be none: the
 * API may be newer than the page.
 * @template T
 * @param {Record<string, T>} words
 * @param {string | null} [key]
 * @returns {T | undefined}
 */
export const word = (words, key) => (key && Object.hasOwn(words, key) ? words[key] : undefined);

/**
 * tierWords is a tier as a reader calls it: the API names it in English.
 * @param {string} tier
 */
export const tierWords = tier => word(t.tier, tier) ?? tier.replace(' or ', ` ${t.product.or} `);
