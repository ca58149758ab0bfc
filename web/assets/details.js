// @ts-check
// "/account/details": the account, and where it has signed in; "/account/api-keys":
// the credentials of programs.
import { html } from './lit-html/lit-html.js';
import { page } from './account.js';
import { post, read, remove } from './api.js';
import { minute, money } from './format.js';
import { fact } from './rows.js';
import { logOut } from './session.js';
import { t } from './words.js';
/** @import { Reply, Show } from '../types/pages' */

const w = t.account;

/** @param {Show} show */
export const details = show => page(show, w.details, '/account/details', (framed, { data: { who, sessions, held } }) => {
  framed(w.details, html`<h1>${w.details}</h1>
    <dl class="order facts">
      ${fact('email', t.checkout.email, who.email)}
      ${fact('name', t.checkout.name, who.name)}
      ${fact('company', t.checkout.company, who.company)}
      ${held.map(m => fact(`balance-${m.currency}`, w.balance, money(m)))}
    </dl>
    <p class="quiet">${w.detailsNote} <a href="/account/addresses">${w.addresses}</a></p>
    <section><h2>${w.sessions}</h2><ul class="cards" id="sessions">${sessions.map(s => html`<li class="panel">
      <div><strong>${w.signedIn(minute(s.created_at))}</strong> ${s.current ? html`<span class="status active">${w.thisSession}</span>` : ''}</div>
      <p class="quiet">${w.sessionEnds(minute(s.expires_at))}</p></li>`)}</ul>
      <p><button type="button" class="second" id="log-out-everywhere" @click=${() => logOut(true)}>${w.everywhere}</button></p></section>`);
}, async () => {
  const [who, sessions, held] = await Promise.all([read('/v1/me'), read('/v1/sessions'), read('/v1/balance')]);
  return { who, sessions: sessions.data, held: held.data.filter(m => m.amount) };
});

const keysOf = async () => (await read('/v1/api-keys')).data;

/** @param {Show} show */
export const keys = show => page(show, w.keys, '/account/api-keys', (framed, { data }) => {
  let list = data;
  let fresh = ''; // the key that has just been made: it is shown once
  let busy = false;
  let wrong = '';

  /** @param {() => Promise<Reply<{ key?: string } | undefined>>} send */
  const command = async send => {
    if (busy) return;
    busy = true;
    wrong = '';
    draw();
    try {
      const { ok, body } = await send();
      if (!ok) wrong = body.detail ?? w.refusal.other;
      fresh = ok && body?.key || '';
      list = await keysOf();
    } catch {
      wrong = t.unreachable;
    }
    busy = false;
    draw();
    if (fresh) document.getElementById('new-key')?.focus();
  };

  const draw = () => framed(w.keys, html`<h1>${w.keys}</h1><p class="lead">${w.keysLead}</p>
    <p id="command-error" class="error" role="alert">${wrong}</p>
    ${fresh ? html`<div class="field"><label for="new-key">${w.newAPIKey}</label>
      <textarea id="new-key" rows="2" readonly spellcheck="false" aria-describedby="new-key-hint" .value=${fresh}></textarea>
      <p class="hint" id="new-key-hint">${w.newKeyNote}</p></div>` : ''}
    ${list.length ? html`<ul class="cards" id="keys">${list.map(k => html`<li class="panel"><div><code>${k.id}</code>
      <button type="button" class="link amount" ?disabled=${busy} aria-label=${w.endKeyOf(k.id)} @click=${() => command(() => remove(`/v1/api-keys/${k.id}`))}>${w.endKey}</button></div>
      <p class="quiet">${w.keySince(minute(k.created_at))}</p></li>`)}</ul>` : html`<p id="no-keys">${w.noKeys}</p>`}
    <p><button type="button" id="make-key" ?disabled=${busy} @click=${() => command(() => post('/v1/api-keys', {}))}>${w.makeKey}</button></p>`);
  draw();
}, keysOf);
