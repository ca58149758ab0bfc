// @ts-check
// "/operator/catalogue": products with their prices and packages, and coupons.
import { post, products, put, read, remove, send } from '../api.js';
import { submitted } from '../events.js';
import { day, minute, money } from '../format.js';
import { html } from '../lit-html/lit-html.js';
import { t, word } from '../words.js';
import { minor } from './act.js';
import { may, page, problem, table } from './frame.js';
import { w } from './words.js';
/** @import { Reply, Show } from '../../types/pages' */

const words = w.catalogue;

const fetched = async () => {
  const [sold, coupons] = await Promise.all([products(), read('/v1/operator/coupons?limit=100')]);
  const versions = await Promise.all(sold.map(async p => (await read(`/v1/operator/products/${p.id}/versions`)).data));
  return { sold, coupons: coupons.data, versions };
};

/** @param {string} id */
const form = id => /** @type {Record<string, string>} */ (Object.fromEntries([...new FormData(/** @type {HTMLFormElement} */ (document.getElementById(id)))].map(([k, v]) => [k, typeof v === 'string' ? v.trim() : ''])));

/** @param {Show} show */
export const catalogue = show => page(show, words.title, fetched, data => {
  let said = '';
  let wrong = '';
  let busy = false;

  /** @param {() => Promise<Reply<unknown>>} command @param {string} done */
  const carryOut = async (command, done) => {
    if (busy) return;
    busy = true;
    draw();
    try {
      const { ok, body } = await command();
      said = ok ? done : '';
      wrong = ok ? '' : problem(/** @type {any} */ (body));
      if (ok) data = await fetched();
    } catch (error) {
      console.error(error);
      wrong = w.unreachable;
    }
    busy = false;
    draw();
    document.getElementById(wrong ? 'catalogue-error' : 'catalogue-done')?.focus();
  };

  /** @param {string} product */
  const upload = product => {
    const { version, changelog } = form(`upload-${product}`);
    const file = /** @type {HTMLInputElement} */ (document.getElementById(`package-${product}`)).files?.[0];
    if (!file || !version) return;
    const body = new FormData();
    body.set('package', file);
    body.set('changelog', changelog);
    carryOut(() => send('PUT', `/v1/operator/products/${product}/versions/${encodeURIComponent(version)}`, body), words.published(version));
  };

  const coupon = () => {
    const v = form('coupon');
    const off = v.kind === 'percent' ? { percent: Number(v.value) } : { off: { amount: minor(v.value, v.kind), currency: v.kind } };
    if (!v.code || !(Number(v.value.replace(',', '.')) > 0)) {
      wrong = words.couponWrong;
      draw();
      return;
    }
    carryOut(() => put(`/v1/operator/coupons/${encodeURIComponent(v.code)}`, {
      ...off, invoices: Number(v.invoices || 0), ...(v.limit && { limit: Number(v.limit) }), ...(v.expires && { expires_at: `${v.expires}T23:59:59Z` }),
    }), words.couponSaved);
  };

  /** @type {{ changes: string[], plans: [string, number][], done: number } | undefined} what a migration would do, by plan, and how far it is */
  let migration;
  const rehearse = () => carryOut(async () => {
    const answer = await post('/v1/operator/catalog/migrate?dry_run=true', undefined);
    /** @type {string[]} */
    const changes = answer.ok ? answer.body.changes : [];
    const count = new Map();
    for (const line of changes) { // "~ subscription 12 sub_… PLAN: old → new"
      const plan = line.split(':')[0].split(' ').at(-1) ?? '';
      count.set(plan, (count.get(plan) ?? 0) + 1);
    }
    migration = answer.ok ? { changes, plans: [...count], done: 0 } : undefined;
    return answer;
  }, '');
  const migrate = () => carryOut(async () => {
    /** @type {Reply<any>} */
    let answer = { ok: true, status: 200, body: {}, retryAfter: 0 };
    for (const [plan, n] of migration?.plans ?? []) {
      answer = await post(`/v1/operator/catalog/migrate?plan=${encodeURIComponent(plan)}`, undefined);
      if (!answer.ok) return answer;
      if (migration) migration.done += n;
      draw();
    }
    migration = undefined;
    return answer;
  }, words.migrated);

  const draw = () => show(words.title, html`<h1>${words.title}</h1>
    <p id="catalogue-done" class="done" role="status" tabindex="-1">${said}</p><p id="catalogue-error" class="error" role="alert" tabindex="-1">${wrong}</p>
    ${data.sold.map((p, i) => html`<section><h2>${p.name} <span class="quiet">${p.id}</span></h2>
      <details><summary>${words.prices(p.plans.length)}</summary>${table(`plans-${p.id}`, words.pricesOf(p.name), [words.plan, words.cycle, words.price],
    p.plans.map(plan => [`${word(t.type, plan.type) ?? plan.type} ${plan.tier ?? ''}`, word(t.cycle, plan.cycle) ?? plan.cycle, { number: plan.prices.map(price => money(price)).join(' · ') }]))}</details>
      ${data.versions[i].length ? html`<ul class="cards" id="versions-${p.id}">${data.versions[i].map(v => html`<li class="panel"><div><strong>${v.version}</strong>
        <span class="quiet">${day(v.released_at)}</span> ${v.withdrawn_at ? html`<span class="status EXPIRED">${words.withdrawn(day(v.withdrawn_at))}</span>` : may()
    ? html`<button type="button" class="link amount" ?disabled=${busy} aria-label=${words.withdrawOf(p.name, v.version)}
          @click=${() => carryOut(() => remove(`/v1/operator/products/${p.id}/versions/${v.version}`), words.withdrawnNow(v.version))}>${words.withdraw}</button>` : ''}</div>
        <p class="quiet">${words.kids(v.kids.length)} ${v.kids.map(kid => html`<code>${kid.slice(0, 12)}…</code> `)}</p></li>`)}</ul>` : html`<p class="quiet">${words.noVersions}</p>`}
      ${may() ? html`<details><summary>${words.upload}</summary><form id="upload-${p.id}" class="narrow" @submit=${submitted(() => upload(p.id))}>
        <div class="field"><label for="version-${p.id}">${words.version}</label><input id="version-${p.id}" name="version" required maxlength="30"></div>
        <div class="field"><label for="package-${p.id}">${words.package}</label><input type="file" id="package-${p.id}" accept=".pbiviz" required></div>
        <div class="field"><label for="changelog-${p.id}">${words.changelog}</label><textarea id="changelog-${p.id}" name="changelog" rows="3" maxlength="4096"></textarea></div>
        <button type="submit" ?disabled=${busy}>${words.publish}</button></form></details>` : ''}</section>`)}
    ${may() ? html`<section id="migration"><h2>${words.migration}</h2><p>${words.migrationLead}</p>
      ${migration ? html`<p id="migration-sum">${words.wouldMove(migration.changes.length)}</p>${migration.changes.length ? html`<ul class="history" lang="en">${migration.changes.slice(0, 100).map(c => html`<li>${c}</li>`)}</ul>
        <p><progress id="migration-progress" aria-label=${words.migration} max=${migration.changes.length} value=${migration.done}></progress></p>
        <p><button type="button" id="migrate" ?disabled=${busy} @click=${migrate}>${words.migrate(migration.changes.length)}</button></p>` : ''}` : ''}
      <p><button type="button" class="second" id="rehearse" ?disabled=${busy} @click=${rehearse}>${words.rehearse}</button></p></section>` : ''}
    <section><h2>${words.coupons}</h2>${data.coupons.length ? table('coupons', words.coupons, [words.code, words.off, words.invoices, words.used, words.until], data.coupons.map(c => [
    html`<code>${c.code}</code>`, { number: c.off ? money(c.off) : `${c.percent} %` }, { number: c.invoices ? String(c.invoices) : words.all },
    { number: c.limit ? `${c.redeemed} / ${c.limit}` : String(c.redeemed) }, c.expires_at ? minute(c.expires_at) : words.always])) : html`<p class="quiet">${words.noCoupons}</p>`}
      ${may('finance') ? html`<details><summary>${words.makeCoupon}</summary><form id="coupon" class="narrow" novalidate @submit=${submitted(coupon)}>
        <div class="field"><label for="code">${words.code}</label><input id="code" name="code" maxlength="40" autocomplete="off"></div>
        <div class="pair"><div class="field"><label for="value">${words.off}</label><input id="value" name="value" inputmode="decimal" maxlength="10" autocomplete="off"></div>
          <div class="field"><label for="kind">${words.kind}</label><select id="kind" name="kind"><option value="percent">%</option><option>USD</option><option>EUR</option><option>GBP</option><option>JPY</option></select></div></div>
        <div class="field"><label for="invoices">${words.invoices} <span class="quiet">(${words.invoicesHint})</span></label><input id="invoices" name="invoices" inputmode="numeric" value="1" maxlength="4"></div>
        <div class="field"><label for="limit">${words.limit} <span class="quiet">(${t.optional})</span></label><input id="limit" name="limit" inputmode="numeric" maxlength="9"></div>
        <div class="field"><label for="expires">${words.until} <span class="quiet">(${t.optional})</span></label><input type="date" id="expires" name="expires"></div>
        <button type="submit" id="save-coupon" ?disabled=${busy}>${words.saveCoupon}</button></form></details>` : ''}</section>`);
  draw();
});
