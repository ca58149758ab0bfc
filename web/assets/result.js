// What came of an order: /checkout?order=sub_…, as long as the tab is open.
import { html } from './lit-html/lit-html.js';
import { day, minute, money } from './format.js';
import { t } from './words.js';

const w = t.result;

const web = url => (/^https?:\/\//.test(url ?? '') || url?.startsWith('/') ? url : null);

export const result = (show, order) => {
  if (!order) {
    show(t.checkout.title, html`<h1>${t.checkout.title}</h1><p class="lead" id="result">${w.gone}</p>
      <p><a class="button" href="/">${w.more}</a></p>`);
    return;
  }
  const { subscription: s, license, invoice, payment } = order.result;
  const ordered = JSON.parse(order.body);
  const licensee = ordered.licensee ?? ordered.billing;
  const action = payment?.status === 'requires_action' && web(payment.action_url);
  const title = action ? w.action : w[s.status] ?? w.other;
  const { type, tier, cycle } = s.plan;

  const line = (id, label, value) => (value ? html`<div class="row"><dt>${label}</dt><dd id=${id}>${value}</dd></div>` : '');
  show(title, html`<section id="result" class="result" data-status=${s.status}>
    <h1 id="result-title" tabindex="-1">${title}</h1>
    ${action ? html`<p><a class="button" id="confirm" href=${action}>${w.confirm}</a></p>` : ''}
    ${s.license_id ? html`<p class="lead" id="mail-licensee">${license?.versions?.length === 0 ? w.mailLicenseOnly(licensee.email) : w.mailLicense(licensee.email)}</p>` : ''}
    ${s.status === 'trialing' ? html`<p id="mail-billing">${w.mailTrial(ordered.billing.email)}</p>` : ''}
    ${invoice?.number ? html`<p id="mail-billing">${w.mailInvoice(ordered.billing.email)}</p>` : ''}
    <dl class="order">
      ${line('license-id', w.license, s.license_id && html`<code>${s.license_id}</code>`)}
      ${line('licensee', w.licensee, license?.licensee ?? `${licensee.name} <${licensee.email}>`)}
      ${license ? line('valid-until', w.validUntil, minute(license.valid_until)) : ''}
      ${s.current_period && s.status === 'active' ? line('paid-until', w.paidUntil, minute(s.current_period.end)) : ''}
      ${line('subscription-number', w.subscription, `#${s.number}`)}
      ${line('plan', w.plan, w.planWords(t.type[type], tier, t.cycle[cycle], s.quantity))}
      ${line('paid', w.paid, invoice?.status === 'paid' && money(invoice.amount_due))}
      ${line('invoice-number', w.invoice, invoice?.number)}
      ${line('next-payment', w.next, s.next_payment_at && day(s.next_payment_at))}
    </dl>
    <p><a href="/">${w.more}</a></p>
  </section>`);
  document.getElementById('result-title').focus();
};
