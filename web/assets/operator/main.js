// @ts-check
// Draws the console's page of the address into the one document.
import brand from '/brand/brand.js';
import pages from '/assets/operator/pages.js';
import { always, remove } from '../api.js';
import { html, render } from '../lit-html/lit-html.js';
import { locale, t } from '../words.js';
import { catalogue } from './catalogue.js';
import { comp } from './comp.js';
import { customer } from './customer.js';
import { figures } from './figures.js';
import { operator } from './frame.js';
import { papers } from './papers.js';
import { search } from './search.js';
import { sessions } from './sessions.js';
import { statements } from './statements.js';
import { subscription } from './subscription.js';
import { today } from './today.js';
import { w } from './words.js';
/** @import { Draw, Show } from '../../types/pages' */

// The operator's cookie counts on requests that say so, and a customer's does not.
always['Okviz-Console'] = '1';

document.documentElement.lang = locale;
const root = /** @type {HTMLElement} */ (document.getElementById('page'));
root.replaceChildren();

/** @type {Record<keyof typeof pages, Draw>} */
const draws = { search, customer, subscription, comp, today, figures, catalogue, statements, papers, sessions };
const names = /** @type {(keyof typeof pages)[]} */ (Object.keys(pages));
const at = (/** @type {keyof typeof pages} */ name) => RegExp(`^${pages[name]}$`).exec(location.pathname);
const here = names.find(at);
const places = /** @type {const} */ (['today', 'figures', 'catalogue', 'statements', 'papers', 'comp', 'sessions']);

const logOut = async () => {
  if (operator.me) await remove(`/v1/operator/sessions/${operator.me.session}`);
  location.assign('/operator');
};

const asked = new URLSearchParams(location.search).get('q') ?? '';

// top is for who has signed in.
const top = () => (operator.me ? html`
  <form class="find" role="search" action="/operator"><input type="search" aria-label=${w.search.label} id="q" name="q" minlength="2" maxlength="100" placeholder=${w.search.placeholder} autocomplete="off" spellcheck="false" aria-keyshortcuts="/"
      .value=${here === 'search' ? asked : ''}></form>
  <nav class="console-places" aria-label=${w.title}>${places.map(name => html`<a href=${pages[name]} aria-current=${here === name ? 'page' : 'false'}>${w[name].title}</a>`)}</nav>` : '');

/** @type {Show} */
const show = (title, content) => {
  document.title = `${title} – ${w.title} – ${brand.name}`;
  render(html`
    <a class="skip" href="#main">${t.skip}</a>
    <header class="top console"><div class="width">
      <a class="brand" href="/operator"><img src="/brand/logo" width="28" height="28" alt="">${brand.name} <span class="quiet">${w.title}</span></a>
      ${operator.me ? html`<p class="who"><span id="who">${operator.me.name || w.nobody}</span> <span class="quiet">${w.role[operator.me.role]}</span>
        ${operator.me.session ? html`<button type="button" class="link" id="log-out" @click=${logOut}>${t.account.logOut}</button>` : ''}</p>` : ''}
      ${top()}
    </div></header>
    <main id="main" class="width" tabindex="-1">${content}</main>`, root);
};

addEventListener('keydown', event => {
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById('q'));
  const inField = event.target instanceof Element && event.target.closest('input, select, textarea');
  const inEmptySearch = inField && inField === field && !field.value; // it has the focus already
  if (event.key !== '/' || !field || inField && !inEmptySearch || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  field.focus();
});

if (here) draws[here](show, at(here)?.[1] ?? '');
