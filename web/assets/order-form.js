// @ts-check
// What the pages that place an order share: it is sent, declined, refused or
// done, with errors at their fields. pending-order.js keeps it from being bought twice.
import brand from '/brand/brand.js';
import { html } from './lit-html/lit-html.js';
import { Fields } from './fields.js';
import { declined, paymentFields } from './payment.js';
import { leave } from './payment-page.js';
import { finish, prepareCard } from './pending-order.js';
import { t, word } from './words.js';
/** @import { Bought, DoneOrder, PayingOrder, PendingOrder, Problem, Quote, SentOrder } from '../types/pages' */

const w = t.checkout;

/**
 * fieldOf is the field on the page that the API means by a name of its own.
 * @param {string} name
 */
const fieldOf = name => word({ plan: 'plan.tier', payment: 'payment.token' }, name) ?? name.replace(/\[\d+\].*$/, '');

export class OrderForm extends Fields {
  status = ''; // while the order is carried out
  /** @type {'card' | 'invoice'} */
  method = 'card';
  /** @type {PendingOrder | null} */
  order = null;

  // resume goes on with an order that was placed before the page was left.
  resume() {
    if (this.order?.state === 'declined') this.decline(this.order.decline);
    else if (this.order?.state === 'sent' || this.order?.state === 'paying') this.send(this.order);
  }

  // again has a card given for an order that was placed and is not paid.
  again() {
    const { order } = this;
    if (order?.state === 'away') leave(order.action);
    else if (order?.state === 'declined' || order?.state === 'paying') this.send(prepareCard(order));
  }

  get placed() {
    return ['away', 'declined', 'paying'].includes(this.order?.state ?? '');
  }

  /**
   * finished is for each form to define: what follows when the order is done.
   * @param {DoneOrder<Bought> | DoneOrder<Quote>} _order
   */
  finished(_order) {}

  /**
   * send has an order carried out.
   * @param {SentOrder | PayingOrder} order
   */
  async send(order) {
    Object.assign(this, { order, busy: true, errors: {}, message: '', status: w.sending });
    this.draw();
    const { order: now, problem = {} } = await finish(order, why => {
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

  /** @param {string} [code] */
  decline(code) {
    this.method = 'card';
    this.errors = { 'payment.token': declined(code) };
    this.wrong('');
  }

  /** @param {Partial<Problem>} problem */
  refuse(problem) {
    const own = word(t.refusal, problem.code);
    const elsewhere = [];
    for (const { field, detail } of problem.errors ?? []) {
      const name = fieldOf(field);
      if (this.control(name)) this.errors[name] = own ?? word(t.field, name) ?? detail;
      else elsewhere.push(own ?? detail);
    }
    if (['trial_already_used', 'trial_not_offered'].includes(problem.code ?? '')) this.errors = { pay: own };
    else if (own && !problem.errors?.length) elsewhere.push(own);
    this.wrong(elsewhere.join(' ') || (Object.keys(this.errors).length ? w.wrong : problem.detail ?? t.refusal.other));
  }

  /**
   * payment is how the order is paid.
   * @param {boolean} invoice whether it may be by one
   */
  payment(invoice) {
    return html`<section aria-labelledby="payment"><h2 id="payment">${w.payment}</h2>${paymentFields({
      method: this.method, invoice, errors: this.errors,
      choose: method => {
        this.method = method;
        this.draw();
      },
    })}</section>`;
  }

  /**
   * accepting is what stands below every order: its terms, and what is wrong with
   * it.
   */
  accepting(terms = true) {
    return html`${terms ? html`<div><label class="tick terms"><input type="checkbox" id="accept_terms" name="accept_terms" required ?disabled=${this.placed}
        .checked=${Boolean(this.placed || this.draft.accept_terms)} aria-invalid=${Boolean(this.errors.accept_terms)}
        aria-describedby=${this.described('accept_terms')}> ${w.terms}${brand.terms ? html` <a href=${brand.terms} target="_blank" rel="noopener">${t.terms}</a>` : ''}</label>${this.error('accept_terms')}</div>` : ''}
      <p id="form-error" class="error" role="alert" tabindex="-1">${this.message}</p>`;
  }

  /** @param {string} label */
  button(label) {
    return html`<button id="submit" class="wide" type="submit">${label}</button>`;
  }
}
