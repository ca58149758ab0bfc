// @ts-check
// "/account/licenses" and a licence's own page: what the licensee needs, and no
// prices.
import { html } from './lit-html/lit-html.js';
import { listing, page, planWords } from './account.js';
import { post, put, read } from './api.js';
import { submitted } from './events.js';
import { day, minute } from './format.js';
import { icon } from './icon.js';
import { fact } from './rows.js';
import { t, word } from './words.js';
/** @import { Content, Context, License, Product, Show } from '../types/pages' */

const w = t.account;

/** @param {License} l */
const badge = l => html`<span class="status ${l.status}">${word(w.license, l.status) ?? l.status}</span>`;
/** @param {License} l */
const usable = l => ['ACTIVE', 'TRIAL', 'PAST_DUE', 'CANCELED', 'OVER_LIMIT', 'NOT_ACTIVATED'].includes(l.status);

/** @param {License} l @param {License['versions'][number]} version @param {string} look a class */
const download = (l, { version }, look) => html`<a class=${look} href="/v1/licenses/${l.id}/download?version=${encodeURIComponent(version)}" download>${w.download(version)}</a>`;

/** @param {Product} [product] */
const changelogOf = product => (product?.changelog_url ? html`<a href=${product.changelog_url} target="_blank" rel="noopener">${w.changelog} ↗</a>` : '');

/**
 * versionsOf is a list of versions, each to be downloaded.
 * @param {License} l
 * @param {License['versions']} versions
 */
const versionsOf = (l, versions) => html`<ul class="versions">${versions.map(v => html`<li>
  <div><strong>${v.version}</strong> <span class="quiet">${day(v.released_at)}${v.outdated ? ` · ${w.outdated}` : ''}</span>
    ${usable(l) ? download(l, v, 'amount') : ''}</div>
  ${v.changelog ? html`<p class="changelog">${v.changelog}</p>` : ''}</li>`)}</ul>`;

/** @param {License} l @param {Product} [product] */
const files = (l, product) => {
  const [newest, ...previous] = l.versions;
  if (!newest) return html`<p>${w.noVersions}</p>`;
  return html`<p class="buttons">${usable(l) ? download(l, newest, 'button') : html`<span class="quiet">${w.notValid}</span>`}
      ${changelogOf(product)}</p>
    ${previous.length ? html`<details><summary>${w.previousVersions}</summary>${versionsOf(l, previous)}</details>` : ''}`;
};

/**
 * cardsOf groups licences by their visual.
 * @param {License[]} rows
 * @param {Context<unknown>} context
 */
const cardsOf = (rows, { pays, known, nameOf }) => {
  const column = (/** @type {string} */ label, /** @type {Content} */ value) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
  return html`<div id="licenses">${[...new Set(rows.map(l => l.product))].map(id => {
    const product = known.find(p => p.id === id);
    return html`<section><h2>${nameOf(id)}</h2><ul class="cards">${rows.filter(l => l.product === id).map(l => html`<li class="panel license">
      ${icon(product, 56)}
      <div><dl class="columns">
        ${column(w.licenseID, html`<a href="/account/licenses/${l.id}"><code>${l.id}</code></a>`)}
        ${column(w.subscription, pays ? html`<a href="/account/subscriptions/${l.subscription_id}">#${l.subscription_number}</a>` : `#${l.subscription_number}`)}
        ${column(w.statusLabel, badge(l))}
        ${column(w.expires, day(l.valid_until))}
      </dl><p class="quiet">${planWords(l)}</p>${files(l, product)}</div></li>`)}</ul></section>`;
  })}</div>`;
};

/** @param {Show} show */
export const licenses = show => listing(show, w.licenses, '/account/licenses', query => read(`/v1/licenses${query}`), w.noLicenses, cardsOf);

/** @param {Show} show @param {string} id */
export const license = (show, id) => page(show, w.oneLicense, '/account/licenses', (framed, { pays, known, data, nameOf }) => {
  let l = data;
  let said = '';
  let wrong = '';
  let busy = false;
  let keySaid = '';

  const save = async () => {
    if (busy) return;
    busy = true;
    said = wrong = '';
    const sites = /** @type {HTMLTextAreaElement} */ (document.getElementById('sites')).value.split(/[\s,;]+/).filter(Boolean);
    draw();
    try {
      const { ok, body } = await put(`/v1/licenses/${l.id}/sites`, { sites });
      if (ok) {
        l = body;
        said = w.sitesSaved;
      } else {
        wrong = word(w.refusal, body.code) ?? word(t.refusal, body.code) ?? w.refusal.sites;
      }
    } catch {
      wrong = t.unreachable;
    }
    busy = false;
    draw();
  };

  let handed = '';
  let notHanded = '';
  const handOver = async () => {
    if (busy) return;
    busy = true;
    handed = notHanded = '';
    const to = /** @type {{ name: string, email: string }} */ (Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (document.getElementById('hand-over')))));
    draw();
    try {
      const { ok, body } = await put(`/v1/licenses/${l.id}/licensee`, to);
      if (ok) {
        l = body;
        handed = w.handedOver(l.licensee);
      } else {
        notHanded = word(w.refusal, body.code) ?? body.errors?.[0]?.detail ?? body.detail ?? w.refusal.other;
      }
    } catch {
      notHanded = t.unreachable;
    }
    busy = false;
    draw();
  };

  const rotate = async () => {
    if (busy) return;
    busy = true;
    keySaid = '';
    draw();
    try {
      const { ok, body } = await post(`/v1/licenses/${l.id}/activation-key/rotate`);
      if (ok) l = body;
      keySaid = ok ? w.keyReplaced : w.keyKept;
    } catch {
      keySaid = t.unreachable;
    }
    busy = false;
    draw();
  };

  const draw = () => framed(`${w.oneLicense} ${nameOf(l.product)}`, html`
    <p><a href="/account/licenses">← ${w.licenses}</a></p>
    <h1>${nameOf(l.product)}</h1>
    <dl class="order facts">
      ${fact('license-id', w.licenseID, html`<code>${l.id}</code>`)}
      ${fact('license-status', w.statusLabel, badge(l))}
      ${fact('valid-until', t.result.validUntil, minute(l.valid_until))}
      ${fact('plan', t.result.plan, planWords(l))}
      ${fact('licensee', t.result.licensee, l.licensee)}
      ${fact('subscription', t.result.subscription, pays ? html`<a href="/account/subscriptions/${l.subscription_id}">#${l.subscription_number}</a>` : `#${l.subscription_number}`)}
      ${fact('usage', w.usageLabel, l.usage && w.usage(l.usage.estimate, l.usage.without_id_share))}
      ${fact('over-since', w.overSince, (l.usage?.over_since ? minute(l.usage.over_since) : null))}
      ${fact('tenant', w.tenant, l.tenant && html`<code>${l.tenant}</code>`)}
    </dl>
    <section><h2>${w.activate}</h2><p>${w.activation[l.activation]}</p>
      ${l.activation_key ? html`<div class="field"><label for="activation-key">${w.key}</label>
        <textarea id="activation-key" rows="3" readonly spellcheck="false" .value=${l.activation_key}></textarea>
        <p class="hint">${w.replaceHint}</p></div>
        <button type="button" id="replace-key" class="button" @click=${rotate} ?disabled=${busy}>${w.replaceKey}</button> <span role="status" id="key-said">${keySaid}</span>`
        : l.activation === 'entra' ? html`<p class="quiet">${w.keyElsewhere}</p>` : ''}
      ${l.activation === 'entra' ? html`<details id="consent"><summary>${w.consentTitle}</summary><p>${w.consent}</p></details>` : ''}</section>
    ${l.sites_allowed ? html`<section><h2>${t.checkout.sites}</h2><form class="narrow" @submit=${submitted(save)}>
      <div class="field"><label for="sites">${w.sites(l.sites_allowed)}</label>
        <textarea id="sites" rows="4" spellcheck="false" autocapitalize="off" aria-describedby="sites-hint sites-error" aria-invalid=${Boolean(wrong)} .value=${l.sites.join('\n')}></textarea>
        <p class="hint" id="sites-hint">${w.sitesHint}</p><p class="error" id="sites-error" role="alert">${wrong}</p></div>
      <button type="submit" id="save-sites" ?disabled=${busy}>${w.save}</button> <span role="status">${said}</span></form></section>` : ''}
    ${pays && usable(l) ? html`<section><h2>${w.handOver}</h2><p class="quiet">${w.handOverLead}</p>
      <form id="hand-over" class="narrow" autocomplete="off" @submit=${submitted(handOver)}>
        <div class="field"><label for="to-name">${t.checkout.name}</label><input id="to-name" name="name" required maxlength="200"></div>
        <div class="field"><label for="to-email">${t.checkout.email}</label><input id="to-email" name="email" type="email" required maxlength="254" aria-describedby="hand-over-error"></div>
        <p class="error" id="hand-over-error" role="alert">${notHanded}</p>
        <button type="submit" id="hand-over-do" class="second" ?disabled=${busy}>${w.handOverDo}</button> <span role="status" id="handed-over">${handed}</span></form></section>` : ''}
    <section id="versions"><h2>${w.versions}</h2>
      ${l.versions.length ? html`${versionsOf(l, l.versions)}<p>${changelogOf(known.find(p => p.id === l.product))}</p>` : html`<p>${w.noVersions}</p>`}
      ${usable(l) ? '' : html`<p class="quiet">${w.notValid}</p>`}</section>`);
  draw();
}, () => read(`/v1/licenses/${id}`));
