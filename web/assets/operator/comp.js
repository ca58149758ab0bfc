// @ts-check
// "/operator/free-licence": a licence for a partner, the press or a charity, with
// an end and a reason, and without a card.
import { products } from '../api.js';
import { html } from '../lit-html/lit-html.js';
import { t } from '../words.js';
import { Actions } from './act.js';
import { may, page } from './frame.js';
import { w } from './words.js';
/** @import { Product, Show } from '../../types/pages' */

const words = w.comp;

/** @param {Product[]} sold @returns {[string, string][]} what can be given, each once: the cycle makes no difference */
const choices = sold => sold.flatMap(p => [...new Map(p.plans.map(({ type, tier, cycle }) => [
  `${type} ${tier}`, /** @type {[string, string]} */ ([JSON.stringify({ product: p.id, plan: { type, cycle, ...(tier && { tier }) } }), `${p.name} · ${t.type[type]} ${tier ?? ''}`]),
])).values()]);

/** @param {Show} show */
export const comp = show => page(show, words.title, products, sold => {
  const acts = new Actions(() => draw(), async () => {});
  acts.list = may('support', 'finance') ? [{
    id: 'comp', letter: 'f', label: words.title, lead: words.lead, confirm: words.give, done: words.done, path: '/v1/operator/comps',
    fields: [
      { name: 'what', label: words.what, choices: choices(sold) },
      { name: 'quantity', label: words.quantity, type: 'number', value: '1', required: true },
      { name: 'name', label: words.name, required: true, max: 200 }, { name: 'email', label: words.email, type: 'email', required: true, max: 254 },
      { name: 'sites', label: words.sites, hint: words.sitesHint, max: 2000 },
      { name: 'until', label: words.until, type: 'date', required: true }, { name: 'reason', label: w.reason, required: true },
    ],
    body: v => ({
      ...JSON.parse(v.what), quantity: Number(v.quantity), licensee: { name: v.name, email: v.email }, until: `${v.until}T23:59:59Z`, reason: v.reason,
      ...(v.sites && { sites: v.sites.split(/[\s,]+/) }),
    }),
    after: answer => html`<p><a id="given" class="button" href="/operator/subscriptions/${answer.subscription?.id}">${words.toIt}</a></p>`,
  }] : [];
  const draw = () => show(words.title, html`<h1>${words.title}</h1>
    ${acts.list.length ? html`${acts.asking()}${acts.open ? '' : html`<p>${acts.buttons()}</p>`}` : html`<p role="alert">${w.notAllowed}</p>`}`);
  if (acts.list.length) acts.begin(acts.list[0]);
  else draw();
});
