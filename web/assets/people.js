// @ts-check
// "/account/people": who may use the account.
import { html } from './lit-html/lit-html.js';
import { page } from './account.js';
import { post, read, remove } from './api.js';
import { entered, submitted } from './events.js';
import { day } from './format.js';
import { t, word } from './words.js';
/** @import { Member, Reply, Show } from '../types/pages' */

const w = t.account;

const listed = async () => (await read('/v1/members')).data;

/** @type {Member['role'][]} */
const roles = ['owner', 'finance', 'technical'];

/** @param {Show} show */
export const people = show => page(show, w.people, '/account/people', (framed, { data }) => {
  let list = data;
  let busy = false;
  let wrong = '';
  let said = '';
  let leaving = ''; // the id of whom to remove, which is asked about

  /** @param {() => Promise<Reply<unknown>>} send @param {string} done */
  const command = async (send, done) => {
    if (busy) return;
    busy = true;
    wrong = said = '';
    draw();
    try {
      const { ok, body } = await send();
      if (ok) said = done;
      else wrong = word(w.refusal, /** @type {{ code?: string }} */ (body).code) ?? t.field['billing.email'];
      list = await listed();
    } catch {
      wrong = t.unreachable;
    }
    busy = false;
    leaving = '';
    draw();
    if (said) /** @type {HTMLFormElement} */ (document.getElementById('invite')).reset();
  };

  /** @param {string} email @param {string} role */
  const invite = (email, role) => post('/v1/members', { email, role: /** @type {Member['role']} */ (role) });

  const send = () => {
    const field = /** @type {HTMLInputElement} */ (document.getElementById('member-email'));
    if (!field.validity.valid) {
      wrong = t.field['billing.email'];
      draw();
      field.focus();
      return;
    }
    const email = field.value.trim();
    command(() => invite(email, /** @type {HTMLSelectElement} */ (document.getElementById('member-role')).value), w.invited(email));
  };

  /** @param {string} id */
  const ask = id => {
    leaving = id;
    draw();
    document.getElementById('asking')?.focus();
  };

  /** @param {string} [chosen] */
  const options = chosen => roles.map(role => html`<option value=${role} ?selected=${role === chosen}>${w.roles[role]}</option>`);

  /** @param {Member} m */
  const row = m => html`<li class="panel"><div><strong>${m.email}</strong> ${m.status === 'invited' ? html`<span class="status">${w.pending}</span>` : ''}
    ${m.removable && leaving !== m.id ? html`<button type="button" class="link amount" ?disabled=${busy} aria-label=${w.removeMember(m.email)} @click=${() => ask(m.id)}>${w.removeCard}</button>` : ''}</div>
    ${m.expires_at ? html`<p class="quiet">${w.roles[m.role]}. ${w.invitedUntil(day(m.expires_at))}</p>`
      : m.removable ? html`<div class="field"><label for=${`role-${m.id}`}>${w.role}</label>
        <select id=${`role-${m.id}`} ?disabled=${busy} @change=${entered(role => command(() => invite(m.email, role), w.saved))}>${options(m.role)}</select></div>`
        : html`<p class="quiet">${w.roles[m.role]}. ${w.firstOwner}</p>`}
    ${leaving === m.id ? html`<div id="asking" class="asking" role="group" tabindex="-1" aria-labelledby="asking-title">
      <h3 id="asking-title">${w.removeMember(m.email)}?</h3><p>${w.removeWhat}</p>
      <p class="buttons"><button type="button" id="confirm-remove" ?disabled=${busy} @click=${() => command(() => remove(`/v1/members/${m.id}`), w.removed(m.email))}>${w.removeYes}</button>
        <button type="button" class="second" ?disabled=${busy} @click=${() => { leaving = ''; draw(); }}>${w.keep}</button></p></div>` : ''}</li>`;

  const draw = () => framed(w.people, html`<h1>${w.people}</h1><p class="lead">${w.peopleLead}</p>
    <p id="command-error" class="error" role="alert">${wrong}</p><p id="command-done" role="status">${said}</p>
    <ul class="cards" id="members">${list.map(row)}</ul>
    <section><h2>${w.invite}</h2><form id="invite" class="narrow" novalidate aria-busy=${busy} @submit=${submitted(send)}>
      <div class="field"><label for="member-email">${t.checkout.email}</label><input id="member-email" type="email" maxlength="254" required autocomplete="off"></div>
      <div class="field"><label for="member-role">${w.role}</label><select id="member-role" aria-describedby="role-hint">${options('technical')}</select>
        <p class="hint" id="role-hint">${w.rolesNote}</p></div>
      <button type="submit" id="send-invitation" ?disabled=${busy}>${w.invite}</button></form></section>`);
  draw();
}, listed);
