// @ts-check
// What the pages of an account have in common: the list of all of them.
import { html } from './lit-html/lit-html.js';
import { products, read } from './api.js';
import { day, month } from './format.js';
import { loaded } from './loading.js';
import { t, tierWords, word } from './words.js';
/** @import { Content, Context, Show, Subscription } from '../types/pages' */

const w = t.account;

/**
 * page draws a page of the account with its data: what load reads, the
 * products and whether the account pays for anything. A licensee who does not pay
 * sees licences only.
 * @template T
 * @param {Show} show
 * @param {string} title
 * @param {string} at the page's address
 * @param {(framed: Show, context: Context<T>) => unknown} draw
 * @param {() => Promise<T>} load
 */
export const page = (show, title, at, draw, load) => loaded(show, title, async () => {
  const [subscriptions, known, data] = await Promise.all([read('/v1/subscriptions?limit=1'), products(), load()]);
  return { pays: subscriptions.data.length > 0, known, data };
}, async ({ pays, known, data }) => {
  const nameOf = (/** @type {string} */ id) => known.find(p => p.id === id)?.name ?? id;
  /** @type {Show} */
  const framed = (head, content) => show(head, html`<div class="account">
    <nav class="places" aria-label=${w.title}><ul>${places(pays).map(([path, name]) => html`<li>
      <a href=${path} aria-current=${path === at ? 'page' : 'false'}>${name}</a></li>`)}</ul></nav>
    <div class="content">${content}</div></div>`);
  await draw(framed, { pays, known, data, nameOf });
});

/** @param {boolean} pays */
const places = pays => [
  ...(pays ? [['/account', w.dashboard]] : []),
  ['/account/licenses', w.licenses],
  ...(pays ? [
    ['/account/orders', w.orders], ['/account/subscriptions', w.subscriptions],
    ['/account/addresses', w.addresses], ['/account/payment-methods', w.cards],
  ] : []),
  ['/account/details', w.details],
  ['/account/api-keys', w.keys],
  ...back(),
];

/** back leads to the page that a portal session came from. */
const back = () => {
  const to = sessionStorage.getItem('return');
  return to ? [[to, w.back]] : [];
};

/**
 * status is how a subscription stands, in words.
 * @param {Subscription} s
 */
export const status = s => html`<span class="status ${s.cancel_at_period_end ? '' : s.status}">${s.cancel_at_period_end ? w.ending : s.confirm_by ? w.unconfirmed
  : isLeft(s) ? w.left : w.status[s.status] ?? s.status}</span>`;

/**
 * isLeft tells of an order that its customer has gone away from: nothing is
 * owed, and nothing waits for anybody.
 * @param {Subscription} s
 */
export const isLeft = s => s.status === 'incomplete_expired' || s.status === 'incomplete' && s.collection === 'card' && !s.pending_payment && !s.confirm_by;

/**
 * cardWords is what a person knows a card by.
 * @param {{ brand: string, last4: string, exp: string }} card
 */
export const cardWords = ({ brand, last4, exp }) => w.cardWords(brand.replace(/^./, c => c.toUpperCase()), last4, month(exp));

/** @param {{ plan: { type: string, tier?: string | null, cycle: string }, quantity?: number }} what */
export const planWords = ({ plan: { type, tier, cycle }, quantity = 1 }) => t.result.planWords(word(t.type, type) ?? type, tierWords(tier ?? ''), word(t.cycle, cycle) ?? cycle, quantity);

/** @param {Subscription[]} rows @param {(product: string) => string} nameOf */
export const table = (rows, nameOf) => html`<ul class="cards" id="subscriptions">${rows.map(s => html`<li class="panel">
  <div><a href="/account/subscriptions/${s.id}">${nameOf(s.product)} <span class="quiet">#${s.number}</span></a> ${status(s)}</div>
  <p class="quiet">${planWords(s)}${s.next_payment_at ? html` · ${w.next(day(s.next_payment_at))}` : ''}</p></li>`)}</ul>`;

/**
 * listing is a page with a list that grows by its cursor.
 * @template T
 * @param {Show} show
 * @param {string} title
 * @param {string} at the page's address
 * @param {(query: '' | `?${string}`) => Promise<{ data: T[], next_cursor: string | null }>} part
 * @param {string} none what an empty list says
 * @param {(rows: T[], context: Context<unknown>) => Content} rowsOf
 */
export const listing = (show, title, at, part, none, rowsOf) => page(show, title, at, (framed, context) => {
  let { data, next_cursor: cursor } = context.data;
  let busy = false;
  const more = async () => {
    busy = true;
    draw();
    try {
      const following = await part(`?cursor=${encodeURIComponent(cursor ?? '')}`);
      data = [...data, ...following.data];
      cursor = following.next_cursor;
    } catch (error) {
      console.error(error); // the button stays
    }
    busy = false;
    draw();
  };
  const draw = () => framed(title, html`<h1>${title}</h1>
    ${data.length ? rowsOf(data, context) : html`<p class="lead">${none}</p>`}
    ${cursor ? html`<p><button type="button" class="second" ?disabled=${busy} @click=${more}>${w.more}</button></p>` : ''}`);
  draw();
}, () => part(''));

/** @param {Show} show */
export const subscriptions = show => listing(show, w.subscriptions, '/account/subscriptions', query => read(`/v1/subscriptions${query}`),
  w.noSubscriptions, (rows, { nameOf }) => table(rows, nameOf));
