// @ts-check
// "/account/addresses": what later orders begin with. Those that were placed
// keep the details that they were placed with.
import { html } from './lit-html/lit-html.js';
import { page } from './account.js';
import { patch, read } from './api.js';
import { likely } from './countries.js';
import { submitted, ticked } from './events.js';
import { Fields, written } from './fields.js';
import { t, word } from './words.js';
/** @import { Me, Show } from '../types/pages' */

const w = t.account;

/** @param {Show} show */
export const addresses = show => page(show, w.addresses, '/account/addresses', (framed, { data }) => new Addresses(framed, data).draw(), () => read('/v1/me'));

class Addresses extends Fields {
  said = '';

  /** @param {Show} framed @param {Me} who */
  constructor(framed, who) {
    super('addresses');
    this.framed = framed;
    /** @type {Record<string, string>} */
    this.draft = { 'billing.country': likely(), ...written(who) };
    this.same = !who.licensee;
  }

  async submit() {
    this.said = '';
    if (this.busy || !this.check()) return;
    this.draft = this.entered();
    const details = {
      name: this.value('billing.name'), ...this.located(), language: /** @type {Me['language']} */ (this.value('billing.language')), licensee: this.same ? { name: '', email: '' } : this.person('licensee'),
    };
    Object.assign(this, { busy: true, message: '' });
    this.draw();
    try {
      const { ok, body } = await patch('/v1/me', details);
      if (ok) {
        this.said = w.saved;
      } else {
        const { code, detail, errors = [] } = body;
        this.message = errors.length ? t.checkout.wrong : detail ?? w.refusal.other;
        for (const { field, detail: why } of errors) {
          const name = field.startsWith('licensee.') ? field : `billing.${field}`;
          this.errors[name] = word(t.refusal, code) ?? word(t.field, name) ?? why;
        }
      }
    } catch {
      this.message = t.unreachable;
    }
    this.busy = false;
    if (this.message) this.wrong(this.message);
    else this.draw();
  }

  draw() {
    this.framed(w.addresses, html`<h1>${w.addresses}</h1><p class="lead">${w.addressesLead}</p>
      <form id="addresses" class="narrow" novalidate autocomplete="on" aria-busy=${this.busy} @submit=${submitted(() => this.submit())}>
        <section><h2>${t.checkout.billing}</h2>
          ${this.input('billing.name', t.checkout.name, { required: true, autocomplete: 'billing name' })}${this.country()}${this.address()}${this.spoken()}</section>
        <section><h2>${t.checkout.licensee}</h2><p class="quiet">${t.checkout.licenseeLead}</p>
          <label class="tick"><input type="checkbox" id="licensee-same" .checked=${this.same}
            @change=${ticked(on => { this.same = on; this.draw(); })}> ${t.checkout.same}</label>
          ${this.same ? '' : this.contact('licensee', false)}</section>
        <p id="form-error" class="error" role="alert" tabindex="-1">${this.message}</p>
        <button type="submit" id="save" ?disabled=${this.busy}>${w.saveAddresses}</button> <span id="saved" role="status">${this.said}</span>
      </form>`);
  }
}
