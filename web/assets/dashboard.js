// @ts-check
// "/account": what is owed, and what is newest.
import { html } from './lit-html/lit-html.js';
import { isLeft, page, table } from './account.js';
import { read } from './api.js';
import { rows } from './invoices.js';
import { me } from './session.js';
import { t } from './words.js';
/** @import { Show } from '../types/pages' */

const w = t.account;

/** @param {Show} show */
export const dashboard = show => page(show, w.title, '/account', (framed, { pays, data: { who, subscriptions, invoices }, nameOf }) => {
  if (!pays) {
    location.replace(who?.role === 'finance' ? '/account/details' : '/account/licenses');
    return;
  }
  const owed = subscriptions.filter(s => s.status === 'past_due');
  framed(w.title, html`<h1>${w.title}</h1>
    ${owed.map(s => html`<p class="banner" role="alert">${s.pending_payment?.action_url
      ? html`${w.asked(s.number)} <a href="/account/subscriptions/${s.id}">${t.result.confirm}</a>`
      : html`${w.owed(s.number)} <a href="/account/subscriptions/${s.id}">${w.pay}</a>`}</p>`)}
    <section><h2>${w.recent}</h2>${table(subscriptions.filter(s => !isLeft(s)).slice(0, 5), nameOf)}</section>
    ${invoices.length ? html`<section><h2>${w.recentOrders}</h2>${rows(invoices)}</section>` : ''}`);
}, async () => {
  const who = await me();
  if (who?.role === 'technical') return { who, subscriptions: [], invoices: [] };
  const [subscriptions, invoices] = await Promise.all([read('/v1/subscriptions?limit=100'), read('/v1/invoices?limit=3')]);
  return { who, subscriptions: subscriptions.data, invoices: invoices.data };
});
