// "/checkout": the order or the quote, its payment, and what came of it.
// order.js keeps it from being bought twice; here it is only shown.
import { html } from './lit-html/lit-html.js';
import { patch, post, products } from './api.js';
import { likely } from './countries.js';
import { day, money, roundMoney } from './format.js';
import { idOf, written } from './fields.js';
import { icon } from './icon.js';
import { loaded } from './loading.js';
import { forget, here, kept, prepare, returned, unsettled } from './order.js';
import { Ordering } from './ordering.js';
import { address, currenciesOf, cyclesOf, plansOf, priceIn, settle, typesOf } from './plans.js';
import { quoted, result } from './result.js';
import { me } from './session.js';
import { t } from './words.js';

const w = t.checkout;

// What has been typed is kept in the tab, so that a reload does not lose it.
const drafts = 'okviz.draft';
const draft = () => JSON.parse(sessionStorage.getItem(drafts));

// given leaves out what is empty.
const given = fields => Object.fromEntries(Object.entries(fields).map(([name, v]) => [name, typeof v === 'object' ? given(v) : v])
  .filter(([, v]) => v && (typeof v !== 'object' || Object.keys(v).length)));

export const checkout = show => {
  const { order, quote, declined } = Object.fromEntries(new URLSearchParams(location.search));
  const done = kept()?.state === 'done' ? kept() : null;
  const waits = unsettled();
  if (order && kept()?.state === 'away' && kept().subscription === order) back(show, declined);
  else if (order) result(show, done?.result.subscription?.id === order ? done : null);
  else if (quote) quoted(show, done?.result.id === quote ? done : null);
  else if (waits && !waits.at.startsWith('/checkout')) location.replace(waits.at);
  else loaded(show, w.title, () => Promise.all([products(), me()]), ([known, who]) => new Checkout(show, known, who));
};

// back shows what became of the order whose customer was on the gateway's page.
const back = async (show, declined) => {
  let order = kept();
  show(w.title, html`<p class="lead" role="status">${t.loading}</p>`);
  try {
    order = await returned(order, declined);
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

class Checkout extends Ordering {
  constructor(show, known, who) {
    super();
    this.me = who;
    const order = kept();
    // A declined order waits only where it was placed.
    this.order = unsettled() ?? (['away', 'declined'].includes(order?.state) && order.at === here() ? order : null);
    if (order?.state === 'done' || order && !this.order && order.state !== 'refused') forget();

    const asked = this.order ? new URL(this.order.at, location.origin).search : location.search;
    const wish = Object.fromEntries(new URLSearchParams(asked));
    this.show = show;
    this.product = known.find(p => p.id === wish.product && p.plans.length);
    if (!this.product) {
      show(w.title, html`<h1>${w.title}</h1><p class="lead">${w.nothing}</p><p><a class="button" href="/">${t.product.toAll}</a></p>`);
      return;
    }
    this.choice = settle(this.product, wish);
    this.payNow = !this.product.trial || wish.pay === 'now';
    this.quote = wish.pay === 'quote';
    this.draft = draft() ?? { 'billing.country': likely(), 'licensee.same': who?.licensee ? '' : 'on', ...(who && written(who)) };
    this.same = Boolean(this.draft['licensee.same']);
    this.total();
    this.resume();
  }

  get form() {
    return document.getElementById('checkout');
  }

  // choose changes what is bought, and the address with it.
  choose(part) {
    this.choice = settle(this.product, { ...this.choice, ...part });
    this.moved();
  }

  moved() {
    history.replaceState(null, '', address(this.product, this.choice, { pay: this.quote ? 'quote' : this.payNow ? 'now' : 'trial' }));
    this.total();
  }

  typed(event) {
    if (this.placed) return; // the order's fields are locked, and so not in its data
    const fields = Object.fromEntries(new FormData(this.form));
    delete fields['payment.token'];
    this.draft = fields;
    sessionStorage.setItem(drafts, JSON.stringify(fields));
    if (this.errors[event.target.name]) {
      delete this.errors[event.target.name];
      this.draw();
    }
    if (event.target.name === 'billing.country') this.total();
  }

  // changed is told of a field that has been left.
  changed({ target: { name } }) {
    if (['billing.vat_id', 'coupon'].includes(name)) this.total();
  }

  ordered() {
    const { product, choice } = this;
    const coupon = this.value('coupon');
    return {
      product: product.id,
      plan: { type: choice.type, cycle: choice.cycle, ...(choice.tier && { tier: choice.tier }) },
      quantity: choice.quantity,
      currency: choice.currency,
      ...(coupon && { coupon }),
    };
  }

  get pay() {
    return this.payNow || this.quote ? 'now' : 'trial';
  }

  // total asks what the order comes to, a moment after the last change.
  total() {
    clearTimeout(this.soon);
    this.asking?.abort();
    this.stale = true;
    this.draw();
    this.soon = setTimeout(async () => {
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
  async price(signal) {
    const vat = this.value('billing.vat_id');
    const asked = { ...this.ordered(), pay: this.pay, billing: { country: this.value('billing.country'), vat_id: vat || null } };
    for (const name of ['billing.vat_id', 'coupon']) delete this.errors[name];
    for (;;) {
      const { status, body } = await post('/v1/checkout/preview', JSON.stringify(asked), { signal });
      this.preview = status === 200 ? body : null;
      const wrong = body.errors?.map(e => e.field).find(name => ['billing.vat_id', 'coupon'].includes(name) && !this.errors[name]);
      if (this.preview || !wrong) return;
      this.errors[wrong] = t.refusal[body.code] ?? body.errors[0].detail;
      if (wrong === 'coupon') delete asked.coupon;
      else asked.billing.vat_id = null;
    }
  }

  // body is the order as the API takes it.
  body() {
    const sites = this.value('sites').split(/[\s,;]+/).filter(Boolean);
    return JSON.stringify({
      ...this.ordered(),
      billing: given({ ...this.person('billing'), ...this.located() }),
      ...(!this.same && { licensee: this.person('licensee') }),
      ...(sites.length && { sites }),
      ...(!this.quote && {
        pay: this.pay,
        ...(this.payNow && { payment: { method: this.method } }),
        accept_terms: this.form.elements.namedItem('accept_terms').checked,
      }),
    });
  }

  submit(event) {
    event.preventDefault();
    if (this.busy) return;
    if (this.placed) this.again();
    else if (this.check()) {
      const body = this.body();
      this.remember(JSON.parse(body));
      this.send(prepare(body, here(), { to: this.quote ? '/v1/quotes' : '/v1/checkout' }));
    }
  }

  finished(order) {
    sessionStorage.removeItem(drafts);
    const { result: { subscription, id } } = order;
    history.replaceState(null, '', subscription ? `/checkout?order=${subscription.id}` : `/checkout?quote=${id}`);
    (subscription ? result : quoted)(this.show, order);
  }

  // remember has the details of a first order written down for later ones. It
  // does so as the order is sent: the gateway's page may come next.
  remember({ billing: { email, ...details }, licensee }) {
    if (this.me?.email !== email.toLowerCase() || this.me.name) return;
    patch('/v1/me', JSON.stringify({ ...details, ...(licensee && { licensee }) })).catch(console.error);
  }

  startAgain() {
    forget();
    this.order = null;
    this.errors = {};
    this.message = '';
    this.draw();
    document.getElementById('plan-cycle').focus();
  }

  select(name, label, options, chosen, change) {
    return html`<div class="pick"><label for=${idOf(name)}>${label}</label>
      <select id=${idOf(name)} name=${name} aria-invalid=${Boolean(this.errors[name])} aria-describedby=${this.described(name)}
        @change=${e => change?.(e.target.value)}>
        ${options.map(([value, text]) => html`<option value=${value} .selected=${value === chosen}>${text}</option>`)}
      </select>${this.error(name)}</div>`;
  }

  details() {
    return html`
      ${this.me === null ? html`<p>${w.returning} <a href="/login?next=${encodeURIComponent(here())}">${t.login.title}</a></p>` : ''}
      <section aria-labelledby="billing"><h2 id="billing">${w.billing}</h2>
        ${this.contact('billing', true)}${this.address()}
      </section>
      <section aria-labelledby="licensee"><h2 id="licensee">${w.licensee}</h2>
        <p class="quiet">${w.licenseeLead}</p>
        <label class="tick"><input type="checkbox" id="licensee-same" name="licensee.same" .checked=${this.same}
          @change=${e => { this.same = e.target.checked; this.draw(); }}> ${w.same}</label>
        ${this.same ? '' : this.contact('licensee', false)}
      </section>`;
  }

  // item is what is bought: the product with its selectors.
  item() {
    const { product, choice, payNow } = this;
    const { type, cycle, tier, currency, quantity, plan } = choice;
    const m = priceIn(plan, currency);
    const tiers = plansOf(product, { type, cycle, currency }).filter(p => p.tier);
    return html`<div class="item">
      <div class="what">${icon(product, 40)}
        <a href="/products/${product.id}">${product.name}</a></div>
      <div class="picks">
        ${this.select('plan.cycle', w.cycle, cyclesOf(product, { type, currency }).map(c => [c, t.cycle[c]]), cycle, c => this.choose({ cycle: c }))}
        ${this.select('plan.type', w.type, typesOf(product, { currency }).map(x => [x, t.type[x]]), type, x => this.choose({ type: x }))}
        ${tiers.length ? this.select('plan.tier', w.tier, tiers.map(p => [p.tier, p.tier]), tier, x => this.choose({ tier: x })) : ''}
        <div class="pick"><label for="quantity">${w.quantity}</label>
          <input id="quantity" name="quantity" type="number" inputmode="numeric" min="1" max="1000" step="1" required .value=${String(quantity)}
            ?disabled=${type === 'users'} aria-invalid=${Boolean(this.errors.quantity)} aria-describedby=${this.described('quantity')}
            @change=${e => { if (e.target.validity.valid) this.choose({ quantity: e.target.value }); }}>${this.error('quantity')}</div>
        ${this.select('currency', w.currency, currenciesOf(product, { type }).map(c => [c, c]), currency, c => this.choose({ currency: c }))}
      </div>
      <div class="cost">
        <p><strong id="item-price">${roundMoney({ ...m, amount: m.amount * quantity })}</strong> / ${t.per[cycle]}${this.pay === 'now' ? '' : ` ${w.withTrial}`}</p>
        ${this.quote ? '' : html`<label class="switch"><input type="checkbox" role="switch" id="pay" name="pay" value="now" .checked=${payNow} ?disabled=${!product.trial}
          aria-invalid=${Boolean(this.errors.pay)} aria-describedby=${this.described('pay')}
          @change=${e => { this.payNow = e.target.checked; delete this.errors.pay; this.moved(); }}><span></span>${w.payNow}</label>`}
        ${product.trial || this.quote ? '' : html`<p class="hint">${w.payNowOnly}</p>`}${this.error('pay')}
        <label class="switch"><input type="checkbox" role="switch" id="as-quote" .checked=${this.quote}
          @change=${e => { this.quote = e.target.checked; delete this.errors.pay; this.moved(); }}><span></span>${w.quote}</label>
      </div>
    </div>`;
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
    const row = (id, label, m, sign = '') => html`<div class="row"><dt>${label}</dt><dd id=${id}>${sign}${money(m)}</dd></div>`;
    return html`<dl>
      ${row('total-subtotal', w.subtotal, p.subtotal)}
      ${p.discount.amount ? row('total-discount', w.discount, p.discount, '−') : ''}
      ${p.tax.amount || p.tax_note ? row('total-tax', w.tax, p.tax) : ''}
      ${p.balance_applied.amount ? row('total-balance', w.balance, p.balance_applied, '−') : ''}
      <div class="row strong"><dt>${w.total}</dt><dd id="total-due">${money(p.amount_due)}</dd></div></dl>
      ${p.tax_note ? html`<p class="row hint" id="tax-note" lang="en">${p.tax_note}</p>` : ''}
      <h3>${w.recurring}</h3>
      <dl><div class="row strong"><dt>${w.recurringTotal}
          <p class="hint" id="first-renewal">${w.firstRenewal(day(p.recurring.first_renewal))}</p></dt>
        <dd><span id="recurring-total">${money(p.recurring.total)}</span> <span class="per">/ ${t.per[p.recurring.cycle]}</span></dd></div></dl>
      ${this.pay === 'now' || !p.trial.until ? '' : html`<p class="row hint" id="trial-note">${w.trialEnds(day(p.trial.until))}</p>`}`;
  }

  coupon() {
    return html`<div class="field"><label for="coupon">${w.coupon} <span class="quiet">(${t.optional})</span></label>
      <input id="coupon" name="coupon" maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="characters" .value=${this.draft.coupon ?? ''}
        aria-invalid=${Boolean(this.errors.coupon)} aria-describedby=${this.described('coupon')}
        @keydown=${e => { if (e.key === 'Enter') { e.preventDefault(); this.total(); } }}>${this.error('coupon')}</div>`;
  }

  draw() {
    if (this.order?.state === 'done') return;
    const { placed, quote } = this;
    const locked = this.busy || placed;
    const due = this.preview?.amount_due;
    const label = placed ? w.payWith : quote ? w.mailQuote : !this.payNow ? w.startTrial : due && this.method === 'card' ? w.pay(money(due)) : w.buy;
    this.show(w.title, html`<h1>${w.title}</h1>
      <form id="checkout" class="checkout" novalidate autocomplete="on" aria-busy=${this.busy}
        @submit=${e => this.submit(e)} @input=${e => this.typed(e)} @change=${e => this.changed(e)}>
        <fieldset class="plain" ?disabled=${locked}>${this.details()}</fieldset>
        <div class="side">
          <fieldset class="plain" ?disabled=${locked}>
            <h2>${w.order}</h2>
            <div class="order">
              <div class="row head" aria-hidden="true"><span>${w.item}</span><span>${w.subtotal}</span></div>
              ${this.item()}<div id="totals" aria-live="polite" aria-busy=${this.stale}>${this.totals()}</div>
            </div>
            ${this.coupon()}
            ${this.choice.type === 'site' ? this.sites() : ''}
          </fieldset>
          <fieldset class="plain" ?disabled=${this.busy}>
            ${quote ? html`<p id="quote-note">${w.quoteNote}</p>` : this.payNow ? this.payment(!placed && this.preview?.invoice_allowed) : ''}
            ${this.closing(label, !quote)}
            ${placed ? html`<button id="change-order" class="link" type="button" @click=${() => this.startAgain()}>${w.change}</button>` : ''}
          </fieldset>
          <p id="status" role="status">${this.status}</p>
        </div>
      </form>`);
  }
}
