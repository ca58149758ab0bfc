// @ts-check
// A command on a subscription is kept in the tab until its outcome is known,
// so that a reload asks for it again. A session that ends in between leaves it
// there.
import { ask, newKey } from './retry.js';
/** @import { CommandResult, Pause, PendingCommand, Reply, Tell } from '../types/pages' */

const item = 'okviz.command';

/**
 * @param {string} subscription
 * @param {string} action
 * @param {object} [body]
 * @returns {PendingCommand}
 */
export const command = (subscription, action, body = {}) => {
  const c = { subscription, action, body: JSON.stringify(body), key: newKey() };
  sessionStorage.setItem(item, JSON.stringify(c));
  return c;
};

/**
 * unfinished is the command on this subscription whose outcome is not known.
 * @param {string} subscription
 */
export const unfinished = subscription => {
  /** @type {PendingCommand | null} */
  const c = JSON.parse(sessionStorage.getItem(item) ?? 'null');
  return c?.subscription === subscription ? c : null;
};

/**
 * @param {PendingCommand} c
 * @param {Tell} tell
 * @param {Pause} [pause]
 */
export const carryOut = async (c, tell, pause) => {
  /** @type {Reply<CommandResult>} */
  const answer = await ask(`/v1/subscriptions/${c.subscription}/${c.action}`, c.body, { key: c.key, method: c.action === 'scheduled-change' ? 'DELETE' : 'POST' }, tell, pause);
  if (answer.status !== 401) sessionStorage.removeItem(item);
  return answer;
};
