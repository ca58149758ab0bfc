// @ts-check
// What can be chosen of a product.
/** @import { Choice, Cycle, Money, Product, ProductPlan, Type, Wish } from '../types/pages' */

const types = /** @type {Type[]} */ (['users', 'capacity', 'site']);
const cycles = /** @type {Cycle[]} */ (['monthly', 'yearly', 'three_years']);

/** @param {ProductPlan} plan @param {string} currency */
export const priceIn = (plan, currency) => plan.prices.find(p => p.currency === currency);

/**
 * plansOf are the plans that have a price in the wished currency, where given,
 * and the wished type and cycle, where given.
 * @param {Product} product
 * @param {Pick<Wish, 'type' | 'cycle' | 'currency'>} [wish]
 */
export const plansOf = (product, { type, cycle, currency } = {}) => product.plans.filter(p =>
  (!type || p.type === type) && (!cycle || p.cycle === cycle) && (!currency || priceIn(p, currency)));

/** @param {Product} product @param {Pick<Wish, 'currency'>} [wish] */
export const typesOf = (product, wish) => types.filter(type => plansOf(product, { ...wish, type }).length);
/** @param {Product} product @param {Pick<Wish, 'type' | 'currency'>} [wish] */
export const cyclesOf = (product, wish) => cycles.filter(cycle => plansOf(product, { ...wish, cycle }).length);
/** @param {Product} product @param {Pick<Wish, 'type'>} [wish] */
export const currenciesOf = (product, wish) =>
  [...new Set(plansOf(product, wish).flatMap(p => p.prices.map(m => m.currency)))];

/**
 * tiersOf are the tiers of the plans that have one.
 * @param {Product} product
 * @param {Pick<Wish, 'type' | 'cycle' | 'currency'>} wish
 */
export const tiersOf = (product, wish) => plansOf(product, wish).flatMap(p => p.tier ?? []);

/**
 * covering is the smallest tier for so many people; undefined: no tier is that
 * large.
 * @param {ProductPlan[]} plans
 * @param {number} people
 */
export const covering = (plans, people) => plans
  .filter(p => p.covers === null || p.covers >= people)
  .sort((a, b) => (a.covers ?? Infinity) - (b.covers ?? Infinity))[0];

/** @template {string} T @param {string | undefined} wish @param {T[]} offered @returns {T} */
const oneOf = (wish, offered) => offered.find(one => one === wish) ?? offered[0];

/**
 * settle makes of a wish, such as an address has it, what is really sold: the
 * type counts most, then the currency, the cycle and the tier.
 * @param {Product} product one that has plans
 * @param {Wish} wish
 * @returns {Choice}
 */
export const settle = (product, wish) => {
  const type = oneOf(wish.type, typesOf(product));
  const currency = oneOf(wish.currency, currenciesOf(product, { type }));
  const cycle = oneOf(wish.cycle, cyclesOf(product, { type, currency }));
  const plans = plansOf(product, { type, currency, cycle });
  const usual = plans.find(p => p.covers !== null && p.covers > 1) ?? plans[0];
  const plan = plans.find(p => p.tier === (wish.tier || null)) ?? usual;
  const price = /** @type {Money} */ (priceIn(plan, currency)); // all of these plans are sold in the currency
  const quantity = type === 'users' ? 1 : Math.min(Math.max(Math.trunc(Number(wish.quantity)) || 1, 1), 1000);
  return { type, currency, cycle, tier: plan.tier, quantity, plan, price };
};

const months = { monthly: 1, yearly: 12, three_years: 36 };

/**
 * saving is how much cheaper a choice is than the same months one by one, in
 * whole percent; 0 where it is not, or where nobody can say.
 * @param {Product} product
 * @param {Pick<Choice, 'type' | 'cycle' | 'tier' | 'currency' | 'price'>} choice
 */
export const saving = (product, { type, cycle, tier, currency, price }) => {
  const monthly = plansOf(product, { type, cycle: 'monthly', currency }).find(p => p.tier === tier);
  const apart = (monthly && priceIn(monthly, currency)?.amount || 0) * months[cycle];
  return apart > price.amount ? Math.round(100 * (1 - price.amount / apart)) : 0;
};

/**
 * address is where a choice is bought.
 * @param {Pick<Product, 'id'>} product
 * @param {Omit<Choice, 'plan' | 'price'>} choice
 * @param {Record<string, string>} [more]
 */
export const address = (product, { type, tier, cycle, quantity, currency }, more) => {
  const query = new URLSearchParams({ product: product.id, type, cycle, quantity: String(quantity), currency, ...more });
  if (tier) query.set('tier', tier);
  return `/checkout?${query}`;
};
