// @ts-check
// "/operator/customer?email=…": all that hangs on an address.
import { cardWords, planWords } from '../account.js';
import { download, post, read } from '../api.js';
import { day, minute, money } from '../format.js';
import { html } from '../lit-html/lit-html.js';
import { t, word } from '../words.js';
import { Actions } from './act.js';
import { may, orNone, page, problem } from './frame.js';
import { mailList } from './mails.js';
import { w } from './words.js';
/** @import { Show } from '../../types/pages' */
/** @import { Mail } from '../../types/console' */

const words = w.customer;
const none = { data: [], next_cursor: null };

/** @param {string} email */
const fetched = async email => {
  const of = `email=${encodeURIComponent(email)}`;
  const [subscriptions, licenses, invoices, balance, cards, mails] = await Promise.all([
    read(`/v1/subscriptions?limit=100&${of}`), read(`/v1/licenses?limit=100&${of}`), read(`/v1/invoices?limit=100&${of}`),
    orNone(read(`/v1/balance?${of}`), { data: [], entries: [] }), orNone(read(`/v1/payment-methods?${of}`), none), read(`/v1/operator/mails?limit=50&${of}`),
  ]);
  return { subscriptions: subscriptions.data, licenses: licenses.data, invoices: invoices.data, balance: balance.data, entries: balance.entries, cards: cards.data, mails: mails.data };
};

/** @param {Show} show */
export const customer = show => {
  const email = new URLSearchParams(location.search).get('email') ?? '';
  return page(show, email || words.title, () => fetched(email), data => {
    let said = '';
    /** @param {Mail} m */
    const resend = async m => {
      const { ok, body } = await post(`/v1/operator/mails/${m.id}/resend`);
      said = ok ? w.mails.resent : problem(body);
      data = await fetched(email);
      draw();
    };
    const acts = new Actions(() => draw(), async () => { data = await fetched(email); });
    acts.list = may('finance') && email ? [{
      id: 'discount', letter: 'd', label: words.discount, lead: words.discountLead, done: words.discountDone, method: 'PUT', path: '/v1/operator/accounts/discount',
      fields: [{ name: 'percent', label: words.percent, type: 'number', required: true }],
      body: v => (/^(\d{1,2}|100)$/.test(v.percent) ? { email, percent: Number(v.percent) } : words.percentWrong),
    }] : [];
    const draw = () => show(email, html`<h1>${email}</h1>${acts.list.length ? html`${acts.asking()}${acts.open ? '' : acts.buttons()}` : ''}
      <div class="twin"><section>
        <h2>${words.subscriptions}</h2>${data.subscriptions.length ? html`<ul class="cards" id="subscriptions">${data.subscriptions.map(s => html`<li class="panel">
          <div><a href="/operator/subscriptions/${s.id}">${s.product} <span class="quiet">#${s.number}</span></a> <span class="status ${s.status}">${word(w.status, s.status) ?? s.status}</span></div>
          <p class="quiet">${planWords(s)}${s.next_payment_at ? ` · ${t.account.next(day(s.next_payment_at))}` : ''}</p></li>`)}</ul>` : html`<p class="quiet">${words.noSubscriptions}</p>`}
        <h2>${words.licenses}</h2>${data.licenses.length ? html`<ul class="cards" id="licenses">${data.licenses.map(l => html`<li class="panel">
          <div><a href="/operator/subscriptions/${l.subscription_id}"><code>${l.id}</code></a> <span class="status ${l.status}">${word(t.account.license, l.status) ?? l.status}</span></div>
          <p class="quiet">${l.product} · ${l.licensee} · ${minute(l.valid_until)}</p></li>`)}</ul>` : html`<p class="quiet">${words.noLicenses}</p>`}
        <h2>${w.mails.title}</h2><p class="done" role="status">${said}</p>${mailList(data.mails, may('support') ? resend : undefined)}
      </section><section>
        <h2>${words.balance}</h2>${data.balance.length ? html`<p id="balance">${data.balance.map(m => money(m)).join(', ')}</p>
          <ul class="history">${data.entries.map(e => html`<li>${money(e.amount)} <span class="quiet">${word(words.cause, e.cause) ?? e.cause}, ${minute(e.at)}</span></li>`)}</ul>` : html`<p class="quiet">${words.noBalance}</p>`}
        <h2>${words.cards}</h2>${data.cards.length ? html`<ul class="history" id="cards">${data.cards.map(c => html`<li>${cardWords(c)}</li>`)}</ul>` : html`<p class="quiet">${words.noCards}</p>`}
        <h2>${words.documents}</h2>${data.invoices.length ? html`<ul class="cards" id="invoices">${data.invoices.map(i => html`<li class="panel">
          <div><a href="/operator/subscriptions/${i.subscription_id}#${i.id}">${i.number ?? t.account.draft}</a> <span class="status ${i.status}">${t.account.invoice[i.status] ?? i.status}</span><span class="amount">${money(i.total)}</span></div>
          <p class="quiet">${i.issued_at ? day(i.issued_at) : ''} ${i.number ? html`<button type="button" class="link" aria-label=${t.account.pdfOf(i.number)} @click=${() => download(`/v1/invoices/${i.id}/pdf`)}>${t.account.pdf}</button>` : ''}</p></li>`)}</ul>` : html`<p class="quiet">${words.noDocuments}</p>`}
      </section></div>`);
    draw();
  });
};
