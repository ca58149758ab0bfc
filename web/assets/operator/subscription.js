// @ts-check
// "/operator/subscriptions/{id}": its story in words, the money beside it, what
// happens next, and what the operator's role can do.
import { cardWords, planWords } from '../account.js';
import { download, post, products, read } from '../api.js';
import { day, minute, money } from '../format.js';
import { said } from '../history.js';
import { html } from '../lit-html/lit-html.js';
import { fact } from '../rows.js';
import { t, word } from '../words.js';
import { Actions, decimal, minor } from './act.js';
import { may, operator, orNone, page, problem } from './frame.js';
import { mailList } from './mails.js';
import { customerPage } from './search.js';
import { w } from './words.js';
/** @import { BillingDetails, Invoice, License, Money, Plan, Show, Subscription, SubscriptionEvent } from '../../types/pages' */
/** @import { Action, Mail, Note } from '../../types/console' */
/** @typedef {{ s: Subscription, events: SubscriptionEvent[], invoices: Invoice[], license: License | null, notes: Note[], mails: Mail[], billed: BillingDetails | null, name: string, plans: Plan[] }} Data */

const words = w.subscription;

/** @param {string} id @returns {Promise<Data>} */
const fetched = async id => {
  const [s, events, invoices, notes, mails, known] = await Promise.all([
    read(`/v1/subscriptions/${id}`), read(`/v1/subscriptions/${id}/events`), read(`/v1/invoices?limit=100&subscription=${id}`),
    read(`/v1/operator/subscriptions/${id}/notes`), read(`/v1/operator/mails?limit=100&subject=${id}`), products(),
  ]);
  const license = s.license_id ? await orNone(read(`/v1/licenses/${s.license_id}`), null) : null;
  const billed = s.comp ? null : await orNone(read(`/v1/subscriptions/${id}/billing-details`), null);
  const sold = known.find(p => p.id === s.product);
  return { s, events: events.data, invoices: invoices.data, license, billed, notes: notes.data, mails: mails.data, name: sold?.name ?? s.product, plans: sold?.plans ?? [] };
};

/** @param {Subscription} s */
const total = s => money({ ...s.price, amount: s.price.amount * s.quantity });

/** @param {Subscription} s */
const next = s => {
  const n = words.next;
  if (s.comp) return n.comp(day(s.comp.until));
  if (s.pending_payment) {
    return s.pending_payment.status === 'requires_action' ? n.bank(money(s.pending_payment.amount), s.pending_payment.expires_at ? minute(s.pending_payment.expires_at) : '') : n.processing(money(s.pending_payment.amount));
  }
  if (s.confirm_by) return n.confirm(minute(s.confirm_by));
  switch (s.status) {
    case 'incomplete': return n.incomplete;
    case 'trialing':
      return s.cancel_at_period_end || !s.payment_method && s.collection === 'card' ? n.trialEnds(minute(s.trial_end ?? '')) : n.trialPays(minute(s.trial_end ?? ''), total(s));
    case 'past_due': return s.next_payment_at ? n.retry(minute(s.next_payment_at)) : n.owed;
    case 'canceled': return s.canceled_at ? n.over(day(s.canceled_at)) : n.overAlready;
    case 'incomplete_expired': return n.lapsed;
    default:
      if (s.cancel_at_period_end) return n.ends(minute(s.current_period?.end ?? ''));
      return s.next_payment_at ? (s.collection === 'invoice' ? n.invoice : n.charge)(total(s), minute(s.next_payment_at)) : n.nothing;
  }
};

/**
 * failure is why the last payment did not come, and what can be done about it.
 * @param {Data} data
 */
const failure = ({ s, events, invoices }) => {
  if (!['past_due', 'incomplete'].includes(s.status)) return '';
  const last = events.findLast(e => ['payment_declined', 'gateway_rejected'].includes(e.kind));
  const open = invoices.find(i => i.status === 'open');
  if (!last && !open) return '';
  const code = last?.details?.code ?? '';
  return html`<div class="banner" id="failure">${open ? html`<p>${words.open(open.number ?? '', money(open.amount_due), open.due_at ? day(open.due_at) : '')}</p>` : ''}
    ${last ? html`<p id="why">${said(last)}</p><p id="advice">${word(words.advice, code) ?? words.advice.other}</p>` : ''}</div>`;
};

/** @param {Money} card @param {Money} balance */
const back = (card, balance) => (balance.amount === 0 ? words.toCard(money(card)) : card.amount === 0 ? words.toBalance(money(balance)) : words.toBoth(money(card), money(balance)));

/**
 * costs are the other plans, each with what a change to it would cost at once.
 * @param {Subscription} s @param {Plan[]} plans
 * @returns {Promise<[string, string][]>}
 */
const costs = async (s, plans) => {
  const previews = await Promise.all(plans.filter(p => p.id !== s.plan.id).map(async ({ type, tier, cycle }) => {
    const plan = { type, cycle, ...(tier && { tier }) };
    const { ok, body } = await post(`/v1/subscriptions/${s.id}/change/preview`, { plan });
    return ok ? /** @type {[string, string]} */ ([JSON.stringify({ plan }), words.action.changeCosts(planWords({ plan: { type, tier, cycle } }), money(body.amount_due))]) : undefined;
  }));
  return previews.filter(p => p !== undefined);
};

/**
 * actions are what can be done now, in the role of who has signed in.
 * @param {Data} data
 * @returns {Action[]}
 */
const actions = ({ s, invoices, license, events, plans }) => {
  const at = `/v1/subscriptions/${s.id}`;
  const own = `/v1/operator/subscriptions/${s.id}`;
  const a = words.action;
  const reason = { name: 'reason', label: w.reason, max: 500 };
  const because = (/** @type {Record<string, string>} */ values) => (values.reason ? { reason: values.reason } : {});
  const end = s.status === 'trialing' ? s.trial_end : s.current_period?.end;
  const paid = invoices.filter(i => i.status === 'paid' && i.total.amount > i.credit_notes.reduce((sum, n) => sum + n.total.amount, 0));
  const open = invoices.filter(i => i.status === 'open');
  const live = !['canceled', 'incomplete_expired'].includes(s.status);
  const held = license && (license.status === 'SUSPENDED' || license.status === 'REVOKED');
  /** @type {Action} */
  const cancelNow = {
    id: 'cancel-now', letter: 'x', label: a.cancelNow, lead: a.cancelNowLead, done: a.cancelNowDone, path: `${own}/cancel-now`,
    prepare: async () => {
      const { prorated, full } = await read(`/v1/operator/subscriptions/${s.id}/cancel-now`);
      cancelNow.fields = [{
        name: 'refund', label: a.refundChoice, type: 'radio', choices: [['none', a.refundNone],
          ...(prorated ? [/** @type {[string, string]} */(['prorated', a.refundProrated(back(prorated.card, prorated.balance))])] : []),
          ...(full ? [/** @type {[string, string]} */(['full', a.refundFull(back(full.card, full.balance))])] : [])],
      }, reason];
    },
    body: values => ({ refund: values.refund, ...because(values) }),
  };
  /** @type {Action} */
  const change = {
    id: 'change', letter: 'w', label: a.change, lead: a.changeLead, done: a.changeDone, path: `${at}/change`,
    prepare: async () => { change.fields = [{ name: 'to', label: a.changeTo, choices: await costs(s, plans) }, { name: 'when', label: a.changeWhen, choices: [['now', a.changeNow], ['period_end', a.changeAtEnd]] }]; },
    body: v => (v.to ? { ...JSON.parse(v.to), when: v.when } : a.changeNone),
  };
  /** @type {(Action | false | undefined | null)[]} */
  const all = [
    may('support') && s.actions.includes('cancel') && { id: 'cancel', letter: 'c', label: a.cancel, lead: end && live && s.status !== 'past_due' ? a.cancelLead(minute(end)) : a.cancelAtOnce, done: a.cancelDone, path: `${at}/cancel`, fields: [reason], body: because },
    may('support') && s.actions.includes('resume') && { id: 'resume', letter: 'u', label: a.resume, lead: a.resumeLead, done: a.resumeDone, path: `${at}/resume` },
    may('support') && s.actions.includes('renew') && { id: 'renew', letter: 'r', label: a.renew, lead: a.renewLead(total(s)), done: a.renewDone, path: `${at}/renew` },
    may('support') && s.actions.includes('payment-method') && s.collection === 'card' && {
      id: 'card', letter: 'k', label: a.card, lead: a.cardLead, done: a.cardDone, path: `${at}/payment-method`,
      after: answer => html`<div class="field"><label for="card-link">${a.cardLink}</label><input id="card-link" readonly .value=${answer.payment?.action_url ?? ''}></div>`,
    },
    may('support') && s.actions.includes('change') && change,
    may('support') && live && !s.comp && {
      id: 'transfer', letter: 'm', label: a.transfer, lead: a.transferLead, done: a.transferDone, path: `${own}/transfer`,
      fields: [{ name: 'email', label: a.transferTo, type: 'email', required: true, max: 254 }], body: v => ({ email: v.email }),
    },
    may('support', 'finance') && live && s.status !== 'incomplete' && {
      id: 'extend', letter: 'e', label: a.extend, lead: a.extendLead, done: a.extendDone, path: `${own}/extend`,
      fields: [{ name: 'days', label: a.days, type: 'number', required: true }, { ...reason, required: true }],
      body: v => (/^[1-9]\d{0,2}$/.test(v.days) && Number(v.days) <= 366 ? { days: Number(v.days), reason: v.reason } : a.daysWrong),
    },
    may('finance') && live && cancelNow,
    may('finance') && paid.length > 0 && {
      id: 'refund', letter: 'g', label: a.refund, lead: a.refundLead, done: a.refundDone, path: v => `/v1/operator/invoices/${v.invoice}/refund`,
      fields: [{ name: 'invoice', label: a.invoice, choices: paid.map(i => [i.id, `${i.number} · ${money(i.total)} · ${i.lines[0]?.description ?? ''}`]) },
        { name: 'amount', label: a.amountOf(s.price.currency), hint: a.amountHint }, reason],
      body: v => {
        const units = v.amount ? minor(v.amount, s.price.currency) : 0;
        return Number.isNaN(units) ? a.amountWrong : { ...(v.amount && { amount: { amount: units, currency: s.price.currency } }), ...because(v) };
      },
    },
    may('finance') && open.length > 0 && {
      id: 'mark-paid', letter: 'p', label: a.markPaid, lead: a.markPaidLead(open[0].number ?? ''), done: a.markPaidDone, path: `/v1/operator/invoices/${open[0].id}/mark-paid`,
      fields: [{ name: 'reference', label: a.reference, required: true, max: 140 }, { name: 'amount', label: a.amountOf(open[0].amount_due.currency), required: true, value: decimal(open[0].amount_due) },
        { name: 'value_date', label: a.valueDate, type: 'date', required: true, value: new Date().toISOString().slice(0, 10) }],
      body: v => {
        const units = minor(v.amount, open[0].amount_due.currency);
        return Number.isNaN(units) ? a.amountWrong : { reference: v.reference, amount: { amount: units, currency: open[0].amount_due.currency }, value_date: v.value_date };
      },
    },
    may('support') && license && !held && live && { id: 'suspend', letter: 's', label: a.suspend, lead: a.suspendLead, done: a.suspendDone, path: `/v1/operator/licenses/${license.id}/suspend`, fields: [reason], body: because },
    may('support') && license && held && { id: 'reinstate', letter: 'i', label: a.reinstate, lead: a.reinstateLead, done: a.reinstateDone, path: `/v1/operator/licenses/${license.id}/reinstate`, fields: [reason], body: because },
    may('support') && license && license.status !== 'REVOKED' && live && { id: 'revoke', letter: 'v', label: a.revoke, lead: a.revokeLead, done: a.revokeDone, path: `/v1/operator/licenses/${license.id}/revoke`, fields: [reason], body: because },
    may('support', 'finance') && { id: 'note', letter: 'n', label: a.note, lead: a.noteLead, done: a.noteDone, path: `${own}/notes`, fields: [{ name: 'text', label: a.noteText, type: 'textarea', required: true, max: 4000 }], body: v => ({ text: v.text }) },
  ];
  return events.length ? all.filter(x => x !== false && x !== null && x !== undefined) : [];
};

/** @param {BillingDetails} b */
const vatWords = ({ vat_id: id, vat_check: c }) => `${id} · ${c ? words.vatCheck[c.status] : words.vatForm}${c?.consultation ? ` · ${words.consultation(c.consultation)}` : ''}${c?.checked_at ? ` · ${minute(c.checked_at)}` : ''}`;

/** @param {Invoice} i */
const invoice = i => html`<li class="panel" id=${i.id}><div><strong>${i.number ?? t.account.draft}</strong> <span class="status ${i.status}">${t.account.invoice[i.status] ?? i.status}</span>
    <span class="amount">${money(i.total)}</span></div>
  <p class="quiet">${i.issued_at ? day(i.issued_at) : ''}${i.status === 'open' && i.due_at ? ` · ${t.account.due(day(i.due_at))}` : ''}${i.balance_applied.amount ? ` · ${words.fromBalance(money(i.balance_applied))}` : ''}</p>
  <p lang="en">${i.lines.map(l => l.description).join('; ')}</p>
  ${i.credit_notes.map(n => html`<p class="credit">${t.account.creditNote(n.number)}: ${money(n.total)} <span class="quiet">${word(words.noteReason, n.reason) ?? ''}</span></p>`)}
  ${i.number ? html`<p><button type="button" class="link" @click=${() => download(`/v1/invoices/${i.id}/pdf`)} aria-label=${t.account.pdfOf(i.number)}>${t.account.pdf}</button></p>` : ''}</li>`;

/** @param {Show} show @param {string} id */
export const subscription = (show, id) => page(show, words.title, () => fetched(id), data => {
  let { s, events, invoices, license, notes, mails } = data;
  let mailSaid = '';
  const acts = new Actions(() => draw(), async () => {
    ({ s, events, invoices, license, notes, mails } = await fetched(id));
    acts.list = actions({ ...data, s, events, invoices, license, notes, mails });
  });
  acts.list = actions(data);

  /** @param {Mail} m */
  const resend = async m => {
    const { ok, body } = await post(`/v1/operator/mails/${m.id}/resend`);
    mailSaid = ok ? w.mails.resent : problem(body);
    await acts.again();
    draw();
  };

  const draw = () => show(`${data.name} #${s.number}`, html`
    <h1>${data.name} <span class="quiet">#${s.number}</span></h1>
    <p class="lead"><span class="status ${s.cancel_at_period_end ? '' : s.status}" id="status">${s.cancel_at_period_end ? t.account.ending : word(w.status, s.status) ?? s.status}</span> · ${planWords(s)} · ${total(s)}
      ${s.billing_account ? html` · <a id="customer" href=${customerPage(s.billing_account)}>${s.billing_account}</a>` : ''}</p>
    <p id="next"><strong>${words.nextTitle}</strong> ${next(s)}</p>
    ${failure({ ...data, s, events, invoices })}
    ${acts.buttons()}${acts.asking()}
    <div class="twin">
      <section><h2>${words.story}</h2>
        ${notes.length ? html`<ul class="history notes" id="notes">${notes.map(n => html`<li><p class="note">${n.text}</p><span class="quiet">${n.actor}, ${minute(n.at)}</span></li>`)}</ul>` : ''}
        <ol class="history" id="story" reversed>${[...events].reverse().map(e => html`<li>${said(e)} <span class="quiet">${minute(e.at)}${e.actor === 'engine' ? '' : ` · ${word(words.actor, e.actor) ?? e.actor}`}</span></li>`)}</ol>
        <h2>${w.mails.title}</h2><p class="done" role="status">${mailSaid}</p>${mailList(mails, may('support') ? resend : undefined)}</section>
      <section><h2>${words.money}</h2>${invoices.length ? html`<ul class="cards" id="invoices">${invoices.map(invoice)}</ul>` : html`<p class="quiet">${words.noMoney}</p>`}
        <h2>${words.facts}</h2><dl class="order facts">
          ${fact('license', words.license, license && html`<code>${license.id}</code> <span class="status ${license.status}">${word(t.account.license, license.status) ?? license.status}</span>`)}
          ${fact('licensee', words.licensee, license?.licensee)}
          ${fact('valid', words.validUntil, license && minute(license.valid_until))}
          ${fact('sites', words.sites, license?.sites.join(', '))}
          ${fact('usage', words.usage, license?.usage && words.used(license.usage.estimate, license.usage.window_days))}
          ${fact('period', words.period, s.current_period && `${day(s.current_period.start)} – ${day(s.current_period.end)}`)}
          ${fact('vat', words.vat, data.billed?.vat_id && vatWords(data.billed))}
          ${fact('card', words.card, s.payment_method && cardWords(s.payment_method))}
          ${fact('comp', words.comp, s.comp && s.comp.reason)}
          ${fact('clock', words.clock, s.test_clock)}
          ${fact('id', words.id, html`<code>${s.id}</code>`)}
          ${fact('temporal', words.workflow, operator.me?.temporal_ui && html`<a id="temporal" href="${operator.me.temporal_ui}${s.id}">${words.toTemporal}</a>`)}
        </dl></section>
    </div>`);
  draw();
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
});
