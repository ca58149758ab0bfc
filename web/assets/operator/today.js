// @ts-check
// "/operator/today": what needs a person, by kind, each with the page that it leads to.
import { read } from '../api.js';
import { html } from '../lit-html/lit-html.js';
import { word } from '../words.js';
import { page } from './frame.js';
import { w } from './words.js';
/** @import { Show } from '../../types/pages' */

const words = w.today;

/** @param {string} id */
const leadsTo = id => (id.startsWith('sub_') ? `/operator/subscriptions/${id}` : id.startsWith('stl_') ? '/operator/statements' : id.includes('/') ? `/operator/catalogue#versions-${id.split('/')[0]}` : '');

/** @param {Show} show */
export const today = show => page(show, words.title, () => read('/v1/operator/today'), ({ data, unknown }) => {
  const some = data.filter(task => task.count > 0);
  show(words.title, html`<h1>${words.title}</h1>
    ${some.length ? html`<div id="tasks">${some.map(({ kind, count, ids }) => html`<section><h2>${word(words.kind, kind) ?? kind} <span class="quiet">${count}</span></h2>
      <p class="quiet">${word(words.advice, kind) ?? ''}</p>
      <ul class="history">${ids.map(id => html`<li>${leadsTo(id) ? html`<a href=${leadsTo(id)}><code>${id}</code></a>` : html`<code>${id}</code>`}</li>`)}</ul></section>`)}</div>`
    : html`<p class="lead" id="nothing">${words.nothing}</p>`}
    ${unknown.map(kind => html`<p role="alert">${words.unknown(word(words.kind, kind) ?? kind)}</p>`)}`);
});
