// @ts-check
// "/operator/papers": the vendor's own papers, which customers download.
import { download, read, remove, send } from '../api.js';
import { submitted } from '../events.js';
import { minute } from '../format.js';
import { html } from '../lit-html/lit-html.js';
import { t } from '../words.js';
import { may, page, problem, table } from './frame.js';
import { w } from './words.js';
/** @import { Reply, Show } from '../../types/pages' */

const words = w.papers;
const fetched = async () => (await read('/v1/vendor-documents')).data;

/** @param {Show} show */
export const papers = show => page(show, words.title, fetched, data => {
  let list = data;
  let wrong = '';
  let busy = false;

  /** @param {() => Promise<Reply<unknown>>} act */
  const command = async act => {
    if (busy) return;
    busy = true;
    wrong = '';
    draw();
    try {
      const { ok, body } = await act();
      if (!ok) wrong = problem(/** @type {object} */ (body));
      list = await fetched();
    } catch (error) {
      console.error(error);
      wrong = w.unreachable;
    }
    busy = false;
    draw();
  };
  const upload = () => command(() => {
    const form = /** @type {HTMLFormElement} */ (document.getElementById('paper'));
    const { title, file } = /** @type {{ title: string, file: File }} */ (Object.fromEntries(new FormData(form)));
    const name = title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 64) || 'paper';
    return send('PUT', `/v1/operator/vendor-documents/${name}?title=${encodeURIComponent(title)}`, file, { type: 'application/pdf' });
  });
  const draw = () => show(words.title, html`<h1>${words.title}</h1><p class="lead">${words.lead}</p>
    <p class="error" role="alert" id="paper-error">${wrong}</p>
    ${list.length ? table('papers', words.title, [words.name, words.since, ''], list.map(d => [
    html`<button type="button" class="link" aria-label=${t.account.pdfOf(d.title)} @click=${() => download(`/v1/vendor-documents/${d.name}`).catch(console.error)}>${d.title}</button>`, minute(d.updated_at),
    may('finance') ? html`<button type="button" class="link" ?disabled=${busy} aria-label=${words.removeOf(d.title)} @click=${() => command(() => remove(`/v1/operator/vendor-documents/${d.name}`))}>${t.account.removeCard}</button>` : '',
  ])) : html`<p>${words.none}</p>`}
    ${may('finance') ? html`<form id="paper" class="narrow" aria-busy=${busy} @submit=${submitted(upload)}>
      <div class="field"><label for="paper-title">${words.name}</label><input id="paper-title" name="title" maxlength="200" required autocomplete="off" aria-describedby="paper-hint"><p class="hint" id="paper-hint">${words.hint}</p></div>
      <div class="field"><label for="paper-file">${words.file}</label><input type="file" id="paper-file" name="file" accept=".pdf,application/pdf" required></div>
      <button type="submit" id="upload" ?disabled=${busy}>${words.upload}</button></form>` : ''}`);
  draw();
});
