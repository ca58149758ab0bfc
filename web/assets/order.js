// Buying once. An order is kept in the tab from before it is sent until its
// outcome is known, with the Idempotency-Key that it is sent with. Whatever
// happens in between – a second click, a reload, a lost connection – it is only
// ever asked for again, with the same key and the same body.
//
// What is kept, by its state:
//   sent      the order may have been carried out; body, key, to, holder
//   refused   it certainly was not; the same body keeps its key
//   away      the customer is on the gateway's page; subscription, token, action, result
//   declined  it waits for another card; subscription, token, decline
//   paying    another card may have been charged; card {body, key}
//   done      result
import { read } from './api.js';
import { ask, newKey, pageOf } from './command.js';

const name = 'okviz.order';

export const kept = () => JSON.parse(sessionStorage.getItem(name));
export const forget = () => sessionStorage.removeItem(name);
const keep = order => (sessionStorage.setItem(name, JSON.stringify(order)), order);

// here is the address of the page, by which its order is known again. Of its
// fragment, which holds a quote's token, no server hears.
export const here = () => location.pathname + location.search + location.hash;

// unsettled is the order whose outcome is not known yet, wherever it was placed.
// It comes before anything else.
export const unsettled = () => {
  const order = kept();
  return ['sent', 'paying'].includes(order?.state) ? order : null;
};

// prepare is an order that is about to be sent. at is the page's address, to is
// where it is sent to, and holder the token that a quote is accepted by.
export const prepare = (body, at, { to = '/v1/checkout', holder } = {}) => {
  const before = kept();
  const same = before?.state === 'refused' && before.body === body && before.to === to && before.again;
  return keep({ state: 'sent', key: same ? before.key : newKey(), body, at, to, holder });
};

// prepareCard is a declined order that is to have another card.
export const prepareCard = order => keep({ ...order, state: 'paying', card: { key: newKey(), body: '{}' } });

// returned is what became of an order whose customer was away: declined, by the
// bank's word in the address, or what the API says. One that is still not paid
// stays as it is.
export const returned = async (order, declined) => {
  const { key, body, at, to, subscription, token, result } = order;
  if (declined) return keep({ state: 'declined', key, body, at, to, subscription, token, decline: declined });
  const now = await read(`/v1/subscriptions/${subscription}`, { token });
  const action = pageOf(now.pending_payment) ?? order.action;
  return now.status === 'incomplete' ? keep({ ...order, action }) : keep({ state: 'done', body, result: { ...result, subscription: now, payment: null } });
};

// finish brings an order that was sent to its outcome. It returns the order in
// its new state; problem is the refusal, if it is one.
export const finish = async (order, tell, pause) => {
  const paying = order.state === 'paying';
  const { status, body: answer } = paying
    ? await ask(`/v1/subscriptions/${order.subscription}/payment-method`, order.card.body, { key: order.card.key, token: order.token }, tell, pause)
    : await ask(order.to, order.body, { key: order.key, token: order.holder }, tell, pause);
  const { key, body, at, to } = order;
  const action = pageOf(answer.payment);
  if (status < 300 && action) {
    const { subscription, checkout_token: token = order.token } = answer;
    return { order: keep({ state: 'away', key, body, at, to, subscription: subscription.id, token, action, result: { subscription } }) };
  }
  if (status < 300) return { order: keep({ state: 'done', body, result: answer }) };
  if (paying) return { order: keep({ ...order, state: 'declined', card: undefined, decline: answer.decline_code }), problem: answer };
  if (answer.code === 'card_declined' && answer.checkout_token) {
    const { subscription_id: subscription, checkout_token: token, decline_code: decline } = answer;
    return { order: keep({ state: 'declined', key, body, at, to, subscription, token, decline }), problem: answer };
  }
  // A key that is spoilt is not used again, even for the same order.
  const again = !['request_expired', 'idempotency_conflict'].includes(answer.code);
  return { order: keep({ state: 'refused', key, body, at, to, again }), problem: answer };
};
