// What can be chosen of a product. Products and plans are as GET /v1/products
// says them.
const types = ['users', 'capacity', 'site'];
export const cycles = ['monthly', 'yearly', 'three_years'];

export const priceIn = (plan, currency) => plan?.prices.find(p => p.currency === currency);

// plansOf are the plans that have a price in the wished currency, where given,
// and the wished type and cycle, where given.
export const plansOf = (product, { type, cycle, currency } = {}) => product.plans.filter(p =>
  (!type || p.type === type) && (!cycle || p.cycle === cycle) && (!currency || priceIn(p, currency)));

export const typesOf = (product, wish) => types.filter(type => plansOf(product, { ...wish, type }).length);
export const cyclesOf = (product, wish) => cycles.filter(cycle => plansOf(product, { ...wish, cycle }).length);
export const currenciesOf = (product, wish) =>
  [...new Set(plansOf(product, wish).flatMap(p => p.prices.map(m => m.currency)))];

// covering is the smallest tier for so many people; undefined: there is none.
export const covering = (plans, people) => plans
  .filter(p => p.covers === null || p.covers >= people)
  .sort((a, b) => (a.covers ?? Infinity) - (b.covers ?? Infinity))[0];

const oneOf = (wish, offered, otherwise) => (offered.includes(wish) ? wish : otherwise ?? offered[0]);

// settle makes of a wish, such as an address has it, what is really sold: the
// type counts most, then the currency, the cycle and the tier.
export const settle = (product, wish) => {
  const type = oneOf(wish.type, typesOf(product));
  const currency = oneOf(wish.currency, currenciesOf(product, { type }));
  const cycle = oneOf(wish.cycle, cyclesOf(product, { type, currency }));
  const plans = plansOf(product, { type, currency, cycle });
  const usual = plans.find(p => p.covers > 1) ?? plans[0];
  const plan = plans.find(p => p.tier === (wish.tier || null)) ?? usual;
  const quantity = type === 'users' ? 1 : Math.min(Math.max(Math.trunc(wish.quantity) || 1, 1), 1000);
  return { type, currency, cycle, tier: plan?.tier ?? null, quantity, plan };
};

// address is where a choice is bought.
export const address = (product, { type, tier, cycle, quantity, currency }, more) => {
  const query = new URLSearchParams({ product: product.id, type, cycle, quantity, currency, ...more });
  if (tier) query.set('tier', tier);
  return `/checkout?${query}`;
};
