// "/account/subscriptions/{id}/change": from the plan as it is to another, at
// the price that the preview says, and at no other.
import { html } from './lit-html/lit-html.js';
import { page } from './account.js';
import { post, read } from './api.js';
import { Commanding, refusal } from './commanding.js';
import { day, money } from './format.js';
import { icon } from './icon.js';
import { cyclesOf, plansOf, settle, typesOf } from './plans.js';
import { t } from './words.js';

const w = t.account;

export const change = (show, id) => page(show, w.change, '/account/subscriptions', (framed, context) => {
  const p = new ChangePage(framed, context);
  p.preview();
  p.resume();
}, () => read(`/v1/subscriptions/${id}`));

class ChangePage extends Commanding {
  constructor(framed, { data, known, nameOf }) {
    super(data.id);
    Object.assign(this, { framed, s: data, nameOf, product: known.find(p => p.id === data.product) });
    if (this.product) this.choice = settle(this.product, { ...data.plan, tier: data.plan.tier ?? '', quantity: data.quantity, currency: data.price.currency });
  }

  get body() {
    const { type, cycle, tier, quantity } = this.choice;
    return { plan: { type, cycle, ...(tier && { tier }) }, quantity };
  }

  get same() {
    return this.choice.plan?.id === this.s.plan.id && this.choice.quantity === this.s.quantity;
  }

  choose(part) {
    Object.assign(this, { choice: settle(this.product, { ...this.choice, ...part }), said: '', wrong: '' });
    this.preview();
  }

  // preview asks what the choice costs. Only the last answer counts.
  async preview() {
    this.asked?.abort();
    this.cost = null;
    this.draw();
    if (!this.product || this.same || !this.s.actions.includes('change')) return;
    const { signal } = this.asked = new AbortController();
    try {
      const { status, body } = await post(`/v1/subscriptions/${this.id}/change/preview`, JSON.stringify(this.body), { signal });
      if (signal.aborted) return;
      if (status === 200) this.cost = body;
      else this.wrong = refusal(body);
    } catch {
      if (signal.aborted) return;
      this.wrong = t.unreachable;
    }
    this.draw();
  }

  confirm() {
    const { cost } = this;
    if (cost) this.press('change', { ...this.body, proration_time: cost.proration_time, expected_amount_due: cost.amount_due.amount });
  }

  async done(c, { subscription: s }) {
    this.s = s;
    if (c.verb === 'change') {
      this.finished = true;
      this.cost = null;
    } else {
      await this.preview();
    }
  }

  async failed(c, { code }) {
    if (c.verb !== 'change') return;
    const { wrong } = this;
    await this.preview(); // a price is good for a while only
    this.wrong = ['preview_expired', 'amount_changed'].includes(code) ? w.refusal[code] : wrong;
  }

  pick(name, label, before, options, chosen) {
    return html`<div class="pick was"><label for=${name}>${label}</label><span class="quiet">${before} <span aria-hidden="true">→</span></span>
      <select id=${name} ?disabled=${this.busy} @change=${e => this.choose({ [name]: e.target.value })}>
        ${options.map(([value, text]) => html`<option value=${value} .selected=${value === chosen}>${text}</option>`)}</select></div>`;
  }

  costs() {
    const p = this.cost;
    if (!p) return html`<p class="row quiet">${this.same ? w.chooseOther : this.wrong ? '' : t.loading}</p>`;
    const row = (key, label, m, sign = '', kind = '') => html`<div class="row ${kind}"><dt>${label}</dt><dd id=${key}>${sign}${money(m)}</dd></div>`;
    return html`<dl>
      ${row('cost-subtotal', t.checkout.subtotal, p.price)}
      ${p.discount.amount ? row('cost-discount', t.checkout.discount, p.discount, '−') : ''}
      ${p.credit.amount ? row('cost-credit', w.credit, p.credit, '−', 'credit') : ''}
      ${p.tax.amount ? row('cost-tax', t.checkout.tax, p.tax) : ''}
      ${row('cost-total', t.checkout.total, p.total)}
      ${p.balance_applied.amount ? row('cost-balance', t.checkout.balance, p.balance_applied, '−') : ''}
      ${row('cost-due', w.dueNow, p.amount_due, '', 'strong')}
      ${p.balance_after.amount ? row('cost-after', w.balanceAfter, p.balance_after) : ''}
      <div class="row"><dt>${w.newPeriod}</dt><dd id="cost-period">${day(p.new_period.start)} – ${day(p.new_period.end)}</dd></div></dl>`;
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
    if (!product || !s.actions.includes('change')) {
      this.framed(title, html`${head}<p class="lead">${w.refusal.not_possible_now}</p>`);
      return;
    }
    const { type, cycle, tier, quantity } = choice;
    const { currency } = s.price;
    const tiers = plansOf(product, { type, cycle, currency }).filter(p => p.tier);
    this.framed(title, html`${head}
      <form class="changing" @submit=${e => { e.preventDefault(); this.confirm(); }} aria-busy=${this.busy}>
        <div class="order">
          <div class="row head"><span class="what">${icon(product, 32)}${this.nameOf(s.product)}</span>${s.last_payment_at ? html`<span class="quiet">${w.lastPayment}: ${day(s.last_payment_at)}</span>` : ''}</div>
          <div class="row picks">
            ${this.pick('cycle', t.checkout.cycle, t.cycle[s.plan.cycle], cyclesOf(product, { type, currency }).map(c => [c, t.cycle[c]]), cycle)}
            ${this.pick('type', t.checkout.type, t.type[s.plan.type], typesOf(product, { currency }).map(x => [x, t.type[x]]), type)}
            ${tiers.length ? this.pick('tier', t.checkout.tier, s.plan.tier ?? '–', tiers.map(p => [p.tier, p.tier]), tier) : ''}
            <div class="pick was"><label for="quantity">${t.checkout.quantity}</label><span class="quiet">${s.quantity} <span aria-hidden="true">→</span></span>
              <input id="quantity" type="number" inputmode="numeric" min="1" max="1000" step="1" required .value=${String(quantity)}
                ?disabled=${this.busy || type === 'users'} @change=${e => { if (e.target.validity.valid) this.choose({ quantity: e.target.value }); }}></div>
          </div>
          <div id="costs" aria-live="polite">${this.costs()}</div>
        </div>
        <button type="submit" id="confirm-change" class="wide" ?disabled=${this.busy || !this.cost}>${this.cost?.amount_due.amount ? w.confirmChange(money(this.cost.amount_due)) : w.confirmFree}</button>
      </form>
      ${this.outcome()}
      ${this.asking === 'payment-method' ? this.card() : ''}`);
  }
}
