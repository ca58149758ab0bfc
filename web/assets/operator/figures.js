// @ts-check
// "/operator/figures": the reports as tables, two of them as charts, and each as CSV.
import { download, read } from '../api.js';
import { submitted } from '../events.js';
import { day, money } from '../format.js';
import { html, svg } from '../lit-html/lit-html.js';
import { word } from '../words.js';
import { page, table } from './frame.js';
import { w } from './words.js';
/** @import { Content, Money, Show } from '../../types/pages' */
/** @typedef {Record<string, string | number | Money>} Row */

const words = w.figures;
const reports = /** @type {const} */ (['mrr', 'movements', 'cohorts', 'upcoming', 'recovery']);

/** @param {string | number | Money} v @returns {Content | { number: Content }} */
const cell = v => (typeof v === 'object' ? { number: money(v) } : typeof v === 'number' ? { number: String(v) } : /^\d{4}-\d\d-\d\dT/.test(v) ? day(v)
  : v.startsWith('sub_') ? html`<a href="/operator/subscriptions/${v}"><code>${v}</code></a>` : v);

/**
 * bars is a chart of amounts over time. Its table has the same figures.
 * @param {string} title
 * @param {{ label: string, amount: Money }[]} points
 */
const bars = (title, points) => {
  const [width, height] = [640, 160];
  const most = Math.max(1, ...points.map(p => p.amount.amount));
  const step = width / Math.max(1, points.length);
  return html`<figure class="chart"><figcaption>${title}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label=${title}>
    ${points.map((p, i) => {
    const tall = Math.max(1, Math.round((height - 4) * Math.max(0, p.amount.amount) / most));
    return svg`<rect x=${i * step + 2} y=${height - tall} width=${Math.max(1, step - 4)} height=${tall}><title>${p.label}: ${money(p.amount)}</title></rect>`;
  })}</svg></figure>`;
};

// says tells whether a row has a figure, or is of all products.
const says = (/** @type {Row} */ row) => !row.product || Object.values(row).some(v => (typeof v === 'object' ? v.amount : typeof v === 'number' && v));

/** @param {string} name @param {string} query @returns {Promise<Row[]>} */
const rowsOf = async (name, query) => /** @type {any} */ (await read(/** @type {any} */ (`/v1/operator/reports/${name}${query}`))).data;

/** @param {Show} show */
export const figures = show => {
  const asked = new URLSearchParams(location.search);
  const given = ['from', 'to', 'currency'].flatMap(name => (asked.get(name) ? [[name, asked.get(name) ?? '']] : []));
  const query = given.length ? `?${new URLSearchParams(given.map(([name, v]) => [name, name === 'currency' ? v : `${v}T00:00:00Z`]))}` : '';
  // What is to come is not about a time that has passed.
  const of = (/** @type {string} */ name) => (name === 'upcoming' ? (asked.get('currency') ? `?currency=${asked.get('currency')}` : '') : query);
  return page(show, words.title, async () => Object.fromEntries(await Promise.all(reports.map(async name => [name, await rowsOf(name, of(name))]))), data => {
    const go = () => {
      const form = new FormData(/** @type {HTMLFormElement} */ (document.getElementById('range')));
      location.assign(`?${new URLSearchParams([...form].map(([name, v]) => [name, String(v)]).filter(([, v]) => v))}`);
    };
    const whole = /** @type {Row[]} */ (data.mrr).filter(r => r.product === '');
    const currencies = [...new Set(whole.map(r => String(r.currency)))];
    show(words.title, html`<h1>${words.title}</h1>
      <form id="range" class="choices" @submit=${submitted(go)}>
        <div><label for="from">${words.from}</label><input type="date" id="from" name="from" .value=${asked.get('from') ?? ''}></div>
        <div><label for="to">${words.to}</label><input type="date" id="to" name="to" .value=${asked.get('to') ?? ''}></div>
        <div><label for="currency">${words.currency}</label><input id="currency" class="currency" name="currency" maxlength="3" .value=${asked.get('currency') ?? ''}></div>
        <button type="submit" class="second">${words.show}</button></form>
      ${currencies.map(c => bars(words.chart(c), whole.filter(r => r.currency === c).map(r => ({ label: day(String(r.at)), amount: /** @type {Money} */ (r.mrr) }))))}
      ${reports.map(name => {
      const rows = /** @type {Row[]} */ (data[name]).filter(says);
      return html`<section><h2>${words.report[name]}</h2><p class="quiet">${words.about[name]}</p>
        ${rows.length ? html`${table(`report-${name}`, words.report[name], Object.keys(rows[0]).map(key => word(words.column, key) ?? key), rows.map(row => Object.values(row).map(cell)))}
        <p><button type="button" class="link" @click=${() => download(`/v1/operator/reports/${name}${of(name)}`, { type: 'text/csv' })} aria-label=${words.csvOf(words.report[name])}>CSV</button></p>` : html`<p>${words.none}</p>`}</section>`;
    })}`);
  });
};
