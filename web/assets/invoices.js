// @ts-check
// "/account/orders": invoices, and the credit notes that correct them.
import { html } from './lit-html/lit-html.js';
import { listing } from './account.js';
import { read } from './api.js';
import { day, money } from './format.js';
import { t } from './words.js';
/** @import { Invoice, Show } from '../types/pages' */

const w = t.account;

/** @param {Invoice} i */
const row = i => html`<li class="panel" id=${i.id}>
  <div><strong>${i.number ?? w.draft}</strong> <span class="status ${i.status}">${w.invoice[i.status] ?? i.status}</span>
    <span class="amount">${money(i.total)}</span></div>
  <p class="quiet">${i.issued_at ? `${day(i.issued_at)} · ` : ''}${i.status === 'open' && i.due_at ? `${w.due(day(i.due_at))} · ` : ''}
    ${i.lines[0] ? html`<a href="/account/subscriptions/${i.subscription_id}">${i.lines[0].description}</a>` : ''}</p>
  ${i.credit_notes.map(n => html`<p class="credit">${w.creditNote(n.number)}: ${money(n.total)}</p>`)}
  ${i.number ? html`<p><a href="/v1/invoices/${i.id}/pdf" download aria-label=${w.pdfOf(i.number)}>${w.pdf}</a></p>` : ''}</li>`;

/** @param {Invoice[]} list */
export const rows = list => html`<ul class="cards" id="orders">${list.map(row)}</ul>`;

/** @param {Show} show */
export const invoices = show => listing(show, w.orders, '/account/orders', query => read(`/v1/invoices${query}`), w.noOrders, rows);
