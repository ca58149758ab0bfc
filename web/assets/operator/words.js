// @ts-check
// The console's sentences, in the language of the pages (../words.js).
import { locale } from '../words.js';
import en from './words/en.js';
import it from './words/it.js';

/** @type {Record<string, import('../../types/console').Dictionary>} */
const dictionaries = { en, it };
export const w = dictionaries[locale.split('-')[0]];
