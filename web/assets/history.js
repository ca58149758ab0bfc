// @ts-check
// What happened to a subscription, in the reader's language: a sentence of the
// dictionary for each kind of event, with the details that the API gives.
import { html } from './lit-html/lit-html.js';
import { planWords } from './account.js';
import { day, minute, money } from './format.js';
import { reasonOf } from './payment.js';
import { t, word } from './words.js';
/** @import { EventWords, SubscriptionEvent } from '../types/pages' */
/** @typedef {NonNullable<SubscriptionEvent['details']>} Details */

const w = t.account;

/**
 * words are the details as the sentences name them. paid is nothing where
 * nothing was due.
 * @param {Details} d
 * @param {string} kind
 * @returns {EventWords}
 */
const words = (d, kind) => ({
  amount: d.amount && money(d.amount),
  paid: d.amount?.amount ? money(d.amount) : '',
  balance: d.balance && money(d.balance),
  by: d.by,
  until: d.until && day(d.until),
  minute: d.until && minute(d.until),
  on: d.on && day(d.on),
  plan: d.plan && planWords({ plan: d.plan }),
  oldPlan: d.old_plan && planWords({ plan: d.old_plan }),
  price: d.price && money(d.price),
  oldPrice: d.old_price && money(d.old_price),
  why: word(w.reason, d.code) ?? (kind === 'payment_declined' ? reasonOf(d.code) : word(t.decline, d.code)) ?? '',
});

/**
 * said is the sentence of an event. What the dictionary does not know, or was
 * written before there were details, has the API's own words.
 * @param {Pick<SubscriptionEvent, 'kind' | 'details' | 'text'>} event
 */
export const said = ({ kind, details, text }) => {
  const sentence = word(w.event, kind);
  return sentence && details ? sentence(words(details, kind)) : html`<span lang="en">${text}</span>`;
};
