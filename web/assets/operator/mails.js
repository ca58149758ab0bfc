// @ts-check
// Mails that were sent: what about, when, and once more.
import { minute } from '../format.js';
import { html } from '../lit-html/lit-html.js';
import { word } from '../words.js';
import { w } from './words.js';
/** @import { Mail } from '../../types/console' */

const words = w.mails;

/** @param {Mail[]} mails @param {(m: Mail) => unknown} [resend] */
export const mailList = (mails, resend) => (mails.length ? html`<ul class="history" id="mails">${mails.map(m => html`<li>
  <span lang="en">${m.kind.replaceAll('_', ' ')}</span> <span class="quiet">${word(words.to, m.to) ?? m.to}, ${minute(m.done_at ?? m.at)} · ${word(words.status, m.status) ?? m.status}${m.resent_as ? ` · ${words.again}` : ''}</span>
  ${resend && m.status !== 'waiting' && !m.resent_as ? html`<button type="button" class="link" data-mail=${m.kind} @click=${() => resend(m)}>${words.resend}</button>` : ''}</li>`)}</ul>` : html`<p class="quiet">${words.none}</p>`);
