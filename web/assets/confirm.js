// @ts-check
// "/confirm#token=…": the mailed link that confirms the address of an order. Only a
// press of the button does, which scanners that open links in mails do not do.
import { html } from './lit-html/lit-html.js';
import { result } from './result.js';
import { ask } from './retry.js';
import { t, word } from './words.js';
/** @import { Bought, Reply, Show } from '../types/pages' */

const w = t.confirm;

/** @param {Show} show */
export const confirm = show => {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  let busy = false;
  let message = token ? '' : w.expired;

  const send = async () => {
    if (busy) return;
    busy = true;
    message = '';
    draw();
    /** @type {Reply<Bought>} */
    const { ok, body } = await ask('/v1/checkout/confirm', JSON.stringify({ token }), {}, why => {
      message = t.checkout[why];
      draw();
    });
    busy = false;
    if (ok) {
      result(show, { state: 'done', body: '{}', result: body });
      return;
    }
    message = ['confirmation_expired', 'request_expired'].includes(body.code ?? '') ? w.expired : word(t.refusal, body.code) ?? body.detail ?? t.refusal.other;
    draw();
    document.getElementById('form-error')?.focus();
  };
  const draw = () => show(w.title, html`<h1>${w.title}</h1><p class="lead">${w.lead}</p>
    <div class="narrow"><p id="form-error" class="error" role="alert" tabindex="-1">${message}</p>
      <button id="confirm-order" type="button" class="wide" ?disabled=${busy || !token} @click=${send}>${w.confirm}</button></div>`);
  draw();
};
