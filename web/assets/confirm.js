// @ts-check
// "/confirm#token=…": a mailed link that confirms the address of an order, an
// invitation, or another address of an account. Only a press of the button does, which
// scanners that open links in mails do not do.
import { html } from './lit-html/lit-html.js';
import { post } from './api.js';
import { result } from './result.js';
import { ask } from './retry.js';
import { t, word } from './words.js';
/** @import { Bought, Reply, Show } from '../types/pages' */

const w = t.confirm;

/** @param {Show} show */
export const confirm = show => {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (token.startsWith('mit_')) {
    pressed(show, w.invitation, () => post('/v1/invitations/accept', { token }), () => w.invitation.done);
    return;
  }
  if (token.startsWith('ect_')) {
    pressed(show, w.address, () => post('/v1/me/email/confirm', { token }), ({ status }) => w.address[status]);
    return;
  }
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

/**
 * pressed sends what a link is for once the button is pressed, and says what came of
 * it.
 * @template T
 * @param {Show} show
 * @param {{ title: string, lead: string, confirm: string }} words
 * @param {() => Promise<Reply<T>>} send
 * @param {(body: T) => string} said
 */
const pressed = (show, words, send, said) => {
  let busy = false;
  let message = '';
  let done = '';

  const press = async () => {
    if (busy) return;
    busy = true;
    message = '';
    draw();
    try {
      const { ok, body } = await send();
      if (ok) done = said(body);
      else message = word(w.refusal, body.code) ?? t.refusal.other;
    } catch {
      message = t.unreachable;
    }
    busy = false;
    draw();
    document.getElementById(done ? 'done' : 'form-error')?.focus();
  };
  const draw = () => show(words.title, html`<h1>${words.title}</h1>${done
    ? html`<p class="lead" id="done" role="status" tabindex="-1">${done}</p><p><a class="button" href="/account">${w.toAccount}</a></p>`
    : html`<p class="lead">${words.lead}</p>
      <div class="narrow"><p id="form-error" class="error" role="alert" tabindex="-1">${message}</p>
        <button id="confirm" type="button" class="wide" ?disabled=${busy} @click=${press}>${words.confirm}</button></div>`}`);
  draw();
};
