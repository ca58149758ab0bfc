// @ts-check
// "/": what is on sale.
import { html } from './lit-html/lit-html.js';
import { roundMoney } from './format.js';
import { icon } from './icon.js';
import { withProducts } from './loading.js';
import { plansOf, priceIn } from './plans.js';
import { t } from './words.js';
/** @import { Product, Show } from '../types/pages' */

const currency = 'USD';

/** @param {Product} product */
const cheapest = product => plansOf(product, { type: 'users', cycle: 'monthly', currency })
  .flatMap(p => priceIn(p, currency) ?? []).sort((a, b) => a.amount - b.amount)[0];

/** @param {Product} product */
const card = product => {
  const price = cheapest(product);
  return html`<li class="panel visual" id="product-${product.id}">
    ${icon(product, 48)}
    <h2><a href="/products/${product.id}">${product.name}</a></h2>
    <p>${product.description}</p>
    <p class="quiet">${price ? t.catalogue.from(roundMoney(price), t.per.monthly) : ''}</p>
  </li>`;
};

/** @param {Show} show */
export const catalogue = show => withProducts(show, t.visuals, products => show(t.visuals, html`
  <h1>${t.catalogue.title}</h1>
  <p class="lead">${products.length ? t.catalogue.lead : t.catalogue.none}</p>
  <ul class="visuals">${products.map(card)}</ul>`));
