// @ts-check
// "/account/payment-methods": the cards that are stored, and what is charged to
// each. A card is added where it is used: at a subscription, or an order.
import { html } from './lit-html/lit-html.js';
import { cardWords, page } from './account.js';
import { read, remove } from './api.js';
import { refusal } from './command-page.js';
import { day } from './format.js';
import { t } from './words.js';
/** @import { Answer, Show } from '../types/pages' */
/** @typedef {Answer<'get', '/v1/payment-methods'>['data'][number]} StoredCard */

const w = t.account;
const fetched = async () => (await read('/v1/payment-methods')).data;

/** @param {Show} show */
export const cards = show => page(show, w.cards, '/account/payment-methods', (framed, { data }) => {
  let list = data;
  let busy = false;
  let said = '';
  let wrong = '';

  const forget = async (/** @type {string} */ id) => {
    if (busy) return;
    busy = true;
    said = wrong = '';
    draw();
    try {
      const { ok, body } = await remove(`/v1/payment-methods/${encodeURIComponent(id)}`);
      if (ok) said = w.cardRemoved;
      else wrong = refusal(body);
      list = await fetched();
    } catch {
      wrong = t.unreachable;
    }
    busy = false;
    draw();
  };

  const row = (/** @type {StoredCard} */ c) => html`<li class="panel" data-card=${c.id}>
    <div><strong>${cardWords(c)}</strong>${c.subscriptions.length ? '' : html`
      <button type="button" class="link amount" ?disabled=${busy} aria-label=${w.removeCardOf(cardWords(c))} @click=${() => forget(c.id)}>${w.removeCard}</button>`}</div>
    <p class="quiet">${w.cardSince(day(c.created_at))}</p>
    ${c.subscriptions.length ? html`<p>${w.cardPays} ${c.subscriptions.map((s, i) => html`${i ? ', ' : ''}<a href="/account/subscriptions/${s.id}">#${s.number}</a>`)}</p>` : ''}</li>`;

  const draw = () => framed(w.cards, html`<h1>${w.cards}</h1><p class="lead">${w.cardsLead}</p>
    <p id="command-done" class="done" role="status">${said}</p><p id="command-error" class="error" role="alert">${wrong}</p>
    ${list.length ? html`<ul class="cards" id="cards">${list.map(row)}</ul>` : html`<p id="no-cards">${w.noCards} <a href="/account/subscriptions">${w.allSubscriptions}</a></p>`}`);
  draw();
}, fetched);
