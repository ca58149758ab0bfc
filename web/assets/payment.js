// @ts-check
// How an order or a subscription is paid. A card is given on the gateway's own
// page, and never seen here.
import { html, nothing } from './lit-html/lit-html.js';
import { t, word } from './words.js';

const w = t.checkout;

/** @param {string} [code] why a card was declined */
export const declined = code => w.declined(reasonOf(code) ?? t.decline.generic_decline);

/**
 * reasonOf is why a card was declined, in words, or by the bank's own code.
 * @param {string | null} [code]
 */
export const reasonOf = code => word(t.decline, code) ?? (code ? t.declineCode(code.replaceAll('_', ' ')) : undefined);

/** @typedef {'card' | 'invoice'} Method */
const methods = /** @type {Method[]} */ (['card', 'invoice']);

/**
 * paymentFields tells how it is paid, and lets an invoice be chosen where it is
 * allowed.
 * @param {{ method: Method, invoice: boolean, choose: (method: Method) => void, errors: Record<string, string | undefined> }} options
 */
export const paymentFields = ({ method, invoice, choose, errors }) => html`
  ${invoice ? html`<fieldset class="methods" aria-describedby=${errors['payment.method'] ? 'payment-method-error' : nothing}><legend>${w.method}</legend>
    ${methods.map(m => html`<label class="tick"><input type="radio" name="payment.method" id="by-${m}" value=${m} .checked=${method === m}
      @change=${() => choose(m)}> ${w.by[m]}</label>`)}
    ${errors['payment.method'] ? html`<p class="error" id="payment-method-error">${errors['payment.method']}</p>` : ''}</fieldset>` : ''}
  ${method === 'card' ? html`<p class="hint" id="by-card-note">${w.cardNote}</p>${errors['payment.token'] ? html`<p class="error" id="payment-token-error" tabindex="-1">${errors['payment.token']}</p>` : ''}` : html`<p class="hint" id="by-invoice-note">${w.invoiceNote}</p>`}`;
