// What can be chosen of a product, tried without a browser: node --test plans_test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { saving } from './assets/plans.js';

const plan = (cycle, amount, tier = '1-20') => ({ type: 'users', tier, cycle, covers: 20, prices: [{ amount, currency: 'USD' }] });
const product = { plans: [plan('monthly', 990), plan('yearly', 9900), plan('three_years', 35640), plan('yearly', 100, '21-50')] };
const of = (cycle, amount, tier = '1-20') => saving(product, { type: 'users', cycle, tier, currency: 'USD', price: { amount, currency: 'USD' } });

test('a year is so much cheaper than its months, in whole percent', () => {
  assert.equal(of('yearly', 9900), 17); // 99.00 against 118.80 is 16.67 %
  assert.equal(of('monthly', 990), 0);
  assert.equal(of('three_years', 35640), 0, 'as dear as its 36 months');
  assert.equal(of('yearly', 100, '21-50'), 0, 'not sold by the month');
});
