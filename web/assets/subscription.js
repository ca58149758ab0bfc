// @ts-check
// "/account/subscriptions/{id}": how it stands, and exactly the buttons that
// the API says are possible.
import { html } from './lit-html/lit-html.js';
import { cardWords, page, planWords, status } from './account.js';
import { read } from './api.js';
import { CommandPage } from './command-page.js';
import { day, minute, money } from './format.js';
import { said } from './history.js';
import { fact } from './rows.js';
import { t, word } from './words.js';
/** @import { CommandResult, Context, PendingCommand, Show, Subscription, SubscriptionEvent } from '../types/pages' */
/** @typedef {{ s: Subscription, events: SubscriptionEvent[] }} Data */

const w = t.account;
/** @param {string} id @returns {Promise<Data>} */
const fetched = async id => {
  const [s, events] = await Promise.all([read(`/v1/subscriptions/${id}`), read(`/v1/subscriptions/${id}/events`)]);
  return { s, events: events.data };
};

/** @param {Show} show @param {string} id */
export const subscription = (show, id) => page(show, w.subscription, '/account/subscriptions', (framed, context) => {
  const p = new SubscriptionPage(framed, context);
  p.draw();
  p.resume();
}, () => fetched(id));

class SubscriptionPage extends CommandPage {
  /** @param {Show} framed @param {Context<Data>} context */
  constructor(framed, { data, nameOf }) {
    super(data.s.id);
    this.framed = framed;
    this.nameOf = nameOf;
    this.s = data.s;
    this.events = data.events;
  }

  async again() {
    try {
      Object.assign(this, await fetched(this.id));
    } catch (error) {
      console.error(error); // what is shown stays
    }
  }

  /** @param {PendingCommand} _c @param {CommandResult} result */
  async done(_c, { subscription: s }) {
    this.s = s;
    await this.again();
  }

  failed() {
    return this.again();
  }

  total() {
    return money({ ...this.s.price, amount: this.s.price.amount * this.s.quantity });
  }

  /**
   * confirming asks before a command, and says what it does.
   * @param {'cancel' | 'money-back' | 'renew'} action
   */
  confirming(action) {
    const { s } = this;
    const end = s.status === 'trialing' ? s.trial_end : s.current_period?.end;
    const what = {
      cancel: () => (['trialing', 'active'].includes(s.status) && end ? w.cancelUntil(minute(end)) : w.cancelNow),
      'money-back': () => w.moneyBackWhat,
      renew: () => (word(w.renewWhat, s.status) ?? w.renewWhat.active)(this.total()),
    }[action];
    return html`<div id="asking" class="asking" role="group" tabindex="-1" aria-labelledby="asking-title">
      <h2 id="asking-title">${w.sure[action]}</h2><p id="asking-what">${what()}</p>${action === 'cancel' ? this.leaving() : ''}
      <p class="buttons"><button type="button" id="confirm-${action}" ?disabled=${this.busy} @click=${() => this.press(action, action === 'cancel' ? this.why : undefined)}>${w.yes[action]}</button>
        <button type="button" class="second" ?disabled=${this.busy} @click=${() => this.keep(action)}>${w.keep}</button></p></div>`;
  }

  // leaving offers less in place of nothing, and asks why; no answer is needed.
  leaving() {
    const { s } = this;
    return html`${s.actions.includes('change') ? html`<p id="instead">${w.cancelInstead} <a href="/account/subscriptions/${s.id}/change?when=period_end">${w.cancelChange}</a></p>` : ''}
      <div class="field"><label for="why">${w.cancelWhy} <span class="quiet">(${t.optional})</span></label>
        <select id="why"><option value=""></option>${Object.entries(w.cancelWhyOf).map(([code, text]) => html`<option value=${code}>${text}</option>`)}</select></div>
      <div class="field"><label for="why-more">${w.cancelMore} <span class="quiet">(${t.optional})</span></label>
        <textarea id="why-more" rows="2" maxlength="400"></textarea></div>`;
  }

  /** why is the reason that was given, as the API takes it. */
  get why() {
    const given = ['why', 'why-more'].map(id => /** @type {HTMLInputElement | null} */ (document.getElementById(id))?.value.trim()).filter(Boolean);
    return given.length ? { reason: given.join(': ') } : {};
  }

  /** @param {string} action */
  button(action) {
    const label = action === 'payment-method' ? (this.s.payment_method ? w.changeCard : w.addPayment) : word(w.action, action);
    return html`<button type="button" id=${action} class=${action === 'renew' ? '' : 'second'} ?disabled=${this.busy}
      @click=${() => (action === 'resume' || action === 'scheduled-change' ? this.press(action) : this.ask(action))}>${label}</button>`;
  }

  draw() {
    const { s, events, asks } = this;
    const confirmed = /** @type {const} */ (['cancel', 'renew', 'money-back']).find(action => action === asks && s.actions.includes(action));
    const card = s.payment_method;
    const commands = s.actions.filter(v => v !== 'change'); // which stands with the plan
    this.framed(`${w.subscription} #${s.number}`, html`
      <p><a href="/account/subscriptions">← ${w.subscriptions}</a></p>
      <h1>${w.subscription} #${s.number}</h1>
      <p class="lead">${w.created(day(s.created_at))}</p>
      ${s.pending_payment?.action_url && !(s.pending_change && s.cancel_at_period_end) ? html`<div class="banner" role="alert"><p>${s.pending_change
        ? w.waitsChange(planWords(s.pending_change), money(s.pending_payment.amount)) : w.waits(money(s.pending_payment.amount))}</p>
        <p><a class="button" id="confirm" href=${s.pending_payment.action_url}>${t.result.confirm}</a></p></div>`
        : s.confirm_by ? html`<div class="banner" id="waits"><p>${w.confirmBy(minute(s.confirm_by))}</p></div>`
        : s.status === 'past_due' ? html`<div class="banner" role="alert"><p>${w.owed(s.number)}</p>${asks || !s.actions.includes('payment-method') ? '' : html`
          <p><button type="button" id="pay" ?disabled=${this.busy} @click=${() => this.ask('payment-method')}>${w.pay}</button></p>`}</div>` : ''}
      ${this.outcome()}
      <dl class="order facts">
        ${fact('status', w.statusLabel, status(s))}
        ${fact('last-payment', w.lastPayment, s.last_payment_at && day(s.last_payment_at))}
        ${fact('next-payment', t.result.next, s.next_payment_at && day(s.next_payment_at))}
        ${fact('period', w.period, s.current_period && html`${day(s.current_period.start)} – ${day(s.current_period.end)}`)}
        ${fact('scheduled', w.scheduled, s.scheduled_change && w.scheduledFor(planWords(s.scheduled_change), day(s.scheduled_change.at)))}
        ${fact('trial-end', w.trialEnd, s.status === 'trialing' && s.trial_end && minute(s.trial_end))}
        ${fact('ends', w.ends, s.cancel_at_period_end && s.current_period && minute(s.current_period.end))}
        ${fact('canceled', w.canceledAt, s.canceled_at && html`${minute(s.canceled_at)}${s.cancel_reason ? `, ${word(w.reason, s.cancel_reason) ?? s.cancel_reason}` : ''}`)}
        ${fact('payment', w.payment, s.collection === 'invoice' ? w.byInvoice : card ? cardWords(card) : w.noCard)}
        ${fact('billing-details', w.billingDetails, ['incomplete', 'incomplete_expired'].includes(s.status) ? '' : html`<a href="/account/subscriptions/${s.id}/billing-details">${w.billingDetailsChange}</a>`)}
        ${fact('purchase-order', w.purchaseOrder, s.purchase_order)}
        ${fact('cost-center', w.costCenter, s.cost_center)}
        ${fact('licensee', t.result.licensee, s.licensee_account)}
        ${fact('license', t.result.license, s.license_id && html`<a href="/account/licenses/${s.license_id}">${w.toLicense}</a>`)}
        ${commands.length ? fact('actions', w.actions, html`<div class="buttons">${commands.map(v => this.button(v))}</div>`) : ''}
      </dl>
      ${asks === 'payment-method' && s.actions.includes(asks) ? this.card() : confirmed ? this.confirming(confirmed) : ''}
      <section><h2>${w.ordered}</h2><div class="order ordered">
        <div class="row"><div><p><a id="product" href="/products/${s.product}">${this.nameOf(s.product)}</a> × <span id="quantity">${s.quantity}</span></p>
          <p class="quiet" id="plan">${planWords({ ...s, quantity: 1 })}</p>
          ${s.actions.includes('change') ? html`<p><a class="button" id="change" href="/account/subscriptions/${this.id}/change">${w.change}</a></p>` : ''}</div>
          <div class="amount" id="price">${money(s.price)} <span class="per">/ ${t.per[s.plan.cycle]}</span></div></div>
        <div class="row strong"><span>${t.checkout.subtotal}</span><span id="subtotal">${this.total()} <span class="per">/ ${t.per[s.plan.cycle]}</span></span></div>
        <p class="row quiet">${w.priceNote}</p></div></section>
      <section><h2>${w.history}</h2><ol class="history" id="history">${[...events].reverse().map(e => html`<li>
        <span class="quiet">${minute(e.at)} · ${word(w.actor, e.kind === 'payment_declined' ? 'bank' : e.actor) ?? e.actor}</span><br>${said(e)}</li>`)}</ol></section>`);
  }
}
