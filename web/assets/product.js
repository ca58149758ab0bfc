// @ts-check
// "/products/{id}": a visual's plans and prices. The choice is kept in the
// address, so that the way back from the checkout leads to it.
import { html } from './lit-html/lit-html.js';
import { read } from './api.js';
import { entered } from './events.js';
import { money, roundMoney } from './format.js';
import { icon } from './icon.js';
import { loaded } from './loading.js';
import { address, covering, currenciesOf, cyclesOf, plansOf, saving, settle, tiersOf } from './plans.js';
import { prose } from './prose.js';
import { t } from './words.js';
/** @import { Choice, Cycle, Money, Picture, ProductPage, ProductPlan, Show, Type, Wish } from '../types/pages' */
/**
 * What is chosen on the page; the numbers of people are as they were entered.
 * @typedef {{ type: Type, cycle: Cycle, currency: string, tiers: Partial<Record<Type, string | null>>, designers: string, viewers: string }} State
 */

const w = t.product;

/** @param {string} id @param {Money} m @param {string} per */
const price = (id, m, per) => html`<p class="price" id="price-${id}" aria-live="polite"><strong>${roundMoney(m)}</strong> ${per}</p>`;

/**
 * users says for how many users a price is, and what it is for one of them.
 * @param {ProductPlan} plan
 * @param {Money} m
 */
const users = (plan, m) => {
  if (plan.type !== 'users' || plan.covers === null) return w.unlimited;
  if (plan.covers === 1) return w.users(1);
  const each = { ...m, amount: Math.round(m.amount / plan.covers) };
  return html`${w.users(plan.covers)} – ${w.downTo} <strong>${money(each)}</strong> ${w.perUser(plan.cycle)}`;
};

/** @param {Picture} p @param {boolean} first whether it is in sight at once */
const picture = (p, first) => html`<img src=${p.image} alt=${p.alt} width=${p.width} height=${p.height} loading=${first ? 'eager' : 'lazy'}
  fetchpriority=${first ? 'high' : 'auto'} decoding="async">`;

/**
 * presentation is what is below the prices.
 * @param {ProductPage} it
 */
const presentation = it => {
  const about = prose(it.about);
  const answers = it.questions.map(q => prose(q.answer));
  const below = html`${it.features.length ? html`<section aria-labelledby="features"><h2 id="features">${w.features}</h2>
      <ul class="features">${it.features.map(f => html`<li class="panel"><h3>${f.title}</h3>${f.text ? html`<p>${f.text}</p>` : ''}</li>`)}</ul></section>` : ''}
    ${it.about ? html`<section class="prose" id="about">${about}</section>` : ''}
    ${it.pictures.length > 1 ? html`<section class="pictures" aria-label=${w.pictures}>${it.pictures.slice(1).map(p => picture(p, false))}</section>` : ''}
    ${it.questions.length ? html`<section aria-labelledby="questions"><h2 id="questions">${w.questions}</h2>
      ${it.questions.map((q, i) => html`<details class="question"><summary>${q.question}</summary><div class="prose">${answers[i]}</div></details>`)}</section>` : ''}
    ${it.links.length ? html`<nav aria-label=${w.links}><ul class="links">${it.links.map(l => html`<li><a href=${l.url} rel="noopener">${l.label}</a></li>`)}</ul></nav>` : ''}`;
  return html`<div class="presentation">${below}</div>`;
};

/** @param {Show} show @param {string} id */
export const product = (show, id) => loaded(show, t.visuals, () => read(`/v1/products/${id}`), it => {
  /** @type {Wish} */
  const wish = Object.fromEntries(new URLSearchParams(location.search));
  const first = settle(it, wish.type === 'site' ? { ...wish, type: undefined } : wish);
  /** @type {State} */
  const state = {
    type: first.type, cycle: first.cycle, currency: first.currency,
    tiers: { [first.type]: first.tier }, designers: '', viewers: '',
  };
  const change = (/** @type {Partial<State>} */ part) => {
    Object.assign(state, part);
    draw();
  };

  const below = presentation(it);
  const draw = () => {
    const { currency } = state;
    const choice = (/** @type {Type} */ type) => settle(it, { type, tier: state.tiers[type], cycle: state.cycle, currency });
    const sold = (/** @type {Type} */ type) => plansOf(it, { type, cycle: state.cycle, currency }).length > 0;
    const chosen = choice(state.type);
    const query = new URLSearchParams({ type: state.type, cycle: state.cycle, currency });
    if (chosen.tier) query.set('tier', chosen.tier);
    history.replaceState(null, '', `?${query}`);

    const row = (/** @type {Type} */ type, /** @type {string} */ label) => {
      const tiers = tiersOf(it, { type, cycle: state.cycle, currency });
      if (!plansOf(it, { type }).length) return '';
      const tier = choice(type).tier;
      return html`<div class="type">
        <label><input type="radio" name="type" id="type-${type}" value=${type} .checked=${state.type === type}
          @change=${() => change({ type })}> ${t.type[type]}</label>
        <select id="tier-${type}" aria-label=${label} ?disabled=${state.type !== type}
          @change=${entered(value => change({ tiers: { ...state.tiers, [type]: value } }))}>
          ${tiers.map(x => html`<option value=${x} .selected=${x === tier}>${x}</option>`)}
        </select>
      </div>`;
    };

    const needed = (/** @type {Pick<State, 'designers' | 'viewers'>} */ { designers, viewers }) => {
      const people = [designers, viewers].reduce((sum, n) => sum + Math.max(Math.trunc(Number(n)) || 0, 0), 0);
      return { people, enough: covering(plansOf(it, { type: 'users', cycle: state.cycle, currency }), people) };
    };
    const calculate = (/** @type {Partial<Pick<State, 'designers' | 'viewers'>>} */ part) => {
      const now = needed({ ...state, ...part });
      change(now.people && now.enough ? { ...part, type: 'users', tiers: { ...state.tiers, users: now.enough.tier } } : part);
    };
    const { people, enough } = needed(state);
    const number = (/** @type {'designers' | 'viewers'} */ key, /** @type {string} */ label) => html`<label for=${key}>${label}</label>
      <input id=${key} type="number" inputmode="numeric" min="0" max="10000000" step="1" @input=${entered(value => calculate({ [key]: value }))}>`;

    const buy = (/** @type {string} */ key, /** @type {string} */ what, /** @type {Choice} */ selected) => html`<a class="button wide" id="buy-${key}" aria-label=${w.buyFor(what)}
      href=${address(it, { ...selected, quantity: 1 })}>${w.buy}</a>`;

    /** @param {string} key @param {string} what @param {Type} type @param {string} per */
    const offer = (key, what, type, per) => {
      if (!sold(type)) return html`<p class="price" id="price-${key}">${w.notIn(currency)}</p>`;
      const selected = choice(type);
      const { plan, price: m } = selected;
      const percent = saving(it, selected);
      return html`${price(key, m, per)}${percent ? html`<p class="done" id="saving-${key}">${w.saving(percent)}</p>` : ''}
        <p class="each" id="note-${key}">${users(plan, m)}</p>${buy(key, what, selected)}`;
    };

    const cheaper = (/** @type {Cycle} */ cycle) => {
      const percent = saving(it, settle(it, { type: state.type, tier: state.tiers[state.type], cycle, currency }));
      return percent ? html` <small>−${percent}%</small>` : '';
    };

    show(it.name, html`
      <div class="opening"><div class="heading">${icon(it, 64)}
        <div><h1>${it.name}</h1><p class="lead">${it.description}</p>
          ${it.demo ? html`<p><a class="button second" id="demo" href=${it.demo} rel="noopener">${w.demo}</a></p>` : ''}</div></div>
        ${it.pictures.length ? html`<p class="pictures">${picture(it.pictures[0], true)}</p>` : ''}</div>
      <div class="choices">
        <fieldset class="segments"><legend>${w.billing}</legend>
          ${cyclesOf(it).map(c => html`<label><input type="radio" name="cycle" id="cycle-${c}" value=${c} .checked=${state.cycle === c}
            @change=${() => change({ cycle: c })}><span>${t.cycle[c]}${cheaper(c)}</span></label>`)}
        </fieldset>
        <div class="currency"><label for="currency">${w.currency}</label>
          <select id="currency" @change=${entered(value => change({ currency: value }))}>
            ${currenciesOf(it).map(c => html`<option .selected=${c === currency}>${c}</option>`)}
          </select></div>
      </div>
      <div class="offers">
        <section class="panel offer" aria-labelledby="powerbi">
          <h2 id="powerbi">${w.powerbi}</h2>
          <p>${w.powerbiLead(it.name)}</p>
          <fieldset class="types"><legend>${w.choose}</legend>
            ${row('users', w.tierUsers)}
            ${plansOf(it, { type: 'capacity' }).length ? html`<p class="or" aria-hidden="true">${w.or}</p>` : ''}
            ${row('capacity', w.tierCapacity)}
          </fieldset>
          <details id="calculator"><summary>${w.calculator}</summary>
            <p>${w.calculatorLead}</p>
            <div class="people">${number('designers', w.designers)}${number('viewers', w.viewers)}</div>
            <p id="needed" role="status">${people ? (enough ? w.needed(people, enough.tier ?? '') : w.tooMany) : ''}</p>
          </details>
          <details><summary>${w.nodes}</summary><p>${w.nodesLead}</p></details>
          <div class="bottomline">${offer('powerbi', `${w.powerbi}, ${t.type[state.type]} ${chosen.tier ?? ''}`, state.type, `/${t.per[state.cycle]}`)}</div>
        </section>
        ${plansOf(it, { type: 'site' }).length ? html`<section class="panel offer" aria-labelledby="embedded">
          <h2 id="embedded">${w.embedded}</h2>
          <p>${w.embeddedLead(it.name)}</p>
          <div class="bottomline">${offer('embedded', w.embedded, 'site', `/${w.site}/${t.per[state.cycle]}`)}</div>
        </section>` : ''}
      </div>${below}`);
  };
  draw();
});
