// @ts-check
// The gateway's or the bank's page, on which a payment goes on.
/** @import { Payment } from '../types/pages' */

/**
 * pageOf is where a payment sends the customer, if it does.
 * @param {Pick<Payment, 'status' | 'action_url'> | { status: 'pending', action_url: string | null } | null} [payment]
 */
export const pageOf = payment =>
  (payment?.status === 'requires_action' && payment.action_url && /^https?:/.test(payment.action_url) ? payment.action_url : null);

/**
 * leave goes to such a page. Somebody who comes back with the browser's button
 * finds this page as it is then.
 * @param {string} url
 */
export const leave = url => {
  addEventListener('pageshow', e => e.persisted && location.reload());
  location.assign(url);
};
