// Fields of a form: each with its label, its hint and what is wrong with it.
import { html, nothing } from './lit-html/lit-html.js';
import { countries } from './countries.js';
import { t } from './words.js';

const w = t.checkout;
const lines = ['line1', 'line2', 'postal_code', 'city', 'region'];

export const idOf = name => name.replaceAll('.', '-');

// written are the fields' values of what an account has written down.
export const written = me => Object.fromEntries([
  ...['name', 'email', 'company', 'country', 'vat_id'].map(f => [`billing.${f}`, me[f]]),
  ...lines.map(f => [`billing.address.${f}`, me.address[f]]),
  ...['name', 'email'].map(f => [`licensee.${f}`, me.licensee?.[f]]),
].filter(([, v]) => v));

export class Fields {
  errors = {}; // by the field's name
  busy = false;
  message = '';
  draft = {}; // what has been typed, by the field's name

  value(name) {
    return this.form.elements.namedItem(name)?.value.trim() ?? '';
  }

  // check finds what can be seen to be wrong without asking.
  check() {
    this.errors = {};
    for (const field of this.form.elements) {
      if (!field.willValidate || field.validity.valid) continue;
      const { valueMissing, typeMismatch } = field.validity;
      this.errors[field.name] = field.name === 'accept_terms' ? t.refusal.terms_not_accepted
        : valueMissing && field.name !== 'billing.country' ? t.field.required
          : typeMismatch || valueMissing ? t.field[field.name] ?? t.field.required
            : t.field.number;
    }
    if (Object.keys(this.errors).length) this.wrong(w.wrong);
    return Object.keys(this.errors).length === 0;
  }

  // wrong shows a message and leads to the first field that has an error.
  wrong(message) {
    this.message = message;
    this.draw();
    const first = [...this.form.elements].find(e => this.errors[e.name]);
    (first ?? document.getElementById('payment-token-error') ?? document.getElementById('form-error'))?.focus();
  }

  error(name) {
    const error = this.errors[name];
    return error ? html`<p class="error" id="${idOf(name)}-error">${error}</p>` : '';
  }

  described(name, hint) {
    return [hint && `${idOf(name)}-hint`, this.errors[name] && `${idOf(name)}-error`].filter(Boolean).join(' ') || nothing;
  }

  // input is a field with its label, hint and error.
  input(name, label, { type = 'text', required = false, autocomplete = 'off', max = 200, hint } = {}) {
    return html`<div class="field">
      <label for=${idOf(name)}>${label}${required ? '' : html` <span class="quiet">(${t.optional})</span>`}</label>
      <input id=${idOf(name)} name=${name} type=${type} maxlength=${max} autocomplete=${autocomplete} .value=${this.draft[name] ?? ''}
        ?required=${required} aria-invalid=${Boolean(this.errors[name])} aria-describedby=${this.described(name, hint)}>
      ${hint ? html`<p class="hint" id="${idOf(name)}-hint">${hint}</p>` : ''}${this.error(name)}
    </div>`;
  }

  contact(who, complete) {
    return html`
      ${this.input(`${who}.name`, w.name, { required: true, autocomplete: complete ? 'billing name' : 'off' })}
      ${this.input(`${who}.email`, w.email, { type: 'email', required: true, max: 254, autocomplete: complete ? 'billing email' : 'off' })}`;
  }

  person(who) {
    return { name: this.value(`${who}.name`), email: this.value(`${who}.email`) };
  }

  // address is the fields of where an invoice goes; located is what they hold.
  address() {
    const chosen = this.draft['billing.country'];
    return html`
      ${this.input('billing.company', w.company, { autocomplete: 'billing organization' })}
      <div class="field"><label for="billing-country">${w.country}</label>
        <select id="billing-country" name="billing.country" required autocomplete="billing country"
          aria-invalid=${Boolean(this.errors['billing.country'])} aria-describedby=${this.described('billing.country')}>
          ${countries.map(([code, name]) => html`<option value=${code} .selected=${code === chosen}>${name}</option>`)}
        </select>${this.error('billing.country')}</div>
      ${this.input('billing.address.line1', w.line1, { autocomplete: 'billing address-line1' })}
      ${this.input('billing.address.line2', w.line2, { autocomplete: 'billing address-line2' })}
      <div class="pair">
        ${this.input('billing.address.postal_code', w.postal, { max: 20, autocomplete: 'billing postal-code' })}
        ${this.input('billing.address.city', w.city, { max: 100, autocomplete: 'billing address-level2' })}
      </div>
      ${this.input('billing.address.region', w.region, { max: 100, autocomplete: 'billing address-level1' })}
      ${this.input('billing.vat_id', w.vat, { max: 20, hint: w.vatHint })}`;
  }

  located() {
    return {
      ...Object.fromEntries(['company', 'country', 'vat_id'].map(f => [f, this.value(`billing.${f}`)])),
      address: Object.fromEntries(lines.map(f => [f, this.value(`billing.address.${f}`)])),
    };
  }
}
