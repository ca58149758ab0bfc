// Buys a subscription, changes its plan and cancels it:
//
//   OKVIZ_URL=http://127.0.0.1:8080 OKVIZ_KEY=… node examples/buy.mjs
//
// The key is an operator's: an account's own could only change and cancel.
import { Okviz } from '../dist/index.js';

const okviz = new Okviz({ url: process.env.OKVIZ_URL, key: process.env.OKVIZ_KEY });

const order = await okviz.post('/v1/checkout', {
  body: {
    product: 'calendar-pro', plan: { type: 'users', tier: '1-20', cycle: 'monthly' },
    billing: { name: 'Ada Rossi', email: 'ada@contoso.example', company: 'Contoso', country: 'US' },
    pay: 'now', payment: { method: 'card', token: 'tok_visa' }, accept_terms: true,
  },
});
const path = { id: order.subscription.id };
console.log('bought:', order.subscription.status, order.invoice.number);

const wanted = { plan: { type: 'users', tier: '21-50', cycle: 'monthly' } };
const preview = await okviz.post('/v1/subscriptions/{id}/change/preview', { path, body: wanted });
const changed = await okviz.post('/v1/subscriptions/{id}/change', {
  path, body: { ...wanted, expected_amount_due: preview.amount_due, proration_time: preview.proration_time },
});
console.log('changed:', changed.subscription.plan.tier);

const ended = await okviz.post('/v1/subscriptions/{id}/cancel', { path, body: { reason: 'no longer needed' } });
console.log('cancelled:', ended.subscription.cancel_at_period_end);

let invoices = 0;
for await (const _ of okviz.list('/v1/invoices', { query: { subscription: path.id, limit: 1 } })) invoices++;
console.log('invoices:', invoices);
