// @ts-check
// Rows of a list of facts or amounts (dl).
import { html } from './lit-html/lit-html.js';
import { money } from './format.js';
/** @import { Content, Money } from '../types/pages' */

/** @param {string} id @param {string} label @param {Content | null | false | undefined} value nothing: there is no row */
export const fact = (id, label, value, kind = '') => (value ? html`<div class="row ${kind}"><dt>${label}</dt><dd id=${id}>${value}</dd></div>` : '');

/** @param {string} id @param {string} label @param {Money} m */
export const amount = (id, label, m, sign = '', kind = '') => fact(id, label, `${sign}${money(m)}`, kind);
