// Draws the page of the address into the one document.
import { html, render } from './lit-html/lit-html.js';
import { catalogue } from './catalogue.js';
import { checkout } from './checkout.js';
import { product } from './product.js';
import { locale, t } from './words.js';

document.documentElement.lang = locale;
const root = document.getElementById('page');
root.replaceChildren();

// show draws a page: its title, as the window has it, and its content.
const show = (title, content) => {
  document.title = `${title} – ${t.brand}`;
  render(html`
    <a class="skip" href="#main">${t.skip}</a>
    <header class="top"><div class="width">
      <a class="brand" href="/"><img src="/icons/brand.svg" width="28" height="28" alt="">${t.brand}</a>
      <nav><a href="/">${t.visuals}</a></nav>
    </div></header>
    <main id="main" class="width" tabindex="-1">${content}</main>
    <footer class="bottom"><div class="width"><a href="/docs">${t.api}</a></div></footer>`, root);
};

const missing = account => show(account ? t.missing.accountTitle : t.missing.title, html`
  <h1>${account ? t.missing.accountTitle : t.missing.title}</h1>
  <p class="lead">${account ? t.missing.accountLead : t.missing.lead}</p>
  <p><a class="button" href="/">${t.product.toAll}</a></p>`);

const { pathname } = location;
const [, id] = pathname.match(/^\/products\/([a-z0-9-]+)$/) ?? [];
if (pathname === '/') catalogue(show);
else if (id) product(show, id);
else if (pathname === '/checkout') checkout(show);
else missing(/^\/(account|login)(\/|$)/.test(pathname));
