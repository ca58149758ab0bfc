// @ts-check
// "/quotes/{id}": what a mailed quote offers, and its acceptance. The token that
// opens it stands in the address's fragment, which is sent to no server. The
// customer who asked for the quote may sign in instead.
import { html } from './lit-html/lit-html.js';
import { planWords } from './account.js';
import { NotRead, download, products, read } from './api.js';
import { submitted } from './events.js';
import { day, minute, money } from './format.js';
import { loaded } from './loading.js';
import { OrderForm } from './order-form.js';
import { forget, here, kept, prepare, unsettled } from './pending-order.js';
import { address } from './plans.js';
import { result } from './result.js';
import { amount, fact } from './rows.js';
import { t, word } from './words.js';
/** @import { Body, Bought, DoneOrder, Product, Quote, Show } from '../types/pages' */

const w = t.quote;

/** @param {Show} show @param {string} id */
export const quote = (show, id) => {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined;
  const waits = unsettled();
  if (waits && waits.at !== here()) {
    location.replace(waits.at);
    return;
  }
  loaded(show, w.title, async () => {
    try {
      const [q, known] = await Promise.all([read(`/v1/quotes/${id}`, { token }), products()]);
      return { q, product: known.find(p => p.id === q.product) };
    } catch (error) {
      if (token && error instanceof NotRead && error.status === 409) return error.code;
      if (token && error instanceof NotRead && [401, 403].includes(error.status)) error.status = 404; // signing in would not help
      throw error;
    }
  }, data => typeof data === 'object' ? new QuotePage(show, token, data) : closed(show, data === 'quote_accepted'));
};

/** closed is a quote that its token opens no longer. @param {Show} show @param {boolean} accepted */
const closed = (show, accepted) => show(w.title, html`<h1>${w.title}</h1>
  <p class="lead" id="quote-status">${accepted ? w.accepted : w.expired}</p>
  ${accepted ? html`<p><a class="button" id="to-subscription" href="/account">${w.toSubscription}</a></p>` : ''}`);

class QuotePage extends OrderForm {
  /** @param {Show} show @param {string | undefined} token @param {{ q: Quote, product: Product | undefined }} data */
  constructor(show, token, { q, product }) {
    super('accept');
    this.show = show;
    this.token = token;
    this.q = q;
    this.product = product;
    const order = kept();
    if (order?.at === here() && ['sent', 'paying', 'away', 'declined'].includes(order.state)) this.order = order;
    else if (order?.state === 'done') forget();
    this.draw();
    this.resume();
  }

  submit() {
    if (this.busy) return;
    if (this.placed) {
      this.again();
      return;
    }
    this.draft = this.entered();
    if (!this.check()) return;
    /** @type {Body<'post', `/v1/quotes/${string}/accept`>} */
    const acceptance = { payment: { method: this.method }, accept_terms: Boolean(this.draft.accept_terms) };
    const body = JSON.stringify(acceptance);
    this.send(prepare(body, here(), { to: `/v1/quotes/${this.q.id}/accept`, holder: this.token }));
  }

  /** @param {DoneOrder<Bought>} order */
  finished(order) {
    history.replaceState(null, '', `/checkout?order=${order.result.subscription.id}`);
    result(this.show, order);
  }

  async pdf() {
    this.message = '';
    try {
      await download(`/v1/quotes/${this.q.id}/pdf`, { token: this.token });
    } catch {
      this.message = t.unreachable;
    }
    this.draw();
  }

  bill() {
    const { q } = this;
    return html`<dl>
        ${q.lines.map(l => html`<div class="row"><dt>${l.description}</dt><dd>${money(l.amount)}</dd></div>`)}
        ${q.discount.amount ? amount('quote-discount', t.checkout.discount, q.discount, '−') : ''}
        ${q.tax.amount || q.tax_note ? amount('quote-tax', t.checkout.tax, q.tax) : ''}
        ${amount('quote-total', t.checkout.total, q.total, '', 'strong')}
        ${fact('quote-recurring', t.checkout.recurringTotal, html`${money(q.recurring.total)} <span class="per">/ ${word(t.per, q.recurring.cycle)}</span>`)}</dl>
      ${q.tax_note ? html`<p class="row hint" id="tax-note">${q.tax_note}</p>` : ''}`;
  }

  // acceptance is the form of an open quote, and of one whose card was declined.
  acceptance() {
    return html`<form id="accept" class="narrow" novalidate aria-busy=${this.busy} @submit=${submitted(() => this.submit())}>
      <fieldset class="plain" ?disabled=${this.busy}>${this.payment(!this.placed && this.q.invoice_allowed)}
        ${this.accepting()}
        ${this.button(this.placed ? t.checkout.payWith : this.method === 'card' ? t.checkout.pay(money(this.q.total)) : t.checkout.buy)}</fieldset>
      <p id="status" role="status">${this.status}</p></form>`;
  }

  draw() {
    if (this.order?.state === 'done') return;
    const { q, product } = this;
    const { type, tier, cycle } = q.plan;
    const open = q.status === 'open' || this.order;
    const choice = { type, tier, cycle, quantity: q.quantity, currency: q.currency };
    this.show(`${w.title} ${q.number}`, html`<h1>${w.title} ${q.number}</h1>
      <p class="lead" id="quote-status">${open ? w.open(minute(q.expires_at)) : w[q.status]}</p>
      <div class="quote">
        <div><div class="order"><div class="row head"><span>${product?.name ?? q.product}</span>
            <span class="quiet">${planWords(q)}</span></div>
          ${this.bill()}</div>
          <p class="hint">${w.made(day(q.created_at))}</p>
          <p><button type="button" class="second" id="pdf" @click=${() => this.pdf()}>${t.account.pdf}</button></p></div>
        ${open ? this.acceptance()
          : html`<div><p id="form-error" class="error" role="alert">${this.message}</p>
            ${q.status === 'accepted' ? html`<p><a class="button" id="to-subscription" href="/account/subscriptions/${q.subscription_id}">${w.toSubscription}</a></p>`
              : product ? html`<p><a class="button" id="again" href=${address(product, choice, { pay: 'quote' })}>${w.again}</a></p>` : ''}</div>`}
      </div>`);
  }
}
