// @ts-check
// Asking for something that moves money or state: once. A key goes with each
// press of a button, and whatever happens to the connection, the same thing is
// only ever asked for again with the same key.
import { send } from './api.js';
/** @import { Bought, Options, Pause, Reply, Tell } from '../types/pages' */

export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, '0')).join('');

/**
 * wait resolves after so many seconds, or when the connection is back.
 * @type {Pause}
 */
const wait = seconds => new Promise(resolve => {
  const done = () => {
    removeEventListener('online', done);
    clearTimeout(timer);
    resolve(null);
  };
  const timer = setTimeout(done, seconds * 1000);
  addEventListener('online', done);
});

// waitsForMail tells an order whose address is to be confirmed, which may take days.
const waitsForMail = (/** @type {unknown} */ answer) => /** @type {Partial<Bought>} */ (answer).payment?.status === 'awaiting_confirmation';

/**
 * ask asks until the outcome is known. tell is told why it takes long.
 * @template T
 * @param {string} address
 * @param {string} body
 * @param {Options} options
 * @param {Tell} tell
 * @param {Pause} [pause]
 * @returns {Promise<Reply<T>>}
 */
export const ask = async (address, body, options, tell, pause = wait) => {
  for (let failures = 0; ; ) {
    /** @type {Reply<T>} */
    let answer;
    try {
      answer = await send(options.method ?? 'POST', address, body, options);
    } catch {
      tell('offline');
      await pause(Math.min(2 ** failures++, 15));
      continue;
    }
    const { status, retryAfter } = answer;
    if (status === 202 && waitsForMail(answer.body)) return answer;
    if (status === 202 || !answer.ok && answer.body.code === 'idempotency_in_progress') {
      tell('waiting');
      await pause(retryAfter || 2);
    } else if (status >= 500 || status === 408) {
      tell('slow');
      await pause(Math.max(retryAfter, Math.min(2 ** failures++, 15)));
    } else {
      return answer;
    }
  }
};
