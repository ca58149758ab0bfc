// @ts-check
// What stands on a page while the API is asked, and when it does not answer.
import { NotRead, products } from './api.js';
import { html } from './lit-html/lit-html.js';
import { signIn } from './session.js';
import { t } from './words.js';
/** @import { Product, Show } from '../types/pages' */

/**
 * loaded draws with what is loaded, as soon as it is there. A visitor who is not
 * signed in is sent to do so, and back.
 * @template T
 * @param {Show} show
 * @param {string} title
 * @param {() => Promise<T>} load
 * @param {(data: T) => unknown} draw
 */
export const loaded = async (show, title, load, draw) => {
  show(title, html`<p class="quiet" role="status">${t.loading}</p>
    <div class="skeleton" aria-hidden="true"><span></span><span></span><span></span><span></span></div>`);
  try {
    await draw(await load());
  } catch (error) {
    const status = error instanceof NotRead && error.status;
    if (status === 401) {
      signIn();
      return;
    }
    if (status === 404) {
      show(t.missing.title, html`<h1>${t.missing.title}</h1><p class="lead">${t.missing.lead}</p>`);
      return;
    }
    console.error(error);
    show(title, html`
      <p role="alert">${t.unreachable}</p>
      <p><button type="button" @click=${() => loaded(show, title, load, draw)}>${t.again}</button></p>`);
  }
};

/** @param {Show} show @param {string} title @param {(products: Product[]) => unknown} draw */
export const withProducts = (show, title, draw) => loaded(show, title, products, draw);
