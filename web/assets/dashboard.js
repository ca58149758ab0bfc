// @ts-check
// "/account": what is owed, and what is newest.
import { html } from './lit-html/lit-html.js';
import { isLeft, page, table } from './account.js';
import { read } from './api.js';
import { rows } from './documents.js';
import { me } from './session.js';
import { t } from './words.js';
/** @import { Show } from '../types/pages' */

const w = t.account;

/** @param {Show} show */
export const dashboard = show => page(show, w.title, '/account', (framed, { pays, data: { who, subscriptions, newest }, nameOf }) => {
  if (!pays) {
    location.replace(who?.role === 'finance' ? '/account/details' : '/account/licenses');
    return;
  }
  const owed = subscriptions.filter(s => s.status === 'past_due');
  const shown = subscriptions.filter(s => !isLeft(s));
  framed(w.title, html`<h1>${w.title}</h1>
    ${owed.map(s => html`<p class="banner" role="alert">${s.pending_payment?.action_url
      ? html`${w.asked(s.number)} <a href="/account/subscriptions/${s.id}">${t.result.confirm}</a>`
      : html`${w.owed(s.number)} <a href="/account/subscriptions/${s.id}">${w.pay}</a>`}</p>`)}
    <section><h2>${w.subscriptions}</h2>${shown.length ? table(shown.slice(0, 5), nameOf) : html`<p id="none">${w.noSubscriptions} <a href="/">${t.product.toAll}</a></p>`}
      ${subscriptions.length > Math.min(shown.length, 5) ? html`<p><a id="all-subscriptions" href="/account/subscriptions">${w.allSubscriptions}</a></p>` : ''}</section>
    ${newest.length ? html`<section><h2>${w.recentDocuments}</h2>${rows(newest)}<p><a href="/account/documents">${w.allDocuments}</a></p></section>` : ''}`);
}, async () => {
  const who = await me();
  if (who?.role === 'technical') return { who, subscriptions: [], newest: [] };
  const [subscriptions, newest] = await Promise.all([read('/v1/subscriptions?limit=100'), read('/v1/documents?limit=3')]);
  return { who, subscriptions: subscriptions.data, newest: newest.data.slice(0, 3) };
});
