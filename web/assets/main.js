// @ts-check
// Draws the page of the address into the one document.
import brand from '/brand/brand.js';
import pages from '/assets/pages.js';
import { html, render } from './lit-html/lit-html.js';
import { subscriptions } from './account.js';
import { addresses } from './addresses.js';
import { billingDetails } from './billing-details.js';
import { cards } from './cards.js';
import { catalogue } from './catalogue.js';
import { change } from './change.js';
import { checkout } from './checkout.js';
import { confirm } from './confirm.js';
import { dashboard } from './dashboard.js';
import { details, keys } from './details.js';
import { documents, quotes, statement, vendorDocuments } from './documents.js';
import { license, licenses } from './licenses.js';
import { login } from './login.js';
import { people } from './people.js';
import { product } from './product.js';
import { quote } from './quote.js';
import { logOut, me } from './session.js';
import { subscription } from './subscription.js';
import { locale, t } from './words.js';
/** @import { Draw, Me, Show } from '../types/pages' */

document.documentElement.lang = locale;
const root = /** @type {HTMLElement} */ (document.getElementById('page'));
root.replaceChildren();

/** @type {Me | null | undefined} the account that has signed in; null: none; undefined: not known yet */
let who;
let shown = /** @type {Parameters<Show> | undefined} */ (undefined); // what show has drawn last

const links = /** @type {const} */ (['terms', 'privacy', 'support']);

const visitor = () => (who
  ? html`<a id="to-account" href="/account">${t.account.short}</a><button type="button" class="link" id="log-out" @click=${() => logOut(false)}>${t.account.logOut}</button>`
  : who === null ? html`<a id="to-login" href="/login">${t.login.title}</a>`
    : html`<a class="unseen">${t.login.title}</a>`); // so that nothing moves for who has not signed in

/** @type {Show} */
const show = (title, content) => {
  shown = [title, content];
  document.title = `${title} – ${brand.name}`;
  render(html`
    <a class="skip" href="#main">${t.skip}</a>
    <header class="top"><div class="width">
      <a class="brand" href="/"><img src="/brand/logo" width="28" height="28" alt="">${brand.name}</a>
      <nav><a href="/">${t.visuals}</a>${visitor()}</nav>
    </div></header>
    <main id="main" class="width" tabindex="-1">${content}</main>
    <footer class="bottom"><div class="width"><nav aria-label=${t.about}><a href="/docs">${t.api}</a>${links.filter(x => brand[x])
      .map(x => html`<a id="to-${x}" href=${brand[x]}>${t[x]}</a>`)}</nav></div></footer>`, root);
};

const missing = () => show(t.missing.title, html`
  <h1>${t.missing.title}</h1>
  <p class="lead">${t.missing.lead}</p>
  <p><a class="button" href="/">${t.product.toAll}</a></p>`);

/** @type {Record<keyof typeof pages, Draw>} */
const draws = {
  catalogue, product, checkout, confirm, quote, login, dashboard, subscriptions, subscription, change, billingDetails, licenses, license, documents, quotes, statement, vendorDocuments, addresses, cards, people, details, keys,
};
const names = /** @type {(keyof typeof pages)[]} */ (Object.keys(pages));
const at = (/** @type {keyof typeof pages} */ name) => RegExp(`^${pages[name]}$`).exec(location.pathname);
const here = names.find(at);
if (here) draws[here](show, at(here)?.[1] ?? '');
else missing();

who = await me();
if (shown) show(...shown);
