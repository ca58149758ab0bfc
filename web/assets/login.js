// @ts-check
// "/login": asks for a mailed link, and, with #token=…, signs in by it. Only a
// press of the button does, which scanners that open links in mails do not do.
import { html } from './lit-html/lit-html.js';
import { post } from './api.js';
import { submitted } from './events.js';
import { next, remember } from './session.js';
import { t } from './words.js';
/** @import { Show } from '../types/pages' */
/** @typedef {{ step: 'ask' | 'sent' | 'confirm', email: string, error: string, busy: boolean }} State */

const w = t.login;

// given is the token that the link holds.
const given = () => new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

/** @param {Show} show */
export const login = show => {
  /** @type {State} */
  let state = { step: given() ? 'confirm' : 'ask', email: '', error: '', busy: false };
  const wish = new URLSearchParams(location.search).get('next');
  if (wish) remember(wish);

  const change = (/** @type {Partial<State>} */ part) => {
    state = { ...state, ...part };
    draw();
    if (part.step) document.getElementById('login-title')?.focus();
    if (part.error) document.getElementById('login-error')?.focus();
  };

  /** @param {() => Promise<void>} send */
  const attempt = async send => {
    if (state.busy) return;
    change({ busy: true, error: '' });
    try {
      await send();
    } catch {
      change({ busy: false, error: t.unreachable });
    }
  };

  const ask = () => {
    const field = /** @type {HTMLInputElement} */ (document.getElementById('email'));
    if (!field.validity.valid) {
      change({ error: t.field['billing.email'] });
      field.focus();
      return;
    }
    const email = field.value.trim();
    attempt(async () => {
      const { ok, status } = await post('/v1/login', { email });
      change(ok ? { busy: false, step: 'sent', email } : { busy: false, error: status === 422 ? t.field['billing.email'] : w.failed });
    });
  };

  const confirm = () => attempt(async () => {
    const { ok, status, body } = await post('/v1/login/confirm', { token: given() });
    if (ok) {
      if (body.return_url) sessionStorage.setItem('return', body.return_url);
      else sessionStorage.removeItem('return');
      location.replace(next());
      return;
    }
    const gone = body.code === 'login_expired' || status === 422;
    if (gone) history.replaceState(null, '', '/login');
    change(gone ? { busy: false, step: 'ask', error: w.expired } : { busy: false, error: w.failed });
  });

  const error = () => html`<p id="login-error" class="error" role="alert" tabindex="-1">${state.error}</p>`;
  const steps = {
    ask: () => html`<p class="lead">${w.lead}</p>
      <form id="login" class="narrow" novalidate @submit=${submitted(ask)}>
        <div class="field"><label for="email">${t.checkout.email}</label>
          <input id="email" name="email" type="email" maxlength="254" required autocomplete="email" aria-invalid=${state.error === t.field['billing.email']} aria-describedby="login-error"></div>
        ${error()}
        <button id="ask" type="submit" class="wide" ?disabled=${state.busy}>${w.ask}</button>
      </form>`,
    sent: () => html`<p class="lead" id="sent" role="status">${w.sent(state.email)}</p><p>${w.sentMore}</p>
      <p><button type="button" class="link" @click=${() => change({ step: 'ask' })}>${w.another}</button></p>`,
    confirm: () => html`<p class="lead">${w.confirmLead}</p>
      <div class="narrow">${error()}<button id="sign-in" type="button" class="wide" ?disabled=${state.busy} @click=${confirm}>${w.confirm}</button></div>`,
  };
  const titles = { ask: w.title, sent: w.sentTitle, confirm: w.title };
  const draw = () => show(titles[state.step], html`<h1 id="login-title" tabindex="-1">${titles[state.step]}</h1>${steps[state.step]()}`);
  addEventListener('hashchange', () => given() && change({ step: 'confirm', error: '' })); // the link was put into this tab
  draw();
};
