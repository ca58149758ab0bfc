// @ts-check
// Fields of a form: each with its label, its hint and what is wrong with it.
import { html, nothing } from './lit-html/lit-html.js';
import { countries } from './countries.js';
import { languages, t, word } from './words.js';
/** @import { Me, VATCheck } from '../types/pages' */

const w = t.checkout;
const lines = /** @type {const} */ (['line1', 'line2', 'postal_code', 'city', 'region']);
const persons = /** @type {const} */ (['name', 'email']);

/** @param {string} name */
export const idOf = name => name.replaceAll('.', '-');

/**
 * written are the fields' values of what an account has written down.
 * @param {Pick<Me, 'email' | 'name' | 'company' | 'country' | 'vat_id' | 'address' | 'licensee' | 'language'>} me
 * @returns {Record<string, string>}
 */
export const written = me => Object.fromEntries([
  ...(/** @type {const} */ (['name', 'email', 'company', 'country', 'vat_id', 'language'])).map(f => [`billing.${f}`, me[f]]),
  ...lines.map(f => [`billing.address.${f}`, me.address[f]]),
  ...persons.map(f => [`licensee.${f}`, me.licensee?.[f]]),
].filter(([, v]) => v));

export class Fields {
  /** @type {Record<string, string | undefined>} by the field's name */
  errors = {};
  busy = false;
  message = '';
  /** @type {VATCheck | null} what the register says of the VAT id */
  vat = null;
  /** @type {Record<string, string>} what has been typed, by the field's name */
  draft = {};

  /** @param {string} id the form's */
  constructor(id) {
    this.formID = id;
  }

  // draw is for each form to define.
  draw() {}

  get form() {
    return /** @type {HTMLFormElement} */ (document.getElementById(this.formID));
  }

  get controls() {
    return [.../** @type {Iterable<HTMLInputElement>} */ (this.form.elements)];
  }

  /** @param {string} name */
  control(name) {
    return /** @type {HTMLInputElement | null} */ (this.form.elements.namedItem(name));
  }

  /** @param {string} name */
  value(name) {
    return this.control(name)?.value.trim() ?? '';
  }

  // entered is what stands in the form, by the field's name.
  entered() {
    return /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(this.form)));
  }

  // check finds what the browser can see to be wrong, without asking the API.
  check() {
    this.errors = {};
    for (const field of this.controls) {
      if (!field.willValidate || field.validity.valid) continue;
      const { valueMissing, typeMismatch } = field.validity;
      this.errors[field.name] = field.name === 'accept_terms' ? t.refusal.terms_not_accepted
        : valueMissing && field.name !== 'billing.country' ? t.field.required
          : typeMismatch || valueMissing ? word(t.field, field.name) ?? t.field.required
            : t.field.number;
    }
    if (Object.keys(this.errors).length) this.wrong(w.wrong);
    return Object.keys(this.errors).length === 0;
  }

  /**
   * wrong shows a message and leads to the first field that has an error.
   * @param {string} message
   */
  wrong(message) {
    this.message = message;
    this.draw();
    const first = this.controls.find(e => this.errors[e.name]);
    (first ?? document.getElementById('payment-token-error') ?? document.getElementById('form-error'))?.focus();
  }

  /** @param {string} name */
  error(name) {
    const error = this.errors[name];
    return error ? html`<p class="error" id="${idOf(name)}-error">${error}</p>` : '';
  }

  /** @param {string} name @param {unknown} [hint] whether there is one */
  described(name, hint) {
    return [hint && `${idOf(name)}-hint`, this.errors[name] && `${idOf(name)}-error`].filter(Boolean).join(' ') || nothing;
  }

  /**
   * input is a field with its label, hint and error.
   * @param {string} name
   * @param {string} label
   * @param {{ type?: string, required?: boolean, autocomplete?: string, max?: number, hint?: string }} [options]
   */
  input(name, label, { type = 'text', required = false, autocomplete = 'off', max = 200, hint } = {}) {
    return html`<div class="field">
      <label for=${idOf(name)}>${label}${required ? '' : html` <span class="quiet">(${t.optional})</span>`}</label>
      <input id=${idOf(name)} name=${name} type=${type} maxlength=${max} autocomplete=${autocomplete} .value=${this.draft[name] ?? ''}
        ?required=${required} aria-invalid=${Boolean(this.errors[name])} aria-describedby=${this.described(name, hint)}>
      ${hint ? html`<p class="hint" id="${idOf(name)}-hint">${hint}</p>` : ''}${this.error(name)}
    </div>`;
  }

  /** @param {'billing' | 'licensee'} who @param {boolean} complete whether the browser may fill it in */
  contact(who, complete) {
    return html`
      ${this.input(`${who}.name`, w.name, { required: true, autocomplete: complete ? 'billing name' : 'off' })}
      ${this.input(`${who}.email`, w.email, { type: 'email', required: true, max: 254, autocomplete: complete ? 'billing email' : 'off' })}`;
  }

  /** @param {'billing' | 'licensee'} who */
  person(who) {
    return { name: this.value(`${who}.name`), email: this.value(`${who}.email`) };
  }

  // country, and address, are the fields of where an invoice goes; located is what
  // they hold.
  country() {
    const chosen = this.draft['billing.country'];
    return html`<div class="field"><label for="billing-country">${w.country}</label>
        <select id="billing-country" name="billing.country" required autocomplete="billing country"
          aria-invalid=${Boolean(this.errors['billing.country'])} aria-describedby=${this.described('billing.country')}>
          ${countries().map(([code, name]) => html`<option value=${code} .selected=${code === chosen}>${name}</option>`)}
        </select>${this.error('billing.country')}</div>`;
  }

  address() {
    return html`
      ${this.input('billing.company', w.company, { autocomplete: 'billing organization' })}
      ${this.input('billing.vat_id', w.vat, { max: 20, hint: w.vatHint })}
      <p class="hint" id="vat-check" role="status">${this.vat ? w.vatCheck[this.vat.status](this.vat.company ?? '') : ''}</p>
      ${this.input('billing.address.line1', w.line1, { autocomplete: 'billing address-line1' })}
      ${this.input('billing.address.line2', w.line2, { autocomplete: 'billing address-line2' })}
      <div class="pair">
        ${this.input('billing.address.postal_code', w.postal, { max: 20, autocomplete: 'billing postal-code' })}
        ${this.input('billing.address.city', w.city, { max: 100, autocomplete: 'billing address-level2' })}
      </div>
      ${this.input('billing.address.region', w.region, { max: 100, autocomplete: 'billing address-level1' })}`;
  }

  // books are what the customer's own books know the order by; booked is what they hold.
  books() {
    return html`<div class="pair">
      ${this.input('billing.purchase_order', t.account.purchaseOrder, { max: 60, hint: t.account.purchaseOrderHint })}
      ${this.input('billing.cost_center', t.account.costCenter, { max: 60, hint: t.account.costCenterHint })}</div>`;
  }

  booked() {
    return { purchase_order: this.value('billing.purchase_order'), cost_center: this.value('billing.cost_center') };
  }

  spoken() {
    const chosen = this.draft['billing.language'];
    return html`<div class="field"><label for="billing-language">${t.account.language}</label><select id="billing-language" name="billing.language">
      ${languages.map(([tag, name]) => html`<option value=${tag} lang=${tag} .selected=${tag === chosen}>${name}</option>`)}</select></div>`;
  }

  located() {
    return {
      company: this.value('billing.company'),
      country: this.value('billing.country'),
      vat_id: this.value('billing.vat_id'),
      address: Object.fromEntries(lines.map(f => [f, this.value(`billing.address.${f}`)])),
    };
  }
}
