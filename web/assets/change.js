// @ts-check
// "/account/subscriptions/{id}/change": from the plan as it is to another, at
// the price that the preview says, and at no other.
import { html } from './lit-html/lit-html.js';
import { page } from './account.js';
import { post, read } from './api.js';
import { CommandPage, refusal } from './command-page.js';
import { entered, enteredValid, submitted } from './events.js';
import { day, money } from './format.js';
import { icon } from './icon.js';
import { cyclesOf, settle, tiersOf, typesOf } from './plans.js';
import { amount, fact } from './rows.js';
import { t, tierWords } from './words.js';
/** @import { Body, ChangePreview, CommandResult, Context, PendingCommand, Problem, Show, Subscription, Wish } from '../types/pages' */

const w = t.account;

/** @param {Show} show @param {string} id */
export const change = (show, id) => page(show, w.change, '/account/subscriptions', (framed, context) => {
  const p = new ChangePage(framed, context);
  p.preview();
  p.resume();
}, () => read(`/v1/subscriptions/${id}`));

class ChangePage extends CommandPage {
  /** @type {ChangePreview | null} */
  cost = null;
  /** @type {AbortController | null} */
  asked = null;
  finished = false;
  later = new URLSearchParams(location.search).get('when') === 'period_end'; // at the end of what is paid

  /** @param {Show} framed @param {Context<Subscription>} context */
  constructor(framed, { data, known, nameOf }) {
    super(data.id);
    this.framed = framed;
    this.s = data;
    this.nameOf = nameOf;
    this.later &&= this.maySchedule;
    this.product = known.find(p => p.id === data.product);
    this.choice = this.product && settle(this.product, { ...data.plan, tier: data.plan.tier ?? '', quantity: data.quantity, currency: data.price.currency });
  }

  /** @returns {Body<'post', `/v1/subscriptions/${string}/change/preview`> | null} what is chosen */
  get wish() {
    if (!this.choice) return null;
    const { type, cycle, tier, quantity } = this.choice;
    return { plan: { type, cycle, ...(tier && { tier }) }, quantity, when: this.later ? 'period_end' : 'now' };
  }

  get same() {
    return this.choice?.plan.id === this.s.plan.id && this.choice.quantity === this.s.quantity;
  }

  /** @param {Wish} part */
  choose(part) {
    if (this.product) Object.assign(this, { choice: settle(this.product, { ...this.choice, ...part }), said: '', wrong: '' });
    this.preview();
  }

  // A change can wait for the end of what is paid, unless that is over or the
  // subscription ends with it.
  get maySchedule() {
    return ['trialing', 'active'].includes(this.s.status) && !this.s.cancel_at_period_end;
  }

  /** @param {boolean} later */
  at(later) {
    Object.assign(this, { later, said: '', wrong: '' });
    this.preview();
  }

  // preview asks what the choice costs. Only the last answer counts.
  async preview() {
    this.asked?.abort();
    this.cost = null;
    this.draw();
    const { wish } = this;
    if (!wish || this.same || !this.s.actions.includes('change')) return;
    const { signal } = this.asked = new AbortController();
    try {
      const { ok, body } = await post(`/v1/subscriptions/${this.id}/change/preview`, wish, { signal });
      if (signal.aborted) return;
      if (ok) this.cost = body;
      else this.wrong = refusal(body);
    } catch {
      if (signal.aborted) return;
      this.wrong = t.unreachable;
    }
    this.draw();
  }

  confirm() {
    const { cost } = this;
    if (!cost || !this.wish) return;
    /** @type {Body<'post', `/v1/subscriptions/${string}/change`>} */
    const body = { ...this.wish, ...(!this.later && { proration_time: cost.proration_time }), expected_amount_due: cost.amount_due.amount };
    this.press('change', body);
  }

  /** @param {PendingCommand} c @param {CommandResult} result */
  async done(c, { subscription: s }) {
    this.s = s;
    if (c.action === 'change') {
      this.finished = true;
      this.cost = null;
      if (this.later && s.scheduled_change) this.said = w.scheduledDone(day(s.scheduled_change.at));
    } else {
      await this.preview();
    }
  }

  /** @param {PendingCommand} c @param {Partial<Problem>} problem */
  async failed(c, { code }) {
    if (c.action !== 'change') return;
    const { wrong } = this;
    await this.preview(); // a price is good for a while only
    this.wrong = code === 'preview_expired' || code === 'amount_changed' ? w.refusal[code] : wrong;
  }

  /**
   * @param {'cycle' | 'type' | 'tier'} name
   * @param {string} label
   * @param {string} before
   * @param {[value: string, text: string][]} options
   * @param {string | null} chosen
   */
  pick(name, label, before, options, chosen) {
    return html`<div class="pick was"><label for=${name}>${label}</label><span class="quiet">${before} <span aria-hidden="true">→</span></span>
      <select id=${name} ?disabled=${this.busy} @change=${entered(value => this.choose({ [name]: value }))}>
        ${options.map(([value, text]) => html`<option value=${value} .selected=${value === chosen}>${text}</option>`)}</select></div>`;
  }

  costs() {
    const p = this.cost;
    if (!p) return html`<p class="row quiet">${this.same ? w.chooseOther : this.wrong ? '' : t.loading}</p>`;
    return html`<dl>
      ${amount('cost-subtotal', t.checkout.subtotal, p.price)}
      ${p.discount.amount ? amount('cost-discount', t.checkout.discount, p.discount, '−') : ''}
      ${p.credit.amount ? amount('cost-credit', w.credit, p.credit, '−', 'credit') : ''}
      ${p.tax.amount ? amount('cost-tax', t.checkout.tax, p.tax) : ''}
      ${amount('cost-total', t.checkout.total, p.total)}
      ${p.balance_applied.amount ? amount('cost-balance', t.checkout.balance, p.balance_applied, '−') : ''}
      ${amount('cost-due', this.later ? w.dueThen : w.dueNow, p.amount_due, '', 'strong')}
      ${p.balance_after.amount ? amount('cost-after', w.balanceAfter, p.balance_after) : ''}
      ${fact('cost-period', w.newPeriod, `${day(p.new_period.start)} – ${day(p.new_period.end)}`)}</dl>`;
  }

  // whens offers the change now, and at the end of what is paid.
  whens() {
    const end = this.s.next_payment_at ?? this.s.trial_end ?? this.s.current_period?.end;
    if (!this.maySchedule || !end) return '';
    /** @param {string} id @param {boolean} later @param {string} text */
    const option = (id, later, text) => html`<label class="tick"><input type="radio" name="when" id=${id} .checked=${this.later === later}
      ?disabled=${this.busy} @change=${() => this.at(later)}> ${text}</label>`;
    return html`<fieldset class="row methods"><legend>${w.when}</legend>${option('when-now', false, w.whenNow)}${option('when-end', true, w.whenEnd(day(end)))}</fieldset>`;
  }

  draw() {
    const { s, choice, product } = this;
    const back = html`<p><a href="/account/subscriptions/${s.id}">← ${w.subscription} #${s.number}</a></p>`;
    const title = `${w.change} #${s.number}`;
    const head = html`${back}<h1>${w.subscription} #${s.number}</h1><p class="lead">${w.change}</p>`;
    if (this.finished) {
      this.framed(title, html`${head}${this.outcome()}<p><a class="button" id="back" href="/account/subscriptions/${s.id}">${w.toSubscription}</a></p>`);
      return;
    }
    if (!product || !choice || !s.actions.includes('change')) {
      this.framed(title, html`${head}<p class="lead">${w.refusal.not_possible_now}</p>`);
      return;
    }
    const { type, cycle, tier, quantity } = choice;
    const { currency } = s.price;
    const tiers = tiersOf(product, { type, cycle, currency });
    this.framed(title, html`${head}
      <form class="changing" @submit=${submitted(() => this.confirm())} aria-busy=${this.busy}>
        <div class="order">
          <div class="row head"><span class="what">${icon(product, 32)}${this.nameOf(s.product)}</span>${s.last_payment_at ? html`<span class="quiet">${w.lastPayment}: ${day(s.last_payment_at)}</span>` : ''}</div>
          <div class="row picks">
            ${this.pick('cycle', t.checkout.cycle, t.cycle[s.plan.cycle], cyclesOf(product, { type, currency }).map(c => [c, t.cycle[c]]), cycle)}
            ${this.pick('type', t.checkout.type, t.type[s.plan.type], typesOf(product, { currency }).map(x => [x, t.type[x]]), type)}
            ${tiers.length ? this.pick('tier', t.checkout.tier, s.plan.tier ?? '–', tiers.map(x => [x, tierWords(x)]), tier) : ''}
            <div class="pick was"><label for="quantity">${t.checkout.quantity}</label><span class="quiet">${s.quantity} <span aria-hidden="true">→</span></span>
              <input id="quantity" type="number" inputmode="numeric" min="1" max="1000" step="1" required .value=${String(quantity)}
                ?disabled=${this.busy || type === 'users'} @change=${enteredValid(value => this.choose({ quantity: value }))}></div>
          </div>
          ${this.whens()}
          <div id="costs" aria-live="polite">${this.costs()}</div>
        </div>
        <button type="submit" id="confirm-change" class="wide" ?disabled=${this.busy || !this.cost}>${this.later ? w.confirmScheduled : this.cost?.amount_due.amount ? w.confirmChange(money(this.cost.amount_due)) : w.confirmFree}</button>
      </form>
      ${this.outcome()}
      ${this.asks === 'payment-method' ? this.card() : ''}`);
  }
}
