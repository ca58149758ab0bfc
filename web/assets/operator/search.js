// @ts-check
// "/operator?q=…": whatever is found, each with the page that it leads to.
import { read } from '../api.js';
import { html } from '../lit-html/lit-html.js';
import { word } from '../words.js';
import { page } from './frame.js';
import { w } from './words.js';
/** @import { Show } from '../../types/pages' */
/** @import { Found } from '../../types/console' */

const words = w.search;

/** @param {string} email */
export const customerPage = email => `/operator/customer?email=${encodeURIComponent(email)}`;

/** @param {Found} f */
const leadsTo = f => (f.kind === 'subscription' ? `/operator/subscriptions/${f.id}`
  : f.subscription_id ? `/operator/subscriptions/${f.subscription_id}${f.kind === 'invoice' ? `#${f.id}` : ''}`
    : f.account ? customerPage(f.account) : '');

/** @param {Found} f */
const row = f => html`<li class="panel"><div><span class="kind quiet">${word(words.kind, f.kind) ?? f.kind}</span>
  ${leadsTo(f) ? html`<a href=${leadsTo(f)}>${f.text}</a>` : f.text}
  ${f.status ? html`<span class="status ${f.status}">${word(w.status, f.status) ?? f.status}</span>` : ''}</div>
  ${f.account && f.kind !== 'customer' ? html`<p class="quiet"><a href=${customerPage(f.account)}>${f.account}</a></p>` : ''}</li>`;

/** @param {Show} show */
export const search = show => {
  const q = (new URLSearchParams(location.search).get('q') ?? '').trim();
  return page(show, words.title, async () => (q.length < 2 ? undefined : read(`/v1/operator/search?q=${encodeURIComponent(q)}`)), found => {
    show(words.title, html`<h1>${q ? words.found(q) : words.title}</h1>
      ${!found ? html`<p class="lead">${words.lead}</p><ul class="hints">${Object.values(words.hints).map(h => html`<li>${h}</li>`)}</ul>`
    : found.data.length ? html`<ul class="cards" id="found">${found.data.map(row)}</ul>${found.more ? html`<p class="quiet">${words.more}</p>` : ''}`
      : html`<p class="lead" id="none">${words.none}</p>`}`);
    if (!q) document.getElementById('q')?.focus();
  });
};
