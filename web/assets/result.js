// @ts-check
// What came of an order: /checkout?order=sub_…, for a day in any tab; of a quote:
// ?quote=quo_…, as long as the tab is open.
import { html } from './lit-html/lit-html.js';
import { planWords } from './account.js';
import { day, minute, money } from './format.js';
import { NotRead, download, read } from './api.js';
import { loaded } from './loading.js';
import { pageOf } from './payment-page.js';
import { tokenOf } from './pending-order.js';
import { fact } from './rows.js';
import { t, word } from './words.js';
/** @import { AwayOrder, Bought, DoneOrder, Quote, Show } from '../types/pages' */

const w = t.result;

/** @param {Show} show */
const gone = show => show(t.checkout.title, html`<h1>${t.checkout.title}</h1><p class="lead" id="result">${w.gone}</p>
  <p><a class="button" href="/">${w.more}</a></p>`);

/**
 * quoted is the page of a quote that has been asked for.
 * @param {Show} show
 * @param {DoneOrder<Quote> | null} order
 */
export const quoted = (show, order) => {
  if (!order) {
    gone(show);
    return;
  }
  const q = order.result;
  show(w.quoted, html`<section id="result" class="result">
    <h1 id="result-title" tabindex="-1">${w.quoted}</h1>
    <p class="lead" id="mail-billing">${w.mailQuote(JSON.parse(order.body).billing.email)}</p>
    <dl class="order">
      ${fact('quote-number', w.quote, q.number)}
      ${fact('total', t.checkout.total, money(q.total))}
      ${fact('valid-until', w.validUntil, minute(q.expires_at))}
    </dl>
    <p><a href="/">${w.more}</a></p>
  </section>`);
  document.getElementById('result-title')?.focus();
};

/**
 * receipt is an order that this tab has not placed.
 * @param {Show} show
 * @param {string} subscription
 */
export const receipt = (show, subscription) => loaded(show, t.checkout.title, async () => {
  try {
    return await read(`/v1/subscriptions/${subscription}/receipt`, { token: tokenOf(subscription) });
  } catch (error) {
    if (error instanceof NotRead && [401, 403, 404].includes(error.status)) return null;
    throw error;
  }
}, now => now ? result(show, { state: 'done', body: '{}', result: now }) : gone(show));

/** @param {Show} show @param {AwayOrder | DoneOrder<Bought>} order */
export const result = (show, order) => {
  const { subscription: s, license, invoice, payment } = order.result;
  const ordered = JSON.parse(order.body); // of a quote, it names nobody
  const payer = s.billing_account ?? ordered.billing?.email ?? '';
  const receiver = s.licensee_account ?? (ordered.licensee ?? ordered.billing)?.email ?? '';
  const action = order.action ?? pageOf(payment);
  const owed = s.status === 'incomplete' && invoice?.status === 'open'; // by transfer
  const waits = s.confirm_by; // for the mailed link
  const licensed = s.license_id ?? s.status === 'trialing'; // a guest is not told the id of a trial
  const token = tokenOf(s.id);
  const own = token && s.status === 'active' && s.collection === 'card'; // what the order's token opens
  let wrong = '';
  const save = async (/** @type {string} */ address) => {
    wrong = '';
    try {
      await download(address, { token });
    } catch {
      wrong = t.unreachable;
    }
    draw();
  };
  const title = waits ? w.waits : action ? w.action : owed ? w.invoiced : word({ active: w.active, trialing: w.trialing }, s.status) ?? w.other;

  const draw = () => show(title, html`<section id="result" class="result" data-status=${s.status}>
    <h1 id="result-title" tabindex="-1">${title}</h1>
    ${action ? html`<p class="lead">${w.actionLead}</p><p><a class="button" id="confirm" href=${action}>${w.confirm}</a></p>` : ''}
    ${waits ? html`<p class="lead" id="waits">${w.waitsLead([...new Set([payer, s.collection === 'invoice' ? payer : receiver])].join(' / '), minute(waits))}</p>` : ''}
    ${licensed ? html`<p class="lead" id="mail-licensee">${license?.versions?.length === 0 ? w.mailLicenseOnly(receiver) : w.mailLicense(receiver)}</p>` : ''}
    ${s.status === 'trialing' ? html`<p id="mail-billing">${w.mailTrial(payer)}</p>` : ''}
    ${owed ? html`<p class="lead" id="mail-billing">${w.mailOpenInvoice(payer)}</p>` : invoice?.number ? html`<p id="mail-billing">${w.mailInvoice(payer)}</p>` : ''}
    <dl class="order">
      ${fact('license-id', w.license, s.license_id && html`<code>${s.license_id}</code>`)}
      ${fact('licensee', w.licensee, license?.licensee || receiver)}
      ${fact('valid-until', w.validUntil, license ? minute(license.valid_until) : s.status === 'trialing' && s.trial_end && minute(s.trial_end))}
      ${fact('paid-until', w.paidUntil, s.current_period && s.status === 'active' && minute(s.current_period.end))}
      ${fact('subscription-number', w.subscription, `#${s.number}`)}
      ${fact('plan', w.plan, planWords(s))}
      ${fact('paid', w.paid, invoice?.status === 'paid' && money(invoice.amount_due))}
      ${fact('owed', w.owed, owed && money(invoice.amount_due))}
      ${fact('due-at', w.due, owed && invoice.due_at && day(invoice.due_at))}
      ${fact('invoice-number', w.invoice, invoice?.number)}
      ${fact('next-payment', w.next, s.next_payment_at && day(s.next_payment_at))}
    </dl>
    ${own ? html`<p class="buttons">
      ${license?.versions?.length ? html`<button type="button" id="save-file" @click=${() => save(`/v1/licenses/${license.id}/download`)}>${t.account.download(license.versions[0].version)}</button>` : ''}
      ${invoice?.number ? html`<button type="button" class="second" id="save-invoice" @click=${() => save(`/v1/invoices/${invoice.id}/pdf`)}>${t.account.pdfOf(invoice.number)}</button>` : ''}</p>
      <p class="error" role="alert">${wrong}</p>` : ''}
    ${licensed ? html`<p><a class=${own ? '' : 'button'} id="to-license" href="/account/licenses${s.license_id ? `/${s.license_id}` : ''}">${w.toLicense}</a></p><p class="hint">${w.toLicenseNote}</p>` : ''}
    <p><a href="/">${w.more}</a></p>
  </section>`);
  draw();
  document.getElementById('result-title')?.focus();
};
