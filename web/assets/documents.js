// @ts-check
// What a finance department asks for: "/account/documents", invoices and credit
// notes; "/account/quotes"; "/account/statement"; "/account/vendor-documents".
import { html } from './lit-html/lit-html.js';
import { listing, page, planWords } from './account.js';
import { read } from './api.js';
import { entered } from './events.js';
import { day, money } from './format.js';
import { fact } from './rows.js';
import { t } from './words.js';
/** @import { Document, Quote, Show } from '../types/pages' */

const w = t.account;

/** @param {Document} d */
const row = d => html`<li class="panel" id=${d.kind === 'invoice' ? d.invoice_id : d.number}>
  <div><strong>${d.kind === 'invoice' ? d.number : w.creditNote(d.number)}</strong>
    ${d.status ? html`<span class="status ${d.status}">${w.invoice[d.status] ?? d.status}</span>` : ''}
    <span class="amount ${d.kind === 'invoice' ? '' : 'credit'}">${d.kind === 'invoice' ? '' : '−'}${money(d.total)}</span></div>
  <p class="quiet">${day(d.issued_at)} · ${d.status === 'open' && d.due_at ? `${w.due(day(d.due_at))} · ` : ''}<a href="/account/subscriptions/${d.subscription_id}">${d.description}</a></p>
  <p><a href="/v1/documents/${d.number}/pdf" download aria-label=${w.pdfOf(d.number)}>${w.pdf}</a></p></li>`;

/** @param {Document[]} list */
export const rows = list => html`<ul class="cards" id="documents">${list.map(row)}</ul>`;

/**
 * choose is a selector of a filter.
 * @param {string} name
 * @param {string} label
 * @param {[value: string, text: string][]} options
 * @param {string} chosen
 * @param {(value: string) => void} change
 */
const choose = (name, label, options, chosen, change) => html`<div class="field"><label for=${name}>${label}</label>
  <select id=${name} @change=${entered(change)}>${options.map(([value, text]) => html`<option value=${value} .selected=${value === chosen}>${text}</option>`)}</select></div>`;

/** @param {Show} show */
export const documents = show => page(show, w.documents, '/account/documents', (framed, { data, nameOf }) => {
  const { subscriptions } = data;
  let { found } = data;
  let busy = false;
  let failed = false;
  const first = Math.min(...subscriptions.map(s => Number(s.created_at.slice(0, 4))), new Date().getUTCFullYear());
  const years = Array.from({ length: new Date().getUTCFullYear() - first + 1 }, (_, i) => String(first + i)).reverse();
  const asked = Object.fromEntries(new URLSearchParams(location.search));
  /** @type {Record<string, string>} */
  const wish = { year: asked.year ?? '', kind: asked.kind ?? '', subscription: asked.subscription ?? '' };

  /** @param {string | null} [cursor] after which to go on; nothing: anew */
  const fetch = async cursor => {
    busy = true;
    failed = false;
    draw();
    try {
      const more = await read(`/v1/documents${query(cursor ? { cursor } : {})}`);
      found = cursor ? { ...more, data: [...found.data, ...more.data] } : more;
    } catch (error) {
      console.error(error);
      failed = true;
    }
    busy = false;
    draw();
  };
  /** @param {Record<string, string>} more @returns {`?${string}`} */
  const query = more => `?${new URLSearchParams(Object.entries({ year: wish.year, kind: wish.kind, subscription: wish.subscription, ...more }).filter(([, v]) => v))}`;
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => {
    wish[name] = value;
    history.replaceState(null, '', location.pathname + (query({}).length > 1 ? query({}) : ''));
    fetch();
  };
  const draw = () => framed(w.documents, html`<h1>${w.documents}</h1>
    <form class="filters" id="filters" @submit=${(/** @type {Event} */ e) => e.preventDefault()}>
      ${choose('year', w.year, [['', w.allYears], ...years.map(y => /** @type {[string, string]} */ ([y, y]))], wish.year, set('year'))}
      ${choose('kind', w.kind, [['', w.allKinds], ['invoice', w.invoices], ['credit_note', w.creditNotes]], wish.kind, set('kind'))}
      ${choose('subscription', w.subscription, [['', w.allSubscriptions], ...subscriptions.map(s => /** @type {[string, string]} */ ([s.id, `#${s.number} ${nameOf(s.product)}`]))], wish.subscription, set('subscription'))}
    </form>
    <p><a class="button second" id="archive" href="/v1/documents/archive?year=${wish.year || years[0]}" download>${w.archive(wish.year || years[0])}</a></p>
    <div id="found" aria-live="polite" aria-busy=${busy}>${failed ? html`<p class="error" role="alert">${t.unreachable}</p>`
      : found.data.length ? rows(found.data) : html`<p class="lead" id="none">${query({}).length > 1 ? w.noSuchDocuments : w.noDocuments}</p>`}</div>
    ${found.next_cursor ? html`<p><button type="button" class="second" ?disabled=${busy} @click=${() => fetch(found.next_cursor)}>${w.more}</button></p>` : ''}`);
  draw();
}, async () => {
  const asked = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => ['year', 'kind', 'subscription'].includes(name)));
  const [found, subscriptions] = await Promise.all([read(`/v1/documents?${asked}`), read('/v1/subscriptions?limit=100')]);
  return { found, subscriptions: subscriptions.data };
});

/** @param {Quote[]} list @param {(product: string) => string} nameOf */
const offers = (list, nameOf) => html`<ul class="cards" id="quotes">${list.map(q => html`<li class="panel" id=${q.id}>
  <div><a href="/quotes/${q.id}">${t.quote.title} ${q.number}</a> <span class="status ${q.status}">${w.quote[q.status] ?? q.status}</span>
    <span class="amount">${money(q.total)}</span></div>
  <p class="quiet">${nameOf(q.product)} · ${planWords(q)} · ${q.status === 'open' ? w.until(day(q.expires_at)) : day(q.created_at)}</p>
  ${q.purchase_order ? html`<p class="quiet">${w.purchaseOrder}: ${q.purchase_order}</p>` : ''}
  <p><a href="/v1/quotes/${q.id}/pdf" download aria-label=${w.pdfOf(q.number)}>${w.pdf}</a></p></li>`)}</ul>`;

/** @param {Show} show */
export const quotes = show => listing(show, w.quotes, '/account/quotes', query => read(`/v1/quotes${query}`),
  html`${w.noQuotes} <a href="/">${t.product.toAll}</a>`, (list, { nameOf }) => offers(list, nameOf));

/** @param {Show} show */
export const statement = show => page(show, w.statement, '/account/statement', (framed, { data }) => {
  let { list, from, until } = data;
  let busy = false;
  let wrong = '';
  const ask = async () => {
    busy = true;
    wrong = '';
    draw();
    try {
      list = (await read(`/v1/statement?from=${from}&until=${until}`)).data;
    } catch (error) {
      console.error(error);
      wrong = w.noSpan;
    }
    busy = false;
    draw();
  };
  const draw = () => framed(w.statement, html`<h1>${w.statement}</h1><p class="lead">${w.statementLead}</p>
    <form class="filters" id="span" @submit=${(/** @type {Event} */ e) => { e.preventDefault(); ask(); }}>
      <div class="field"><label for="from">${w.fromDay}</label><input type="date" id="from" required .value=${from} @change=${entered(v => { from = v; })}></div>
      <div class="field"><label for="until">${w.untilDay}</label><input type="date" id="until" required .value=${until} @change=${entered(v => { until = v; })}></div>
      <div class="field"><button type="submit" id="show" ?disabled=${busy}>${w.showStatement}</button></div>
    </form>
    <p class="error" id="span-error" role="alert">${wrong}</p>
    <div id="statements" aria-live="polite" aria-busy=${busy}>${list.length ? list.map(s => html`<section><h2>${s.currency}</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="${w.statement} ${s.currency}"><table class="statement" id="statement-${s.currency}">
        <thead><tr><th scope="col">${w.day}</th><th scope="col">${w.document}</th><th scope="col">${w.amount}</th><th scope="col">${w.balanceThen}</th></tr></thead>
        <tbody><tr><td></td><th scope="row">${w.opening}</th><td></td><td>${money(s.opening)}</td></tr>
        ${s.rows.map(r => html`<tr><td>${day(r.at)}</td><th scope="row">${(w.moved[r.kind] ?? w.moved.invoice)(r.document)}</th><td>${money(r.amount)}</td><td>${money(r.balance)}</td></tr>`)}</tbody>
        <tfoot><tr><td></td><th scope="row">${w.closing}</th><td></td><td id="closing-${s.currency}">${money(s.closing)}</td></tr></tfoot></table></div>
      <p><a href="/v1/statement/pdf?from=${s.from}&until=${s.until}&currency=${s.currency}" download aria-label=${w.pdfOf(`${w.statement} ${s.currency}`)}>${w.pdf}</a></p></section>`)
    : html`<p class="lead" id="none">${w.noStatement}</p>`}</div>
    ${list.length ? html`<p class="hint">${w.statementNote}</p>` : ''}`);
  draw();
}, async () => {
  const year = new Date().getUTCFullYear();
  const [from, until] = [`${year}-01-01`, `${year}-12-31`];
  return { from, until, list: (await read(`/v1/statement?from=${from}&until=${until}`)).data };
});

/** @param {Show} show */
export const vendorDocuments = show => page(show, w.vendorDocuments, '/account/vendor-documents', (framed, { data }) => {
  framed(w.vendorDocuments, html`<h1>${w.vendorDocuments}</h1><p class="lead">${w.vendorDocumentsLead}</p>
    ${data.length ? html`<dl class="order facts" id="vendor-documents">${data.map(d => fact(d.name, d.title, html`<a href="/v1/vendor-documents/${d.name}" download aria-label=${w.pdfOf(d.title)}>${w.pdf}</a>
      <span class="quiet">${day(d.updated_at)}</span>`))}</dl>` : html`<p id="none">${w.noVendorDocuments}</p>`}`);
}, async () => (await read('/v1/vendor-documents')).data);
