// Money and dates, as the reader's locale writes them. All dates are in UTC, as
// in mails and on invoices.
import { locale } from './words.js';

const formatter = (currency, more) => new Intl.NumberFormat(locale, { style: 'currency', currency, ...more });

// money writes {amount, currency}; the amount is in minor units.
export const money = ({ amount, currency }, more) => {
  const f = formatter(currency, more);
  return f.format(amount / 10 ** formatter(currency).resolvedOptions().maximumFractionDigits);
};

// roundMoney leaves the decimals of whole amounts out: $29.
export const roundMoney = m => money(m, { trailingZeroDisplay: 'stripIfInteger' });

const days = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' });
const minutes = new Intl.DateTimeFormat(locale, {
  year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit', timeZoneName: 'short', timeZone: 'UTC',
});

export const day = instant => days.format(new Date(instant));
export const minute = instant => minutes.format(new Date(instant));

const months = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long', timeZone: 'UTC' });

// month writes "2029-12".
export const month = text => months.format(new Date(`${text}-01T00:00:00Z`));
