// @ts-check
// "/account/details": the account, where it has signed in, and what is held about
// it; "/account/api-keys": the credentials of programs.
import { html } from './lit-html/lit-html.js';
import { page } from './account.js';
import { post, read, remove } from './api.js';
import { submitted } from './events.js';
import { minute, money } from './format.js';
import { fact } from './rows.js';
import { logOut } from './session.js';
import { t, word } from './words.js';
/** @import { Reply, Show } from '../types/pages' */

const w = t.account;

/** @param {Show} show */
export const details = show => page(show, w.details, '/account/details', (framed, { data: { who, sessions, held } }) => {
  const own = who.email === who.signed_in_as; // and not an account that they are a member of
  let change = who.email_change;
  let moving = ''; // what became of asking for another address
  let asks = false; // whether to erase everything
  let busy = false;
  let wrong = '';

  /** @param {boolean} on @param {string} focus */
  const ask = (on, focus) => {
    asks = on;
    wrong = '';
    draw();
    document.getElementById(focus)?.focus();
  };

  const erase = async () => {
    if (busy) return;
    busy = true;
    wrong = '';
    draw();
    try {
      const { ok, body } = await post('/v1/privacy/erase');
      if (ok) {
        location.assign('/');
        return;
      }
      wrong = word(w.refusal, body.code) ?? body.detail ?? w.refusal.other;
    } catch {
      wrong = t.unreachable;
    }
    busy = false;
    draw();
  };

  const move = async () => {
    const field = /** @type {HTMLInputElement} */ (document.getElementById('new-email'));
    if (busy) return;
    if (!field.validity.valid) {
      moving = t.field['billing.email'];
      draw();
      field.focus();
      return;
    }
    busy = true;
    moving = '';
    draw();
    try {
      const { ok, body } = await post('/v1/me/email', { email: field.value.trim() });
      if (ok) change = body;
      else moving = body.code === 'too_many_mails' ? w.refusal.too_many_mails : t.field['billing.email'];
    } catch {
      moving = t.unreachable;
    }
    busy = false;
    draw();
  };

  const address = () => html`<section><h2>${w.newEmail}</h2><p>${w.newEmailLead}</p>
    <p id="moving" role="status">${change ? w.moving(change.email, minute(change.expires_at)) : ''}</p>
    <form id="move" class="narrow" novalidate @submit=${submitted(move)}>
      <div class="field"><label for="new-email">${w.newEmailField}</label>
        <input id="new-email" type="email" maxlength="254" required autocomplete="email" aria-invalid=${Boolean(moving)} aria-describedby="move-error"></div>
      <p id="move-error" class="error" role="alert">${moving}</p>
      <button type="submit" class="second" id="ask-move" ?disabled=${busy}>${w.askMove}</button></form></section>`;

  const erasing = () => html`<div id="asking" class="asking" role="group" tabindex="-1" aria-labelledby="asking-title">
    <h3 id="asking-title">${w.eraseSure}</h3><p>${w.eraseWhat}</p>
    <p id="erase-error" class="error" role="alert">${wrong}</p>
    <p class="buttons"><button type="button" id="confirm-erase" ?disabled=${busy} @click=${erase}>${w.eraseYes}</button>
      <button type="button" class="second" ?disabled=${busy} @click=${() => ask(false, 'erase')}>${w.keep}</button></p></div>`;

  const draw = () => framed(w.details, html`<h1>${w.details}</h1>
    <dl class="order facts">
      ${fact('email', t.checkout.email, who.email)}
      ${fact('name', t.checkout.name, who.name)}
      ${fact('company', t.checkout.company, who.company)}
      ${own ? '' : html`${fact('signed-in-as', w.signedInAs, who.signed_in_as)}${fact('role', w.role, w.roles[who.role])}`}
      ${held.map(m => fact(`balance-${m.currency}`, w.balance, money(m)))}
    </dl>
    ${who.role === 'technical' ? '' : html`<p class="quiet">${w.detailsNote} <a href="/account/addresses">${w.addresses}</a></p>`}
    ${who.role === 'owner' ? address() : ''}
    <section><h2>${w.sessions}</h2><ul class="cards" id="sessions">${sessions.map(s => html`<li class="panel">
      <div><strong>${w.signedIn(minute(s.created_at))}</strong> ${s.current ? html`<span class="status active">${w.thisSession}</span>` : ''}</div>
      <p class="quiet">${w.sessionEnds(minute(s.expires_at))}</p></li>`)}</ul>
      <p><button type="button" class="second" id="log-out-everywhere" @click=${() => logOut(true)}>${w.everywhere}</button></p></section>
    ${own ? html`<section><h2>${w.yourData}</h2><p>${w.yourDataLead}</p>
      <p class="buttons"><a class="button second" id="export" href="/v1/privacy/export" download>${w.exportData}</a>
        ${asks ? '' : html`<button type="button" class="second" id="erase" @click=${() => ask(true, 'asking')}>${w.erase}</button>`}</p>
      ${asks ? erasing() : ''}</section>` : ''}`);
  draw();
}, async () => {
  const who = await read('/v1/me');
  const [sessions, held] = await Promise.all([read('/v1/sessions'), who.role === 'technical' ? { data: [] } : read('/v1/balance')]);
  return { who, sessions: sessions.data, held: held.data.filter(m => m.amount) };
});

const keysOf = async () => (await read('/v1/api-keys')).data;

/** @typedef {Awaited<ReturnType<typeof keysOf>>[number]} Key */

/** @param {Key} k */
const terms = k => [
  k.scopes.includes('write') ? w.keyWrites : w.keyReads, w.keySince(minute(k.created_at)),
  k.expires_at ? w.keyEnds(minute(k.expires_at)) : w.keyStays, k.last_used_at ? w.keyUsed(minute(k.last_used_at)) : w.keyUnused,
].join(' ');

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
      if (!ok) wrong = body.errors?.some(e => e.field === 'expires_at') ? w.keyPast : body.detail ?? w.refusal.other;
      fresh = ok && body?.key || '';
      list = await keysOf();
    } catch {
      wrong = t.unreachable;
    }
    busy = false;
    draw();
    if (fresh) {
      form().reset();
      document.getElementById('new-key')?.focus();
    }
  };

  const form = () => /** @type {HTMLFormElement} */ (document.getElementById('make'));

  // make sends what stands in the form. A key lasts to the end of its last day.
  const make = () => {
    const { name, access, last } = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form())));
    return post('/v1/api-keys', {
      name: name.trim(), scopes: access === 'write' ? ['read', 'write'] : ['read'], ...(last && { expires_at: new Date(`${last}T23:59:59`).toISOString() }),
    });
  };

  const draw = () => framed(w.keys, html`<h1>${w.keys}</h1><p class="lead">${w.keysLead}</p>
    <p id="command-error" class="error" role="alert">${wrong}</p>
    ${fresh ? html`<div class="field"><label for="new-key">${w.newAPIKey}</label>
      <textarea id="new-key" rows="2" readonly spellcheck="false" aria-describedby="new-key-hint" .value=${fresh}></textarea>
      <p class="hint" id="new-key-hint">${w.newKeyNote}</p></div>` : ''}
    ${list.length ? html`<ul class="cards" id="keys">${list.map(k => html`<li class="panel"><div>${k.name ? html`<strong>${k.name}</strong> ` : ''}<code>${k.id}</code>
      <button type="button" class="link amount" ?disabled=${busy} aria-label=${w.endKeyOf(k.name || k.id)} @click=${() => command(() => remove(`/v1/api-keys/${k.id}`))}>${w.endKey}</button></div>
      <p class="quiet">${terms(k)}</p></li>`)}</ul>` : html`<p id="no-keys">${w.noKeys}</p>`}
    <section><h2>${w.makeKey}</h2><form id="make" class="narrow" autocomplete="off" aria-busy=${busy} @submit=${submitted(() => command(make))}>
      <div class="field"><label for="key-name">${w.keyName} <span class="quiet">(${t.optional})</span></label>
        <input id="key-name" name="name" maxlength="64" aria-describedby="key-name-hint"><p class="hint" id="key-name-hint">${w.keyNameNote}</p></div>
      <div class="field"><label for="key-access">${w.keyAccess}</label>
        <select id="key-access" name="access"><option value="read">${w.keyRead}</option><option value="write">${w.keyWrite}</option></select></div>
      <div class="field"><label for="key-last">${w.keyLast} <span class="quiet">(${t.optional})</span></label>
        <input type="date" id="key-last" name="last"></div>
      <button type="submit" id="make-key" ?disabled=${busy}>${w.makeKey}</button></form></section>`);
  draw();
}, keysOf);
