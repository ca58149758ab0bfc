// @ts-check
// "/operator/sessions": where operators have signed in, and the way to end that.
import { read, remove } from '../api.js';
import { minute } from '../format.js';
import { html } from '../lit-html/lit-html.js';
import { page, problem } from './frame.js';
import { w } from './words.js';
/** @import { Show } from '../../types/pages' */

const words = w.sessions;

/** @param {Show} show */
export const sessions = show => page(show, words.title, () => read('/v1/operator/sessions'), ({ data }) => {
  let list = data;
  let wrong = '';
  /** @param {string} id */
  const end = async id => {
    const { ok, body } = await remove(`/v1/operator/sessions/${id}`);
    wrong = ok ? '' : problem(body);
    if (ok && list.find(s => s.id === id)?.current) location.assign('/operator');
    if (ok) list = list.filter(s => s.id !== id);
    draw();
  };
  const draw = () => show(words.title, html`<h1>${words.title}</h1><p class="lead">${words.lead}</p><p class="error" role="alert">${wrong}</p>
    <ul class="cards" id="sessions">${list.map(s => html`<li class="panel"><div><strong>${s.operator || w.nobody}</strong> <span class="quiet">${w.role[s.role]} · ${words.by[s.by]}</span>
      <button type="button" class="link amount" aria-label=${words.endOf(s.operator || w.nobody, minute(s.created_at))} @click=${() => end(s.id)}>${words.end}</button></div>
      <p class="quiet">${words.since(minute(s.created_at), minute(s.expires_at))} ${s.current ? html`<strong>${words.current}</strong>` : ''}</p></li>`)}</ul>`);
  draw();
});
