// "/account/addresses": what later orders begin with. Those that were placed
// keep the details that they were placed with.
import { html } from './lit-html/lit-html.js';
import { page } from './account.js';
import { patch } from './api.js';
import { likely } from './countries.js';
import { Fields, written } from './fields.js';
import { me } from './session.js';
import { t } from './words.js';

const w = t.account;

export const addresses = show => page(show, w.addresses, '/account/addresses', (framed, { data }) => new Addresses(framed, data).draw(), me);

class Addresses extends Fields {
  said = '';

  constructor(framed, who) {
    super();
    this.framed = framed;
    this.draft = { 'billing.country': likely(), ...written(who) };
    this.same = !who.licensee;
  }

  get form() {
    return document.getElementById('addresses');
  }

  async submit(event) {
    event.preventDefault();
    this.said = '';
    if (this.busy || !this.check()) return;
    this.draft = Object.fromEntries(new FormData(this.form));
    const body = JSON.stringify({
      name: this.value('billing.name'), ...this.located(), licensee: this.same ? { name: '', email: '' } : this.person('licensee'),
    });
    Object.assign(this, { busy: true, message: '' });
    this.draw();
    try {
      const { status, body: { code, detail, errors = [] } } = await patch('/v1/me', body);
      if (status === 200) this.said = w.saved;
      else this.message = errors.length ? t.checkout.wrong : detail ?? w.refusal.other;
      for (const { field, detail: why } of errors) {
        const name = field.startsWith('licensee.') ? field : `billing.${field}`;
        this.errors[name] = t.refusal[code] ?? t.field[name] ?? why;
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
      <form id="addresses" class="narrow" novalidate autocomplete="on" aria-busy=${this.busy} @submit=${e => this.submit(e)}>
        <section><h2>${t.checkout.billing}</h2>
          ${this.input('billing.name', t.checkout.name, { required: true, autocomplete: 'billing name' })}${this.address()}</section>
        <section><h2>${t.checkout.licensee}</h2><p class="quiet">${t.checkout.licenseeLead}</p>
          <label class="tick"><input type="checkbox" id="licensee-same" .checked=${this.same}
            @change=${e => { this.same = e.target.checked; this.draw(); }}> ${t.checkout.same}</label>
          ${this.same ? '' : this.contact('licensee', false)}</section>
        <p id="form-error" class="error" role="alert" tabindex="-1">${this.message}</p>
        <button type="submit" id="save" ?disabled=${this.busy}>${w.saveAddresses}</button> <span id="saved" role="status">${this.said}</span>
      </form>`);
  }
}
