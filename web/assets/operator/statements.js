// @ts-check
// "/operator/statements": a bank's statement, and what became of each line.
import { read, send } from '../api.js';
import { submitted } from '../events.js';
import { money } from '../format.js';
import { html } from '../lit-html/lit-html.js';
import { newKey } from '../retry.js';
import { word } from '../words.js';
import { Actions } from './act.js';
import { may, page, problem, table } from './frame.js';
import { w } from './words.js';
/** @import { Reply, Show } from '../../types/pages' */
/** @import { Action, KeptLine, StatementLine } from '../../types/console' */

const words = w.statements;

/** @returns {Promise<KeptLine[]>} the lines that nobody has settled, a hundred at most */
const waiting = async () => (await read('/v1/operator/statement-lines?limit=100')).data;

/** @param {KeptLine} l @returns {Action} */
const assign = l => ({
  id: `assign-${l.id}`, letter: '', label: words.assignOf(money(l.amount), l.date), lead: html`<span lang="en">${l.text}</span>`, confirm: words.assign, done: words.settled,
  path: `/v1/operator/statement-lines/${l.id}/assign`, fields: [{ name: 'invoice', label: words.number, required: true, max: 64 }], body: v => ({ invoice: v.invoice }),
});

/** @param {KeptLine} l @returns {Action} */
const dismiss = l => ({
  id: `dismiss-${l.id}`, letter: '', label: words.dismissOf(money(l.amount), l.date), lead: words.dismissLead, confirm: words.dismiss, done: words.settled,
  path: `/v1/operator/statement-lines/${l.id}/dismiss`, fields: [{ name: 'reason', label: w.reason, required: true }], body: v => ({ reason: v.reason }),
});

/** @param {Show} show */
export const statements = show => page(show, words.title, () => (may('finance') ? waiting() : Promise.resolve([])), open => {
  const acts = new Actions(() => draw(), async () => { open = await waiting(); });
  /** @type {StatementLine[] | undefined} */
  let lines;
  let wrong = '';
  let busy = false;
  let key = newKey();
  const upload = async () => {
    const file = /** @type {HTMLInputElement} */ (document.getElementById('file')).files?.[0];
    if (!file || busy) return;
    busy = true;
    wrong = '';
    draw();
    try {
      /** @type {Reply<{ data: StatementLine[] }>} */
      const { ok, status, body } = await send('POST', '/v1/operator/statements', file, { key, type: 'text/csv' });
      if (ok) {
        lines = body.data;
        open = await waiting();
      }
      else wrong = problem(body);
      if (status !== 202) key = newKey(); // of what is not known yet, the same upload tells
    } catch (error) {
      console.error(error);
      wrong = w.unreachable;
    }
    busy = false;
    draw();
    document.getElementById('lines')?.focus();
  };
  const draw = () => show(words.title, html`<h1>${words.title}</h1><p class="lead">${words.lead}</p>
    ${may('finance') ? html`<form id="statement" class="narrow" aria-busy=${busy} @submit=${submitted(upload)}><div class="field"><label for="file">${words.file}</label>
      <input type="file" id="file" accept=".csv,text/csv" required></div><p class="error" role="alert">${wrong}</p>
      <button type="submit" id="upload" ?disabled=${busy}>${words.upload}</button></form>` : html`<p role="alert">${w.notAllowed}</p>`}
    ${lines ? html`<section>${table('lines', words.results, [words.line, words.date, words.amount, words.result, words.invoice], lines.map(l => [
    String(l.line), l.date, { number: money(l.amount) },
    html`<span class="result-${l.result}">${word(words.became, l.result) ?? l.result}</span>${l.detail ? html` <span class="quiet" lang="en">${l.detail}</span>` : ''}`,
    l.subscription_id ? html`<a href="/operator/subscriptions/${l.subscription_id}#${l.invoice_id}">${l.invoice}</a>` : l.invoice ?? '',
  ]))}</section>` : ''}
    ${may('finance') ? html`<section id="to-settle"><h2>${words.open}</h2>${acts.asking()}
      ${open.length ? table('open-lines', words.open, [words.date, words.amount, words.text, words.why, ''], open.map(l => [
    l.date, { number: money(l.amount) }, html`<span lang="en">${l.text}</span>`, html`<span class="quiet" lang="en">${l.why}</span>`,
    html`<span class="buttons">${[assign(l), dismiss(l)].map(a => html`<button type="button" class="second" id="do-${a.id}" aria-label=${a.label} @click=${() => acts.begin(a)}>${a.confirm}</button>`)}</span>`,
  ])) : html`<p class="quiet" id="none-open">${words.none}</p>`}</section>` : ''}`);
  draw();
});
