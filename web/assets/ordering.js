// What the pages that place an order share: it is sent, declined, refused or
// done, with errors at their fields. order.js keeps it from being bought twice.
import { html, nothing } from './lit-html/lit-html.js';
import { leave } from './command.js';
import brand from '/brand/brand.js';
import { finish, prepareCard } from './order.js';
import { paymentFields } from './payment.js';
import { t } from './words.js';

const w = t.checkout;

export const idOf = name => name.replaceAll('.', '-');

// fieldOf is the field on the page that the API means by a name of its own.
const fieldOf = name => ({ plan: 'plan.tier', token: 'payment.token', payment: 'payment.token' })[name] ?? name.replace(/\[\d+\].*$/, '');

export class Ordering {
  errors = {}; // by the field's name
  busy = false;
  message = '';
  status = ''; // while the order is carried out
  method = 'card';
  draft = {}; // what has been typed, by the field's name

  // again has a card given for an order that was placed and is not paid.
  again() {
    if (this.order.state === 'away') leave(this.order.action);
    else this.send(prepareCard(this.order));
  }

  get placed() {
    return ['away', 'declined', 'paying'].includes(this.order?.state);
  }

  value(name) {
    return this.form.elements.namedItem(name)?.value.trim() ?? '';
  }

  // send has an order carried out; finished hears of its outcome.
  async send(order) {
    Object.assign(this, { order, busy: true, errors: {}, message: '', status: w.sending });
    this.draw();
    const { order: now, problem } = await finish(order, why => {
      this.status = w[why];
      this.draw();
    });
    this.order = now;
    if (now.state === 'away') { // and stays busy until the browser has left
      leave(now.action);
      return;
    }
    Object.assign(this, { busy: false, status: '' });
    if (now.state === 'done') this.finished(now);
    else if (problem.code === 'card_declined') this.decline(problem.decline_code);
    else this.refuse(problem);
  }

  decline(code) {
    this.method = 'card';
    this.errors = { 'payment.token': w.declined(t.decline[code] ?? t.decline.generic_decline) };
    this.wrong('');
  }

  refuse(problem) {
    const own = t.refusal[problem.code];
    const elsewhere = [];
    for (const { field, detail } of problem.errors ?? []) {
      const name = fieldOf(field);
      if (this.form.elements.namedItem(name)) this.errors[name] = own ?? t.field[name] ?? detail;
      else elsewhere.push(own ?? detail);
    }
    if (['trial_already_used', 'trial_not_offered'].includes(problem.code)) this.errors = { pay: own };
    else if (own && !problem.errors?.length) elsewhere.push(own);
    this.wrong(elsewhere.join(' ') || (Object.keys(this.errors).length ? w.wrong : problem.detail ?? t.refusal.other));
  }

  // check finds what can be seen to be wrong without asking.
  check() {
    this.errors = {};
    for (const field of this.form.elements) {
      if (!field.willValidate || field.validity.valid) continue;
      const { valueMissing, typeMismatch } = field.validity;
      this.errors[field.name] = field.name === 'accept_terms' ? t.refusal.terms_not_accepted
        : valueMissing && field.name !== 'billing.country' ? t.field.required
          : typeMismatch || valueMissing ? t.field[field.name] ?? t.field.required
            : t.field.number;
    }
    if (Object.keys(this.errors).length) this.wrong(w.wrong);
    return Object.keys(this.errors).length === 0;
  }

  // wrong shows a message and leads to the first field that has an error.
  wrong(message) {
    this.message = message;
    this.draw();
    const first = [...this.form.elements].find(e => this.errors[e.name]);
    (first ?? document.getElementById('payment-token-error') ?? document.getElementById('form-error'))?.focus();
  }

  error(name) {
    const error = this.errors[name];
    return error ? html`<p class="error" id="${idOf(name)}-error">${error}</p>` : '';
  }

  described(name, hint) {
    return [hint && `${idOf(name)}-hint`, this.errors[name] && `${idOf(name)}-error`].filter(Boolean).join(' ') || nothing;
  }

  // payment is how the order is paid; invoice tells whether it may be by one.
  payment(invoice) {
    return html`<section aria-labelledby="payment"><h2 id="payment">${w.payment}</h2>${paymentFields({
      method: this.method, invoice, errors: this.errors,
      choose: method => {
        this.method = method;
        this.draw();
      },
    })}</section>`;
  }

  // closing is what stands below every order: its terms, what is wrong with it,
  // and its button.
  closing(label, terms = true) {
    return html`${terms ? html`<div><label class="tick terms"><input type="checkbox" id="accept_terms" name="accept_terms" required ?disabled=${this.placed}
        .checked=${Boolean(this.draft.accept_terms)} aria-invalid=${Boolean(this.errors.accept_terms)}
        aria-describedby=${this.described('accept_terms')}> ${w.terms}${brand.terms ? html` <a href=${brand.terms} target="_blank" rel="noopener">${t.terms}</a>` : ''}</label>${this.error('accept_terms')}</div>` : ''}
      <p id="form-error" class="error" role="alert" tabindex="-1">${this.message}</p>
      <button id="submit" class="wide" type="submit">${label}</button>`;
  }
}
