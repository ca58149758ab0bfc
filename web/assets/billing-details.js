// @ts-check
// "/account/subscriptions/{id}/billing-details": whom the next documents are
// addressed to. The page says what they come to before it saves.
import { html } from './lit-html/lit-html.js';
import { page } from './account.js';
import { post, put, read } from './api.js';
import { submitted } from './events.js';
import { Fields, written } from './fields.js';
import { amount } from './rows.js';
import { t, word } from './words.js';
/** @import { BillingDetails, NextDocument, Problem, Show, Subscription } from '../types/pages' */

const w = t.account;
/** @typedef {{ s: Subscription, details: BillingDetails }} Data */

/** @param {string} id @returns {Promise<Data>} */
const fetched = async id => {
  const [s, details] = await Promise.all([read(`/v1/subscriptions/${id}`), read(`/v1/subscriptions/${id}/billing-details`)]);
  return { s, details };
};

/** @param {Show} show @param {string} id */
export const billingDetails = (show, id) => page(show, w.billingDetails, '/account/subscriptions',
  (framed, { data }) => new DetailsPage(framed, data).draw(), () => fetched(id));

class DetailsPage extends Fields {
  said = '';
  /** @type {NextDocument | null} */
  next = null;

  /** @param {Show} framed @param {Data} data */
  constructor(framed, { s, details: d }) {
    super('billing-details');
    this.framed = framed;
    this.s = s;
    this.vat = d.vat_check;
    const { name, company = '', country, vat_id: vat, address = {} } = d;
    /** @type {Record<string, string>} */
    this.draft = {
      ...written({ email: '', language: d.language ?? 'en', licensee: null, name, company, country, vat_id: vat ?? '', address }),
      'billing.cc': (d.cc ?? []).join(', '), 'billing.purchase_order': d.purchase_order ?? '', 'billing.cost_center': d.cost_center ?? '',
    };
  }

  get wish() {
    return {
      name: this.value('billing.name'), ...this.located(), cc: this.value('billing.cc').split(/[\s,;]+/).filter(Boolean),
      ...this.booked(), language: /** @type {BillingDetails['language']} */ (this.value('billing.language')),
    };
  }

  /** @param {Partial<Problem>} problem */
  refuse({ code, detail, errors = [] }) {
    this.message = errors.length ? t.checkout.wrong : word(w.refusal, code) ?? detail ?? w.refusal.other;
    for (const { field, detail: why } of errors) this.errors[`billing.${field}`] = word(t.refusal, code) ?? word(t.field, `billing.${field}`) ?? why;
  }

  /** @param {boolean} save or else only look what it comes to */
  async submit(save) {
    this.said = '';
    if (this.busy || !this.check()) return;
    const { wish } = this;
    this.draft = this.entered();
    Object.assign(this, { busy: true, message: '', next: save ? this.next : null });
    this.draw();
    const at = /** @type {const} */ (`/v1/subscriptions/${this.s.id}/billing-details`);
    try {
      if (save) {
        const { ok, body } = await put(at, wish);
        if (ok) this.said = w.saved;
        else this.refuse(body);
      } else {
        const { ok, body } = await post(`${at}/preview`, wish);
        if (ok) this.next = body;
        else this.refuse(body);
      }
    } catch {
      this.message = t.unreachable;
    }
    this.busy = false;
    if (this.message) this.wrong(this.message);
    else this.draw();
  }

  draw() {
    const { s, next: n } = this;
    this.framed(w.billingDetails, html`<p><a href="/account/subscriptions/${s.id}">← ${w.subscription} #${s.number}</a></p>
      <h1>${w.billingDetails}</h1><p class="lead">${w.billingDetailsLead}</p>
      <form id="billing-details" class="narrow" novalidate autocomplete="on" aria-busy=${this.busy} @submit=${submitted(() => this.submit(true))}>
        ${this.input('billing.name', t.checkout.name, { required: true, autocomplete: 'billing name' })}${this.country()}${this.address()}
        ${this.books()}
        ${this.input('billing.cc', w.cc, { max: 1300, hint: w.ccHint })}
        ${this.spoken()}
        <div id="next" aria-live="polite">${n ? html`<h2>${w.nextDocument}</h2><dl>
          ${amount('next-subtotal', t.checkout.subtotal, n.subtotal)}
          ${n.discount.amount ? amount('next-discount', t.checkout.discount, n.discount, '−') : ''}
          ${amount('next-tax', t.checkout.tax, n.tax)}
          ${amount('next-total', t.checkout.total, n.total, '', 'strong')}</dl>${n.tax_note ? html`<p class="quiet">${n.tax_note}</p>` : ''}` : ''}</div>
        <p id="form-error" class="error" role="alert" tabindex="-1">${this.message}</p>
        <p class="buttons"><button type="submit" id="save" ?disabled=${this.busy}>${w.save}</button>
          <button type="button" class="second" id="preview" ?disabled=${this.busy} @click=${() => this.submit(false)}>${w.nextDocumentShow}</button>
          <span id="saved" role="status">${this.said}</span></p>
      </form>`);
  }
}
