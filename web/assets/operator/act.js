// @ts-check
// What an operator can do: each action says what it does, asks for what it needs,
// and is carried out once. A letter opens it.
import { newKey, ask } from '../retry.js';
import { submitted } from '../events.js';
import { html } from '../lit-html/lit-html.js';
import { t } from '../words.js';
import { problem } from './frame.js';
import { w } from './words.js';
/** @import { Content } from '../../types/pages' */
/** @import { Action, Field } from '../../types/console' */

/**
 * minor is an amount that was typed, in minor units; NaN: it is none.
 * @param {string} text
 * @param {string} currency
 */
export const minor = (text, currency) => {
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return /^\d+([.,]\d+)?$/.test(text.trim()) ? Math.round(Number(text.trim().replace(',', '.')) * 10 ** digits) : NaN;
};

/**
 * decimal is an amount as it is typed.
 * @param {{ amount: number, currency: string }} money
 */
export const decimal = ({ amount, currency }) => {
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return (amount / 10 ** digits).toFixed(digits);
};

/** @param {Field} f */
const field = f => {
  const id = `act-${f.name}`;
  const hint = f.hint ? html`<p class="hint" id="${id}-hint">${f.hint}</p>` : '';
  if (f.choices && f.type === 'radio') {
    return html`<fieldset class="field"><legend>${f.label}</legend>${f.choices.map(([value, label], i) => html`<label class="tick">
      <input type="radio" name=${f.name} value=${value} ?checked=${i === 0}> <span>${label}</span></label>`)}</fieldset>`;
  }
  return html`<div class="field"><label for=${id}>${f.label}${f.required ? '' : html` <span class="quiet">(${t.optional})</span>`}</label>
    ${f.choices ? html`<select id=${id} name=${f.name}>${f.choices.map(([value, label]) => html`<option value=${value} ?selected=${value === f.value}>${label}</option>`)}</select>`
    : f.type === 'textarea' ? html`<textarea id=${id} name=${f.name} rows="3" maxlength=${f.max ?? 500} ?required=${f.required}></textarea>`
      : html`<input id=${id} name=${f.name} type=${f.type ?? 'text'} maxlength=${f.max ?? 500} .value=${f.value ?? ''} ?required=${f.required} autocomplete="off"
        inputmode=${f.type === 'number' ? 'numeric' : 'text'}>`}${hint}</div>`;
};

// Actions are the buttons of a page, and the one that is open.
export class Actions {
  /** @type {Action[]} */
  list = [];
  /** @type {Action | undefined} */
  open;
  key = '';
  busy = false;
  said = '';
  wrong = '';
  /** @type {Content} */
  more = '';

  /** @param {() => void} draw @param {() => Promise<unknown>} again reads what an action may have changed */
  constructor(draw, again) {
    this.draw = draw;
    this.again = again;
    addEventListener('keydown', event => {
      const inField = event.target instanceof Element && event.target.closest('input, select, textarea');
      if (inField && event.key !== 'Escape' || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.key === 'Escape' && this.open) this.close();
      const action = this.open ? undefined : this.list.find(a => a.letter === event.key);
      if (!action) return;
      event.preventDefault();
      this.begin(action);
    });
  }

  /** @param {Action} action */
  async begin(action) {
    if (this.busy) return;
    Object.assign(this, { key: newKey(), said: '', wrong: '', more: '' });
    try {
      await action.prepare?.();
    } catch (error) {
      console.error(error);
      this.wrong = w.unreachable;
      this.draw();
      return;
    }
    this.open = action;
    this.draw();
    const asking = document.getElementById('asking');
    /** @type {HTMLElement | null | undefined} */ (asking?.querySelector('input, select, textarea') ?? asking)?.focus();
  }

  close() {
    const was = this.open;
    if (this.busy) return;
    this.open = undefined;
    this.draw();
    document.getElementById(`do-${was?.id}`)?.focus();
  }

  async send() {
    const action = this.open;
    if (!action || this.busy) return;
    const form = /** @type {HTMLFormElement} */ (document.getElementById('asking'));
    const values = /** @type {Record<string, string>} */ (Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()])));
    const lacks = action.fields?.find(f => f.required && !values[f.name]);
    this.wrong = lacks ? w.needed(lacks.label) : '';
    const body = this.wrong ? undefined : action.body?.(values) ?? {};
    if (typeof body === 'string') this.wrong = body;
    if (this.wrong) {
      this.draw();
      return;
    }
    this.busy = true;
    this.draw();
    try {
      const path = typeof action.path === 'function' ? action.path(values) : action.path;
      const answer = await ask(path, JSON.stringify(body), { key: this.key, method: action.method }, () => {});
      if (answer.ok) {
        this.open = undefined;
        this.said = action.done;
        this.more = action.after?.(answer.body) ?? '';
        await this.again();
      } else {
        this.wrong = answer.status === 401 ? w.ended : problem(answer.body);
      }
    } catch (error) {
      console.error(error);
      this.wrong = w.unreachable;
    }
    this.busy = false;
    this.draw();
    document.getElementById(this.wrong ? 'act-error' : 'act-done')?.focus();
  }

  buttons() {
    return html`<div class="buttons actions" id="actions">${this.list.map(a => html`<button type="button" class="second" id="do-${a.id}" aria-keyshortcuts=${a.letter}
      aria-expanded=${this.open === a} ?disabled=${this.busy} @click=${() => this.begin(a)}>${a.label} <kbd aria-hidden="true">${a.letter}</kbd></button>`)}</div>`;
  }

  asking() {
    const a = this.open;
    return html`<p id="act-done" class="done" role="status" tabindex="-1">${this.said}</p>${this.more}
      ${a ? html`<form id="asking" class="asking" tabindex="-1" novalidate aria-labelledby="asking-title" aria-busy=${this.busy} @submit=${submitted(() => this.send())}>
        <h2 id="asking-title">${a.label}</h2><p>${a.lead}</p>${(a.fields ?? []).map(field)}
        <p id="act-error" class="error" role="alert" tabindex="-1">${this.wrong}</p>
        <p class="buttons"><button type="submit" id="confirm" ?disabled=${this.busy}>${a.confirm ?? a.label}</button>
          <button type="button" class="second" ?disabled=${this.busy} @click=${() => this.close()}>${t.account.keep}</button></p></form>`
    : html`<p id="act-error" class="error" role="alert" tabindex="-1">${this.wrong}</p>`}`;
  }
}
