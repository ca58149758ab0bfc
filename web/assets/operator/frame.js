// @ts-check
// What the console's pages share: who has signed in, and what stands on a page
// while the API is asked, or when it refuses.
import { NotRead, post, read } from '../api.js';
import { submitted } from '../events.js';
import { html } from '../lit-html/lit-html.js';
import { t, word } from '../words.js';
import { w } from './words.js';
/** @import { Content, Problem, Show } from '../../types/pages' */
/** @import { Me, Role } from '../../types/console' */

/** @type {{ me: Me | undefined }} */
export const operator = { me: undefined };

/**
 * may tells whether the operator has one of the roles; administrators may do all.
 * @param {Role[]} roles
 */
export const may = (...roles) => operator.me?.role === 'admin' || roles.some(role => role === operator.me?.role);

/**
 * page draws a page with what is read for it, once somebody has signed in.
 * @template T
 * @param {Show} show
 * @param {string} title
 * @param {() => Promise<T>} load
 * @param {(data: T) => unknown} draw
 */
export const page = async (show, title, load, draw) => {
  const again = () => page(show, title, load, draw);
  try {
    operator.me ??= await read('/v1/operator/me');
    show(title, html`<h1>${title}</h1><p class="quiet" role="status" aria-busy="true">${t.loading}</p>`);
    await draw(await load());
  } catch (error) {
    const status = error instanceof NotRead ? error.status : 0;
    if (status === 401) {
      operator.me = undefined;
      await signIn(show, again);
    } else if (status === 404 || status === 403) {
      show(title, html`<h1>${title}</h1><p class="lead" role="alert">${status === 404 ? w.missing : w.notAllowed}</p>`);
    } else {
      console.error(error);
      show(title, html`<h1>${title}</h1><p role="alert">${w.unreachable}</p><p><button type="button" @click=${again}>${t.again}</button></p>`);
    }
  }
};

/**
 * signIn asks for a key, or leads to the identity provider.
 * @param {Show} show
 * @param {() => unknown} then
 */
const signIn = async (show, then) => {
  const words = w.signIn;
  let wrong = new URLSearchParams(location.search).has('refused') ? words.refused : '';
  let busy = false;
  const { method } = await read('/v1/operator/sign-in/method');
  const send = async () => {
    if (busy) return;
    busy = true;
    draw();
    const field = /** @type {HTMLInputElement} */ (document.getElementById('key'));
    try {
      const { ok, status } = await post('/v1/operator/sign-in', { key: field.value.trim() });
      wrong = ok ? '' : status === 403 || status === 422 ? words.wrongKey : w.unreachable;
    } catch {
      wrong = w.unreachable;
    }
    busy = false;
    if (!wrong) {
      await then();
      return;
    }
    draw();
    field.focus();
  };
  const draw = () => show(words.title, html`<h1>${words.title}</h1><div class="narrow">
    ${method === 'issuer' ? html`<p class="lead">${words.byIssuer}</p><p id="sign-in-error" class="error" role="alert">${wrong}</p>
      <p><a id="sign-in" class="button wide" href="/v1/operator/sign-in">${words.toIssuer}</a></p>`
    : html`<form id="sign-in-form" novalidate @submit=${submitted(send)}>
      <div class="field"><label for="key">${words.key}</label>
        <input id="key" name="key" type="password" maxlength="255" autocomplete="current-password" spellcheck="false" aria-describedby="sign-in-error key-hint" aria-invalid=${Boolean(wrong)}>
        <p class="hint" id="key-hint">${words.keyHint}</p></div>
      <p id="sign-in-error" class="error" role="alert">${wrong}</p>
      <button id="sign-in" type="submit" class="wide" ?disabled=${busy}>${words.title}</button></form>`}</div>`);
  draw();
};

/**
 * problem is a refusal in words.
 * @param {Partial<Problem>} body
 */
export const problem = ({ code, detail, errors }) => {
  const fields = (errors ?? []).map(e => `${e.field}: ${e.detail}`).join('; ');
  return word(w.refusal, code) ?? word(t.account.refusal, code) ?? word(t.refusal, code) ?? (fields || detail || w.refusal.other);
};

/**
 * orNone is what is read, or what stands for it where there is nothing to read.
 * @template T
 * @param {Promise<T>} reading
 * @param {T} none
 */
export const orNone = (reading, none) => reading.catch(error => {
  if (error instanceof NotRead && (error.status === 404 || error.status === 403)) return none;
  throw error;
});

/**
 * table is a list of rows under their headings. A cell that is a number stands right.
 * @param {string} id
 * @param {string} caption
 * @param {Content[]} head
 * @param {(Content | { number: Content })[][]} rows
 */
export const table = (id, caption, head, rows) => html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table id=${id} aria-label=${caption}><thead><tr>${head.map(h => html`<th scope="col">${h}</th>`)}</tr></thead>
  <tbody>${rows.map(row => html`<tr>${row.map(cell => (typeof cell === 'object' && 'number' in cell ? html`<td class="number">${cell.number}</td>` : html`<td>${cell}</td>`))}</tr>`)}</tbody></table></div>`;
