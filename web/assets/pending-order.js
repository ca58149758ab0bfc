// @ts-check
// Buying once. An order is kept in the tab from before it is sent until its
// outcome is known, with the Idempotency-Key that it is sent with. Whatever
// happens in between – a second click, a reload, a lost connection – it is only
// ever asked for again, with the same key and the same body.
//
// Its states:
//   sent      the order may have been carried out
//   refused   it certainly was not; the same body keeps its key
//   away      the customer is on the gateway's page
//   declined  it waits for another card
//   paying    another card may have been charged
//   done
import { read } from './api.js';
import { pageOf } from './payment-page.js';
import { ask, newKey } from './retry.js';
/** @import { AwayOrder, Bought, DeclinedOrder, DoneOrder, Pause, PayingOrder, PendingOrder, Problem, Quote, Reply, SentOrder, Tell } from '../types/pages' */

const item = 'okviz.order';

/** @returns {PendingOrder | null} */
export const kept = () => JSON.parse(sessionStorage.getItem(item) ?? 'null');
export const forget = () => sessionStorage.removeItem(item);
/** @template {PendingOrder} T @param {T} order */
const keep = order => (sessionStorage.setItem(item, JSON.stringify(order)), order);

// The tokens of the orders of the last day: any tab of this browser may show
// their receipts.
const receipts = 'okviz.receipts';
const day = 24 * 60 * 60_000;
/** @returns {[subscription: string, kept: { token: string, until: number }][]} */
const tokens = () => Object.entries(JSON.parse(localStorage.getItem(receipts) ?? '{}')).filter(([, { until }]) => until > Date.now());
/** @param {string} subscription */
export const tokenOf = subscription => tokens().find(([id]) => id === subscription)?.[1].token;
/** @param {string} subscription @param {string} [token] */
const keepToken = (subscription, token) => token
  && localStorage.setItem(receipts, JSON.stringify(Object.fromEntries([...tokens(), [subscription, { token, until: Date.now() + day }]])));

// here is the address of the page, by which its order is known again. Its
// fragment, which holds a quote's token, is sent to no server.
export const here = () => location.pathname + location.search + location.hash;

// unsettled is the order whose outcome is not known yet, wherever it was placed.
// It comes before anything else.
export const unsettled = () => {
  const order = kept();
  return order?.state === 'sent' || order?.state === 'paying' ? order : null;
};

/**
 * prepare is an order that is about to be sent. at is the page's address, to is
 * where it is sent to, and holder the token that a quote is accepted by.
 * @param {string} body
 * @param {string} at
 * @param {{ to?: string, holder?: string }} [options]
 * @returns {SentOrder}
 */
export const prepare = (body, at, { to = '/v1/checkout', holder } = {}) => {
  const before = kept();
  const same = before?.state === 'refused' && before.body === body && before.to === to && before.again;
  return keep({ state: 'sent', key: same ? before.key : newKey(), body, at, to, holder });
};

/**
 * prepareCard is an unpaid order that is to have another card.
 * @param {AwayOrder | DeclinedOrder | PayingOrder} order
 * @returns {PayingOrder}
 */
export const prepareCard = order => keep({ ...order, state: 'paying', card: { key: newKey(), body: '{}' } });

/**
 * returned is what became of an order whose customer was away: declined, by the
 * bank's word in the address, or what the API says. One that is still not paid
 * stays as it is.
 * @param {AwayOrder} order
 * @param {string} [declined]
 * @returns {Promise<AwayOrder | DeclinedOrder | DoneOrder<Bought>>}
 */
export const returned = async (order, declined) => {
  const { key, body, at, to, subscription, token } = order;
  if (declined) return keep({ state: 'declined', key, body, at, to, subscription, token, decline: declined });
  const now = await read(`/v1/subscriptions/${subscription}/receipt`, { token });
  const action = pageOf(now.payment) ?? order.action;
  return now.subscription.status === 'incomplete' ? keep({ ...order, action }) : keep({ state: 'done', body, result: now });
};

/**
 * finish brings an order that was sent to its outcome. It returns the order in
 * its new state; problem is the refusal, if it is one.
 * @param {SentOrder | PayingOrder} order
 * @param {Tell} tell
 * @param {Pause} [pause]
 * @returns {Promise<{ order: PendingOrder, problem?: Partial<Problem> }>}
 */
export const finish = async (order, tell, pause) => {
  const { key, body, at, to } = order;
  const paying = order.state === 'paying';
  /** @type {Reply<Quote | Bought & { checkout_token?: string }>} */
  const answer = order.state === 'paying'
    ? await ask(`/v1/subscriptions/${order.subscription}/payment-method`, order.card.body, { key: order.card.key, token: order.token }, tell, pause)
    : await ask(to, body, { key, token: order.holder }, tell, pause);
  if (answer.ok) {
    const result = answer.body;
    const action = 'payment' in result && pageOf(result.payment);
    if ('subscription' in result) keepToken(result.subscription.id, result.checkout_token ?? (paying ? order.token : undefined));
    if (!action) return { order: keep(/** @type {DoneOrder<Bought> | DoneOrder<Quote>} */ ({ state: 'done', body, result })) };
    const { subscription, checkout_token: token = paying ? order.token : undefined } = result;
    return { order: keep({ state: 'away', key, body, at, to, subscription: subscription.id, token, action, result: { subscription } }) };
  }
  const problem = answer.body;
  if (paying) {
    const { subscription, token } = order;
    return { order: keep({ state: 'declined', key, body, at, to, subscription, token, decline: problem.decline_code }), problem };
  }
  const { code = '', subscription_id: subscription, checkout_token: token, decline_code: decline } = problem;
  if (code === 'card_declined' && subscription && token) {
    return { order: keep({ state: 'declined', key, body, at, to, subscription, token, decline }), problem };
  }
  // A key that is spoilt is not used again, even for the same order.
  const again = !['request_expired', 'idempotency_conflict'].includes(code);
  return { order: keep({ state: 'refused', key, body, at, to, again }), problem };
};
