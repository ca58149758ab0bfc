// @ts-check
// Money and dates, as the reader's locale writes them. All dates are in UTC, as
// in mails and on invoices.
import { locale } from './words.js';
/** @import { Money } from '../types/pages' */

/** @param {string} currency @param {Intl.NumberFormatOptions} [more] */
const formatter = (currency, more) => new Intl.NumberFormat(locale, { style: 'currency', currency, ...more });

/**
 * money writes an amount, which is in minor units.
 * @param {Money} money
 * @param {Intl.NumberFormatOptions} [more]
 */
export const money = ({ amount, currency }, more) => {
  const f = formatter(currency, more);
  return f.format(amount / 10 ** (formatter(currency).resolvedOptions().maximumFractionDigits ?? 2));
};

/**
 * roundMoney leaves the decimals of whole amounts out: $29.
 * @param {Money} m
 */
export const roundMoney = m => money(m, { trailingZeroDisplay: 'stripIfInteger' });

const days = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' });
const minutes = new Intl.DateTimeFormat(locale, {
  year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit', timeZoneName: 'short', timeZone: 'UTC',
});

/** @param {string} instant */
export const day = instant => days.format(new Date(instant));
/** @param {string} instant */
export const minute = instant => minutes.format(new Date(instant));

const months = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long', timeZone: 'UTC' });

/**
 * month writes "2029-12".
 * @param {string} text
 */
export const month = text => months.format(new Date(`${text}-01T00:00:00Z`));
