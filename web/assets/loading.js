// What stands on a page while the API is asked, and when it does not answer.
import { html } from './lit-html/lit-html.js';
import { products } from './api.js';
import { t } from './words.js';

// withProducts draws with the products, as soon as they are there.
export const withProducts = async (show, title, draw) => {
  show(title, html`<p class="quiet" role="status">${t.loading}</p>`);
  try {
    draw(await products());
  } catch (error) {
    console.error(error);
    show(title, html`
      <p role="alert">${t.unreachable}</p>
      <p><button type="button" @click=${() => withProducts(show, title, draw)}>${t.again}</button></p>`);
  }
};
