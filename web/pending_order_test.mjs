// Buying once, tried without a browser or an engine: node --test pending_order_test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';

const stored = new Map();
globalThis.localStorage = globalThis.sessionStorage = {
  getItem: k => stored.get(k) ?? null, setItem: (k, v) => stored.set(k, v), removeItem: k => stored.delete(k),
};
const { finish, kept, prepare, prepareCard, returned, tokenOf } = await import('./assets/pending-order.js');

// scripted answers requests in turn, and keeps what was asked. null is a lost
// connection; nothing more to say is one, too.
const scripted = (...answers) => {
  const asked = [];
  globalThis.fetch = async (path, { headers = {}, body }) => {
    asked.push({ path, key: headers['Idempotency-Key'], token: headers.Authorization, body });
    const answer = answers.shift();
    if (!answer) throw new TypeError('lost');
    const [status, json, retryAfter] = answer;
    return new Response(JSON.stringify(json), { status, headers: retryAfter ? { 'Retry-After': String(retryAfter) } : {} });
  };
  return asked;
};
const waits = [];
const pause = async seconds => void waits.push(seconds);
const order = JSON.stringify({ product: 'calendar-pro' });
const bought = [201, { subscription: { id: 'sub_1' } }];
const declined = [402, { code: 'card_declined', decline_code: 'stolen_card', subscription_id: 'sub_1', checkout_token: 'cot_1' }];
const begin = (body = order) => prepare(body, '/checkout?product=calendar-pro');
const fresh = () => { stored.clear(); waits.length = 0; };

test('an order is asked for with one key until its outcome is known', async () => {
  fresh();
  const asked = scripted(null, [503, { code: 'unavailable' }, 5], [202, {}, 2], [409, { code: 'idempotency_in_progress' }, 3], [500, {}], bought);
  const told = [];
  const { order: done } = await finish(begin(), why => told.push(why), pause);
  assert.equal(done.state, 'done');
  assert.equal(asked.length, 6);
  assert.equal(new Set(asked.map(a => a.key + a.body + a.path)).size, 1);
  assert.match(asked[0].key, /^[0-9a-f]{32}$/);
  assert.deepEqual(told, ['offline', 'slow', 'waiting', 'waiting', 'slow']);
  assert.deepEqual(waits, [1, 5, 2, 3, 4]);
});

test('after a reload the same order is asked for with the same key', async () => {
  fresh();
  const { key } = begin();
  const asked = scripted(bought);
  await finish(kept(), () => {}, pause);
  assert.equal(asked[0].key, key);
  assert.equal(kept().state, 'done');
});

test('a refused order has a new key once something has changed, and not before', async () => {
  fresh();
  const refusal = [422, { code: 'invalid', errors: [{ field: 'billing.email', detail: 'is not an e-mail address' }] }];
  scripted(refusal);
  const { order: refused, problem } = await finish(begin(), () => {}, pause);
  assert.equal(refused.state, 'refused');
  assert.equal(problem.code, 'invalid');
  assert.equal(begin().key, refused.key);
  scripted(refusal);
  await finish(kept(), () => {}, pause);
  assert.notEqual(begin('{"product":"bullet-chart"}').key, refused.key);
});

test('an order that came too late is sent again with a new key', async () => {
  fresh();
  scripted([409, { code: 'request_expired' }]);
  const { order: refused } = await finish(begin(), () => {}, pause);
  assert.notEqual(begin().key, refused.key);
});

test('after a decline another card goes to the same order, each with a key of its own', async () => {
  fresh();
  scripted(declined);
  const { order: first } = await finish(begin(), () => {}, pause);
  assert.equal(first.state, 'declined');
  assert.equal(kept().token, 'cot_1');
  const asked = scripted([402, { code: 'card_declined', decline_code: 'generic_decline' }]);
  const { order: second } = await finish(prepareCard(kept()), () => {}, pause);
  const again = scripted(null, [200, { subscription: { id: 'sub_1' } }]);
  const { order: third } = await finish(prepareCard(second), () => {}, pause);
  assert.equal(third.state, 'done');
  assert.deepEqual([asked[0].path, asked[0].token], ['/v1/subscriptions/sub_1/payment-method', 'Bearer cot_1']);
  assert.deepEqual(JSON.parse(again[0].body), {});
  assert.equal(again[0].key, again[1].key);
  assert.notEqual(again[0].key, asked[0].key);
  assert.equal(kept().token, undefined);
});

test('a card that may have been charged is asked about after a reload, not charged anew', async () => {
  fresh();
  scripted(declined);
  await finish(begin(), () => {}, pause);
  const { card } = prepareCard(kept());
  const asked = scripted([200, { subscription: { id: 'sub_1' } }]);
  await finish(kept(), () => {}, pause);
  assert.equal(asked[0].key, card.key);
});

test('a quote is accepted at its own address, by its token and with a key of its own', async () => {
  fresh();
  scripted([422, { code: 'terms_not_accepted' }]);
  const { order: refused } = await finish(begin(), () => {}, pause);
  const asked = scripted(null, bought);
  await finish(prepare(order, '/quotes/quo_1#token=quo_t', { to: '/v1/quotes/quo_1/accept', holder: 'quo_t' }), () => {}, pause);
  assert.deepEqual([asked[0].path, asked[0].token], ['/v1/quotes/quo_1/accept', 'Bearer quo_t']);
  assert.notEqual(asked[0].key, refused.key);
  assert.equal(asked[0].key, asked[1].key);
  assert.equal(kept().holder, undefined);
});

test('an order whose card is given elsewhere is what the API says when the customer is back', async () => {
  fresh();
  const page = 'https://pay.example/form_1';
  const elsewhere = [201, { subscription: { id: 'sub_1', status: 'incomplete' }, payment: { status: 'requires_action', action_url: page }, checkout_token: 'cot_1' }];
  scripted(elsewhere);
  const { order: away } = await finish(begin(), () => {}, pause);
  assert.deepEqual([away.state, away.action, kept().token], ['away', page, 'cot_1']);

  let asked = scripted([200, { subscription: { id: 'sub_1', status: 'incomplete' }, payment: { status: 'none' } }]);
  assert.equal((await returned(kept())).state, 'away');
  assert.deepEqual([asked[0].path, asked[0].token], ['/v1/subscriptions/sub_1/receipt', 'Bearer cot_1']);

  const declinedThere = await returned(kept(), 'stolen_card');
  assert.deepEqual([declinedThere.state, declinedThere.decline], ['declined', 'stolen_card']);
  asked = scripted([200, { subscription: { id: 'sub_1' }, payment: { status: 'requires_action', action_url: `${page}2` } }]);
  const { order: again } = await finish(prepareCard(kept()), () => {}, pause);
  assert.deepEqual([again.state, again.action, again.token, asked[0].token], ['away', `${page}2`, 'cot_1', 'Bearer cot_1']);

  scripted([200, { subscription: { id: 'sub_1', status: 'active' }, invoice: { number: 'INV-1' }, payment: { status: 'succeeded' } }]);
  const done = await returned(kept());
  assert.deepEqual([done.state, done.result.subscription.status, done.result.invoice.number, kept().token], ['done', 'active', 'INV-1', undefined]);
  assert.equal(tokenOf('sub_1'), 'cot_1', 'another tab shows the receipt by the same token');
});

test('an address that is no page is not gone to', async () => {
  fresh();
  scripted([201, { subscription: { id: 'sub_1' }, payment: { status: 'requires_action', action_url: 'javascript:alert(1)' } }]);
  assert.equal((await finish(begin(), () => {}, pause)).order.state, 'done');
});

test('an order whose address is to be confirmed is done with here, and not asked for again', async () => {
  fresh();
  const asked = scripted([202, { subscription: { id: 'sub_1', confirm_by: '2026-12-05T10:00:00Z' }, payment: { status: 'awaiting_confirmation' } }]);
  const { order: done } = await finish(begin(), () => {}, pause);
  assert.equal(done.state, 'done');
  assert.equal(asked.length, 1);
});
