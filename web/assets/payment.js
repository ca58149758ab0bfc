// How an order or a subscription is paid: the one place that knows what the
// gateway needs of a card. The sandbox needs the choice of a token.
import { html, nothing } from './lit-html/lit-html.js';
import { t } from './words.js';

const w = t.checkout;

// cardField lets a card be chosen; cardOf is what was, as the API takes it.
export const cardField = (id, { name = id, error = '', disabled = false } = {}) => html`<div class="sandbox"><p id="${id}-hint">${w.sandbox}</p>
  <div class="field"><label for=${id}>${w.card}</label>
    <select id=${id} name=${name} ?disabled=${disabled} aria-invalid=${Boolean(error)} aria-describedby="${id}-hint${error ? ` ${id}-error` : ''}">
      ${Object.entries(w.cards).map(([token, words]) => html`<option value=${token}>${token} – ${words}</option>`)}
    </select>${error ? html`<p class="error" id="${id}-error">${error}</p>` : ''}</div></div>`;

export const cardOf = id => ({ token: document.getElementById(id).value });

const field = 'payment-token';

// paymentFields lets a card be chosen, or an invoice where it is allowed.
export const paymentFields = ({ method, invoice, choose, errors }) => html`
  ${invoice ? html`<fieldset class="methods" aria-describedby=${errors['payment.method'] ? 'payment-method-error' : nothing}><legend>${w.method}</legend>
    ${['card', 'invoice'].map(m => html`<label class="tick"><input type="radio" name="payment.method" id="by-${m}" value=${m} .checked=${method === m}
      @change=${() => choose(m)}> ${w.by[m]}</label>`)}
    ${errors['payment.method'] ? html`<p class="error" id="payment-method-error">${errors['payment.method']}</p>` : ''}</fieldset>` : ''}
  ${method === 'card' ? cardField(field, { name: 'payment.token', error: errors['payment.token'] }) : html`<p class="hint" id="by-invoice-note">${w.invoiceNote}</p>`}`;

export const paymentOf = method => ({ method, ...(method === 'card' && cardOf(field)) });
