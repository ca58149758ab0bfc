// @ts-check
// "/checkout": the order or the quote, its payment, and what came of it.
// pending-order.js keeps it from being bought twice; here it is only shown.
import { html } from './lit-html/lit-html.js';
import { post, products } from './api.js';
import { likely } from './countries.js';
import { day, money, roundMoney } from './format.js';
import { entered, enteredValid, named, submitted, ticked } from './events.js';
import { idOf, written } from './fields.js';
import { planWords } from './account.js';
import { icon } from './icon.js';
import { loaded } from './loading.js';
import { OrderForm } from './order-form.js';
import { forget, here, kept, prepare, returned, unsettled } from './pending-order.js';
import { address, currenciesOf, cyclesOf, settle, tiersOf, typesOf } from './plans.js';
import { quoted, receipt, result } from './result.js';
import { amount } from './rows.js';
import { me } from './session.js';
import { language, t, tierWords, word } from './words.js';
/** @import { AwayOrder, Body, Bought, DoneOrder, Me, PendingOrder, Preview, Product, Quote, Show, Wish } from '../types/pages' */

const w = t.checkout;

// What has been typed is kept in the tab, so that a reload does not lose it.
const drafts = 'okviz.draft';
/** @returns {Record<string, string> | null} */
const draft = () => JSON.parse(sessionStorage.getItem(drafts) ?? 'null');

/**
 * given leaves out what is empty.
 * @template {object} T
 * @param {T} fields
 * @returns {T}
 */
const given = fields => /** @type {T} */ (Object.fromEntries(Object.entries(fields).map(([field, v]) => [field, typeof v === 'object' ? given(v) : v])
  .filter(([, v]) => v && (typeof v !== 'object' || Object.keys(v).length))));

/** @param {Show} show */
export const checkout = show => {
  const { order: bought, quote: offered, declined } = Object.fromEntries(new URLSearchParams(location.search));
  const order = kept();
  const done = order?.state === 'done' ? order : null;
  const waits = unsettled();
  if (bought && order?.state === 'away' && order.subscription === bought) back(show, order, declined);
  else if (bought && done && isBought(done) && done.result.subscription.id === bought) result(show, done);
  else if (bought) receipt(show, bought);
  else if (offered) quoted(show, done && !isBought(done) && done.result.id === offered ? done : null);
  else if (waits && !waits.at.startsWith('/checkout')) location.replace(waits.at);
  else loaded(show, w.title, () => Promise.all([products(), me()]), ([known, who]) => begin(show, known, who));
};

/** @param {DoneOrder<Bought> | DoneOrder<Quote>} order @returns {order is DoneOrder<Bought>} whether something was bought, and not a quote asked for */
const isBought = order => 'subscription' in order.result;

/**
 * back shows what became of the order whose customer was on the gateway's page.
 * @param {Show} show
 * @param {AwayOrder} away
 * @param {string} declined
 */
const back = async (show, away, declined) => {
  /** @type {Awaited<ReturnType<typeof returned>>} */
  let order = away;
  show(w.title, html`<p class="lead" role="status">${t.loading}</p>`);
  try {
    order = await returned(away, declined);
  } catch (error) {
    console.error(error); // it is shown as it was
  }
  if (order.state === 'declined') {
    location.replace(order.at);
    return;
  }
  if (order.state === 'done') sessionStorage.removeItem(drafts); // terms are accepted anew for every order
  result(show, order);
};

/**
 * begin shows the form of the order that is going on, or else of what the
 * address asks for.
 * @param {Show} show
 * @param {Product[]} known
 * @param {Me | null} who
 */
const begin = (show, known, who) => {
  const order = kept();
  // A declined order waits only where it was placed.
  const goesOn = unsettled() ?? ((order?.state === 'away' || order?.state === 'declined') && order.at === here() ? order : null);
  if (order && !goesOn && order.state !== 'refused') forget();

  const asked = goesOn ? new URL(goesOn.at, location.origin).search : location.search;
  const wish = Object.fromEntries(new URLSearchParams(asked));
  const product = known.find(p => p.id === wish.product && p.plans.length);
  if (product) new Checkout(show, product, wish, who, goesOn).start();
  else show(w.title, html`<h1>${w.title}</h1><p class="lead">${w.nothing}</p><p><a class="button" href="/">${t.product.toAll}</a></p>`);
};

class Checkout extends OrderForm {
  /** @type {Preview | null} */
  preview = null;
  previewFailed = false;
  stale = true;
  /** @type {AbortController | null} */
  asking = null;
  soon = 0;
  filled = ''; // the VAT id that the company's name was taken from

  /**
   * @param {Show} show
   * @param {Product} product
   * @param {Wish & { pay?: string }} wish
   * @param {Me | null} who
   * @param {PendingOrder | null} order the one that is going on
   */
  constructor(show, product, wish, who, order) {
    super('checkout');
    this.show = show;
    this.product = product;
    this.me = who;
    this.order = order;
    this.choice = settle(this.product, wish);
    this.payNow = !this.product.trial || wish.pay === 'now';
    this.quote = wish.pay === 'quote';
    this.draft = draft() ?? { 'billing.country': likely(), 'licensee.same': who?.licensee ? '' : 'on', ...(who && written(who)) };
    this.same = Boolean(this.draft['licensee.same']);
  }

  start() {
    this.total();
    this.resume();
  }

  /**
   * choose changes what is bought, and the address with it.
   * @param {Wish} part
   */
  choose(part) {
    this.choice = settle(this.product, { ...this.choice, ...part });
    this.moved();
  }

  moved() {
    history.replaceState(null, '', address(this.product, this.choice, { pay: this.quote ? 'quote' : this.payNow ? 'now' : 'trial' }));
    this.total();
  }

  /** @param {string} field what is being typed into */
  typed(field) {
    if (this.placed) return; // the order's fields are locked, and so not in its data
    this.draft = this.entered();
    sessionStorage.setItem(drafts, JSON.stringify(this.draft));
    if (this.errors[field]) {
      delete this.errors[field];
      this.draw();
    }
    if (field === 'billing.country') this.total();
  }

  /** @param {string} field what has been left */
  changed(field) {
    if (['billing.vat_id', 'coupon'].includes(field)) this.total();
  }

  // ordered is what is bought, as the API takes it.
  ordered() {
    const { product, choice } = this;
    /** @type {string | null} */
    const coupon = this.value('coupon');
    return {
      product: product.id,
      plan: { type: choice.type, cycle: choice.cycle, ...(choice.tier && { tier: choice.tier }) },
      quantity: choice.quantity,
      currency: choice.currency,
      ...(coupon && { coupon }),
    };
  }

  /** @returns {'now' | 'trial'} */
  get pay() {
    return this.payNow || this.quote ? 'now' : 'trial';
  }

  // total asks what the order comes to, a moment after the last change.
  total() {
    clearTimeout(this.soon);
    this.asking?.abort();
    this.stale = true;
    this.draw();
    this.soon = window.setTimeout(async () => {
      this.asking = new AbortController();
      const { signal } = this.asking;
      if (!this.form) return;
      try {
        await this.price(signal);
      } catch {
        if (signal.aborted) return;
        this.preview = null;
      }
      this.previewFailed = !this.preview;
      if (this.preview?.trial.available === false && !this.payNow) {
        this.payNow = true;
        this.moved();
        return;
      }
      if (!this.preview?.invoice_allowed) this.method = 'card';
      this.stale = false;
      this.draw();
    }, 200);
  }

  // price asks for the totals. A coupon or a VAT number that is not good is told
  // at its field, and the totals are those without it.
  async price(/** @type {AbortSignal} */ signal) {
    const vat = this.value('billing.vat_id');
    /** @type {Body<'post', '/v1/checkout/preview'>} */
    const asked = { ...this.ordered(), pay: this.pay, billing: { country: this.value('billing.country'), vat_id: vat || null } };
    for (const field of ['billing.vat_id', 'coupon']) delete this.errors[field];
    for (;;) {
      const { ok, body } = await post('/v1/checkout/preview', asked, { signal });
      this.preview = ok ? body : null;
      this.vat = ok ? body.vat_check : null;
      if (this.vat?.company && vat !== this.filled) this.fill(vat, this.vat.company);
      const wrong = ok ? undefined : body.errors?.find(({ field }) => ['billing.vat_id', 'coupon'].includes(field) && !this.errors[field]);
      if (ok || !wrong) return;
      this.errors[wrong.field] = word(t.refusal, body.code) ?? wrong.detail;
      if (wrong.field === 'coupon') delete asked.coupon;
      else asked.billing.vat_id = null;
    }
  }

  /**
   * fill writes the company's name for who gave only its VAT id.
   * @param {string} vat
   * @param {string} company
   */
  fill(vat, company) {
    this.filled = vat;
    if (this.placed || this.value('billing.company')) return;
    this.draft = { ...this.entered(), 'billing.company': company.slice(0, 200) };
    sessionStorage.setItem(drafts, JSON.stringify(this.draft));
  }

  /** @returns {Body<'post', '/v1/quotes'> | Body<'post', '/v1/checkout'>} the quote that is asked for, or the order */
  body() {
    const sites = this.value('sites').split(/[\s,;]+/).filter(Boolean);
    const body = {
      ...this.ordered(),
      billing: given({ ...this.person('billing'), ...this.located(), ...this.booked() }),
      ...(!this.same && { licensee: this.person('licensee') }),
      ...(sites.length && { sites }),
      language,
    };
    return this.quote ? body : {
      ...body,
      pay: this.pay,
      ...(this.payNow && { payment: { method: this.method } }),
      accept_terms: Boolean(this.control('accept_terms')?.checked),
    };
  }

  submit() {
    if (this.busy) return;
    if (this.placed) this.again();
    else if (this.check()) {
      this.send(prepare(JSON.stringify(this.body()), here(), { to: this.quote ? '/v1/quotes' : '/v1/checkout' }));
    }
  }

  /** @param {DoneOrder<Bought> | DoneOrder<Quote>} order */
  finished(order) {
    sessionStorage.removeItem(drafts);
    if (isBought(order)) {
      history.replaceState(null, '', `/checkout?order=${order.result.subscription.id}`);
      result(this.show, order);
    } else {
      history.replaceState(null, '', `/checkout?quote=${order.result.id}`);
      quoted(this.show, order);
    }
  }

  startAgain() {
    forget();
    this.order = null;
    this.errors = {};
    this.message = '';
    this.draw();
    document.getElementById('plan-cycle')?.focus();
  }

  /**
   * @param {string} field
   * @param {string} label
   * @param {[value: string, text: string][]} options
   * @param {string | null} chosen
   * @param {(value: string) => void} change
   */
  select(field, label, options, chosen, change) {
    return html`<div class="pick"><label for=${idOf(field)}>${label}</label>
      <select id=${idOf(field)} name=${field} aria-invalid=${Boolean(this.errors[field])} aria-describedby=${this.described(field)}
        @change=${entered(change)}>
        ${options.map(([value, text]) => html`<option value=${value} .selected=${value === chosen}>${text}</option>`)}
      </select>${this.error(field)}</div>`;
  }

  details() {
    return html`
      ${this.me === null ? html`<p>${w.returning} <a href="/login?next=${encodeURIComponent(here())}">${t.login.title}</a></p>` : ''}
      <section aria-labelledby="billing"><h2 id="billing">${w.billing}</h2>
        ${this.contact('billing', true)}${this.country()}${this.folded()}
      </section>
      <section aria-labelledby="licensee"><h2 id="licensee">${w.licensee}</h2>
        <p class="quiet">${w.licenseeLead}</p>
        <label class="tick"><input type="checkbox" id="licensee-same" name="licensee.same" .checked=${this.same}
          @change=${ticked(on => { this.same = on; this.draw(); })}> ${w.same}</label>
        ${this.same ? '' : this.contact('licensee', false)}
      </section>`;
  }

  // folded is what a company needs on its invoice, and others may leave out.
  folded() {
    const used = Object.entries({ ...this.draft, ...this.errors }).some(([field, v]) => v && /^billing\.(company|vat_id|address|purchase_order|cost_center)/.test(field));
    return html`<details class="fold" id="business" ?open=${used}><summary>${w.business}</summary>${this.address()}${this.books()}</details>`;
  }

  // item is what is bought: the product with its selectors.
  item() {
    const { product, choice } = this;
    const { type, cycle, tier, currency, quantity, price: m } = choice;
    const tiers = tiersOf(product, { type, cycle, currency });
    return html`<div class="item">
      <div class="what">${icon(product, 40)}
        <a href="/products/${product.id}">${product.name}</a></div>
      <div class="picks">
        ${this.select('plan.cycle', w.cycle, cyclesOf(product, { type, currency }).map(c => [c, t.cycle[c]]), cycle, c => this.choose({ cycle: c }))}
        ${this.select('plan.type', w.type, typesOf(product, { currency }).map(x => [x, t.type[x]]), type, x => this.choose({ type: x }))}
        ${tiers.length ? this.select('plan.tier', w.tier, tiers.map(x => [x, tierWords(x)]), tier, x => this.choose({ tier: x })) : ''}
        <div class="pick"><label for="quantity">${w.quantity}</label>
          <input id="quantity" name="quantity" type="number" inputmode="numeric" min="1" max="1000" step="1" required .value=${String(quantity)}
            ?disabled=${type === 'users'} aria-invalid=${Boolean(this.errors.quantity)} aria-describedby=${this.described('quantity', type === 'users')}
            @change=${enteredValid(value => this.choose({ quantity: value }))}>${type === 'users' ? html`<p class="hint" id="quantity-hint">${w.quantityNote}</p>` : ''}${this.error('quantity')}</div>
        ${this.select('currency', w.currency, currenciesOf(product, { type }).map(c => [c, c]), currency, c => this.choose({ currency: c }))}
      </div>
      <div class="cost">
        <p><strong id="item-price">${roundMoney({ ...m, amount: m.amount * quantity })}</strong> / ${t.per[cycle]}${this.pay === 'now' ? '' : ` ${w.withTrial}`}</p>
      </div>
      ${this.ways()}
    </div>`;
  }

  // ways are the three ways to go on.
  ways() {
    const way = this.quote ? 'quote' : this.payNow ? 'now' : 'trial';
    /** @param {string} id @param {string} value @param {string} label */
    const one = (id, value, label) => html`<label><input type="radio" name="pay" id=${id} value=${value} .checked=${way === value}
      aria-describedby=${this.described('pay')}
      @change=${() => { Object.assign(this, { quote: value === 'quote', payNow: value !== 'trial' }); delete this.errors.pay; this.moved(); }}><span>${label}</span></label>`;
    return html`<div class="ways"><fieldset class="segments" aria-label=${w.ways}>
        ${this.product.trial ? one('as-trial', 'trial', w.tryFree) : ''}${one('pay', 'now', w.payNow)}${one('as-quote', 'quote', w.quote)}</fieldset>
      ${this.product.trial || this.quote ? '' : html`<p class="hint">${w.payNowOnly}</p>`}${this.error('pay')}</div>`;
  }

  // brief is what is bought, where a phone shows the order far below.
  brief() {
    const { product, choice: { type, tier, cycle, price: m, quantity }, preview } = this;
    return html`<p class="brief panel">${icon(product, 32)}<span><strong>${product.name}</strong><br>
      <span class="quiet">${planWords({ plan: { type, tier, cycle }, quantity })}</span></span>
      <span class="sum"><strong id="brief-price">${preview ? money(preview.amount_due) : roundMoney({ ...m, amount: m.amount * quantity })}</strong><br><a href="#order">${w.edit}</a></span></p>`;
  }

  sites() {
    const error = this.errors.sites;
    return html`<div class="field"><label for="sites">${w.sites} <span class="quiet">(${t.optional})</span></label>
      <textarea id="sites" name="sites" rows="3" spellcheck="false" autocapitalize="off" .value=${this.draft.sites ?? ''}
        aria-invalid=${Boolean(error)} aria-describedby=${this.described('sites', true)}></textarea>
      <p class="hint" id="sites-hint">${w.sitesHint}</p>${this.error('sites')}</div>`;
  }

  totals() {
    const p = this.preview;
    if (!p) {
      return this.previewFailed
        ? html`<div class="row"><p>${w.totalsFailed} <button type="button" class="link" @click=${() => this.total()}>${t.again}</button></p></div>`
        : html`<div class="row quiet">${t.loading}</div>`;
    }
    return html`<dl>
      ${amount('total-subtotal', w.subtotal, p.subtotal)}
      ${p.discount.amount ? amount('total-discount', w.discount, p.discount, '−') : ''}
      ${p.tax.amount || p.tax_note ? amount('total-tax', w.tax, p.tax) : ''}
      ${p.balance_applied.amount ? amount('total-balance', w.balance, p.balance_applied, '−') : ''}
      ${amount('total-due', w.total, p.amount_due, '', 'strong')}</dl>
      ${p.tax_note ? html`<p class="row hint" id="tax-note">${p.tax_note}</p>` : ''}
      <h3>${w.recurring}</h3>
      <dl><div class="row strong"><dt>${w.recurringTotal}
          ${this.pay === 'trial' ? '' : html`<p class="hint" id="first-renewal">${w.firstRenewal(day(p.recurring.first_renewal))}</p>`}</dt>
        <dd><span id="recurring-total">${money(p.recurring.total)}</span> <span class="per">/ ${word(t.per, p.recurring.cycle)}</span></dd></div></dl>
      ${this.pay === 'now' || !p.trial.until ? '' : html`<p class="row hint" id="trial-note">${w.trialEnds(day(p.trial.until))}</p>`}`;
  }

  coupon() {
    return html`<details class="fold" ?open=${Boolean(this.draft.coupon || this.errors.coupon)}><summary>${w.haveCoupon}</summary><div class="field"><label for="coupon">${w.coupon}</label>
      <input id="coupon" name="coupon" maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="characters" .value=${this.draft.coupon ?? ''}
        aria-invalid=${Boolean(this.errors.coupon)} aria-describedby=${this.described('coupon')}
        @keydown=${(/** @type {KeyboardEvent} */ e) => { if (e.key === 'Enter') { e.preventDefault(); this.total(); } }}>${this.error('coupon')}</div></details>`;
  }

  draw() {
    if (this.order?.state === 'done') return;
    const { placed, quote } = this;
    const locked = this.busy || placed;
    const due = this.preview?.amount_due;
    const label = placed ? w.payWith : quote ? w.mailQuote : !this.payNow ? w.startTrial : due && this.method === 'card' ? w.pay(money(due)) : w.buy;
    this.show(w.title, html`<h1>${w.title}</h1>
      <form id="checkout" class="checkout" novalidate autocomplete="on" aria-busy=${this.busy}
        @submit=${submitted(() => this.submit())} @input=${named(field => this.typed(field))} @change=${named(field => this.changed(field))}>
        ${this.brief()}
        <fieldset class="plain" ?disabled=${locked}>${this.details()}</fieldset>
        <div class="side">
          <fieldset class="plain" ?disabled=${locked}>
            <h2 id="order">${w.order}</h2>
            <div class="order">
              <div class="row head" aria-hidden="true"><span>${w.item}</span><span>${w.subtotal}</span></div>
              ${this.item()}<div id="totals" aria-live="polite" aria-busy=${this.stale}>${this.totals()}</div>
            </div>
            ${this.coupon()}
            ${this.choice.type === 'site' ? this.sites() : ''}
          </fieldset>
          <fieldset class="plain" ?disabled=${this.busy}>
            ${quote ? html`<p id="quote-note">${w.quoteNote}</p>` : this.payNow ? this.payment(!placed && Boolean(this.preview?.invoice_allowed)) : ''}
            ${this.accepting(!quote)}
            ${placed ? html`<button id="change-order" class="link" type="button" @click=${() => this.startAgain()}>${w.change}</button>` : ''}
          </fieldset>
        </div>
        <div class="paybar"><p id="status" role="status">${this.status}</p>
          <fieldset ?disabled=${this.busy}>${this.button(label)}</fieldset></div>
      </form>`);
  }
}
