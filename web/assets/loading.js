// What stands on a page while the API is asked, and when it does not answer.
import { html } from './lit-html/lit-html.js';
import { products } from './api.js';
import { signIn } from './session.js';
import { t } from './words.js';

// loaded draws with what is loaded, as soon as it is there. Who is not signed
// in is sent to do so, and back.
export const loaded = async (show, title, load, draw) => {
  show(title, html`<p class="quiet" role="status">${t.loading}</p>`);
  try {
    draw(await load());
  } catch (error) {
    if (error.status === 401) {
      signIn();
      return;
    }
    if (error.status === 404) {
      show(t.missing.title, html`<h1>${t.missing.title}</h1><p class="lead">${t.missing.lead}</p>`);
      return;
    }
    console.error(error);
    show(title, html`
      <p role="alert">${t.unreachable}</p>
      <p><button type="button" @click=${() => loaded(show, title, load, draw)}>${t.again}</button></p>`);
  }
};

export const withProducts = (show, title, draw) => loaded(show, title, products, draw);
