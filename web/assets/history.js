// What happened to a subscription, in the reader's language: a sentence of the
// dictionary for each kind of event, with the details that the API gives.
import { html } from './lit-html/lit-html.js';
import { planWords } from './account.js';
import { day, minute, money } from './format.js';
import { t } from './words.js';

const w = t.account;

// paid is nothing where nothing was due.
const words = d => ({
  amount: d.amount && money(d.amount),
  paid: d.amount?.amount ? money(d.amount) : '',
  balance: d.balance && money(d.balance),
  by: d.by,
  until: d.until && day(d.until),
  minute: d.until && minute(d.until),
  on: d.on && day(d.on),
  plan: d.plan && planWords({ plan: d.plan, quantity: 1 }),
  oldPlan: d.old_plan && planWords({ plan: d.old_plan, quantity: 1 }),
  price: d.price && money(d.price),
  oldPrice: d.old_price && money(d.old_price),
  why: t.decline[d.code] ?? w.reason[d.code] ?? '',
});

// said is the sentence of an event. What the dictionary does not know, or was
// written before there were details, has the API's own words.
export const said = ({ kind, details, text }) => {
  const sentence = details && Object.hasOwn(w.event, kind) && w.event[kind];
  return sentence ? sentence(words(details)) : html`<span lang="en">${text}</span>`;
};
