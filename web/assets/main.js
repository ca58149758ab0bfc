// Draws the page of the address into the one document.
import { html, render } from './lit-html/lit-html.js';
import brand from '/brand/brand.js';
import { subscriptions } from './account.js';
import { addresses } from './addresses.js';
import { cards } from './cards.js';
import { catalogue } from './catalogue.js';
import { change } from './change.js';
import { checkout } from './checkout.js';
import { dashboard } from './dashboard.js';
import { details, keys } from './details.js';
import { license, licenses } from './licenses.js';
import { login } from './login.js';
import { orders } from './orders.js';
import { product } from './product.js';
import { quote } from './quote.js';
import { logOut, me } from './session.js';
import { subscription } from './subscription.js';
import { locale, t } from './words.js';

document.documentElement.lang = locale;
const root = document.getElementById('page');
root.replaceChildren();

let who; // the account that has signed in; null: none; undefined: not known yet
let shown;

const visitor = () => (who
  ? html`<a id="to-account" href="/account">${t.account.short}</a><button type="button" class="link" id="log-out" @click=${logOut}>${t.account.logOut}</button>`
  : who === null ? html`<a id="to-login" href="/login">${t.login.title}</a>` : '');

// show draws a page: its title, as the window has it, and its content.
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
    <footer class="bottom"><div class="width"><nav aria-label=${t.about}><a href="/docs">${t.api}</a>${['terms', 'privacy', 'support'].filter(x => brand[x])
      .map(x => html`<a id="to-${x}" href=${brand[x]}>${t[x]}</a>`)}</nav></div></footer>`, root);
};

const missing = () => show(t.missing.title, html`
  <h1>${t.missing.title}</h1>
  <p class="lead">${t.missing.lead}</p>
  <p><a class="button" href="/">${t.product.toAll}</a></p>`);

const pages = [
  [/^\/$/, catalogue],
  [/^\/products\/([a-z0-9-]+)$/, product],
  [/^\/checkout$/, checkout],
  [/^\/quotes\/(quo_[0-9A-Z]+)$/, quote],
  [/^\/login$/, login],
  [/^\/account$/, dashboard],
  [/^\/account\/subscriptions$/, subscriptions],
  [/^\/account\/subscriptions\/(sub_[0-9A-Z]+)$/, subscription],
  [/^\/account\/subscriptions\/(sub_[0-9A-Z]+)\/change$/, change],
  [/^\/account\/licenses$/, licenses],
  [/^\/account\/licenses\/(lic_[0-9A-Z]+)$/, license],
  [/^\/account\/orders$/, orders],
  [/^\/account\/addresses$/, addresses],
  [/^\/account\/payment-methods$/, cards],
  [/^\/account\/details$/, details],
  [/^\/account\/api-keys$/, keys],
];
const [here, draw] = pages.find(([path]) => path.test(location.pathname)) ?? [];
if (draw) draw(show, here.exec(location.pathname)[1]);
else missing();

who = await me();
show(...shown);
