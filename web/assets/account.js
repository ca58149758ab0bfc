// @ts-check
// What the pages of an account have in common: the list of all of them.
import { html } from './lit-html/lit-html.js';
import { products, put, read } from './api.js';
import { entered } from './events.js';
import { day, month } from './format.js';
import { loaded } from './loading.js';
import { me } from './session.js';
import { t, tierWords, word } from './words.js';
/** @import { Content, Context, Me, Show, Subscription } from '../types/pages' */

const w = t.account;

/**
 * page draws a page of the account with its data: what load reads, the
 * products and whether the account pays for anything. A licensee who does not pay
 * sees licences only, and so does a technical member; one for finance sees all else.
 * @template T
 * @param {Show} show
 * @param {string} title
 * @param {string} at the page's address
 * @param {(framed: Show, context: Context<T>) => unknown} draw
 * @param {() => Promise<T>} load
 */
export const page = (show, title, at, draw, load) => loaded(show, title, async () => {
  const who = await me();
  const technical = who?.role === 'technical';
  const [subscriptions, offers, known, data] = await Promise.all([
    technical ? { data: [] } : read('/v1/subscriptions?limit=1'), technical ? { data: [] } : read('/v1/quotes?limit=1'), products(), load(),
  ]);
  return { who, pays: subscriptions.data.length > 0, asked: offers.data.length > 0, known, data };
}, async ({ who, pays, asked, known, data }) => {
  const nameOf = (/** @type {string} */ id) => known.find(p => p.id === id)?.name ?? id;
  const all = places(pays, asked, who?.role);
  const here = all.find(p => p.pages.some(([path]) => path === at));
  const back = sessionStorage.getItem('return'); // the page that a portal session came from
  /** @type {Show} */
  const framed = (head, content) => show(head, html`<div class="account">
    <nav class="places" aria-label=${w.title}>${who && who.accounts.length > 1 ? choice(who) : ''}<ul>${all.map(p => html`<li>
      <a href=${p.pages[0][0]} aria-current=${p !== here ? 'false' : p.pages[0][0] === at ? 'page' : 'true'}>${p.name}</a></li>`)}
      ${back ? html`<li><a href=${back}>${w.back}</a></li>` : ''}</ul></nav>
    <div class="content">${here && here.pages.length > 1 ? html`<nav class="tabs" aria-label=${here.name}><ul>${here.pages.map(([path, name]) => html`<li>
      <a href=${path} aria-current=${path === at ? 'page' : 'false'}>${name}</a></li>`)}</ul></nav>` : ''}${content}</div></div>`);
  await draw(framed, { pays, known, data, nameOf });
});

/**
 * choice has another of the accounts looked at that somebody may use.
 * @param {Me} who
 */
const choice = who => html`<div class="field"><label for="account">${w.account}</label>
  <select id="account" @change=${entered(async account => {
    await put('/v1/me/account', { account });
    location.assign('/account');
  })}>${who.accounts.map(a => html`<option value=${a.id} ?selected=${a.id === who.id}>${a.company ? `${a.company} (${a.email})` : a.email}</option>`)}</select></div>`;

/**
 * places are where an account's pages stand: a few, each with its pages. The first
 * page is the place's own.
 * @param {boolean} pays for a subscription
 * @param {boolean} asked for a quote
 * @param {Me['role']} [role]
 * @returns {{ name: string, pages: [path: string, name: string][] }[]}
 */
const places = (pays, asked, role) => [
  ...(pays ? [place(w.subscriptions, ['/account', w.dashboard], ['/account/subscriptions', w.allSubscriptions])] : []),
  ...(role === 'finance' ? [] : [place(w.licenses, ['/account/licenses', w.licenses])]),
  ...(pays ? [place(w.billing, ['/account/documents', w.documents], ['/account/quotes', w.quotes], ['/account/statement', w.statement],
    ['/account/payment-methods', w.cards], ['/account/vendor-documents', w.vendorDocuments])]
    : asked ? [place(w.billing, ['/account/quotes', w.quotes], ['/account/vendor-documents', w.vendorDocuments])] : []),
  place(w.settings, ['/account/details', w.details], ...(pays || asked ? [/** @type {[string, string]} */ (['/account/addresses', w.addresses])] : []),
    ...(pays && role === 'owner' ? [/** @type {[string, string]} */ (['/account/people', w.people])] : []), ['/account/api-keys', w.keys]),
];

/** @param {string} name @param {[path: string, name: string][]} pages */
const place = (name, ...pages) => ({ name, pages });

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
 * @param {Content} none what an empty list says
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
  html`${w.noSubscriptions} <a href="/">${t.product.toAll}</a>`, (rows, { nameOf }) => table(rows, nameOf));
