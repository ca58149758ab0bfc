// Asking for something that moves money or state: once. A key goes with each
// press of a button, and whatever happens to the connection, the same thing is
// only ever asked for again with the same key.
import { post } from './api.js';

export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, '0')).join('');

// wait resolves after so many seconds, or when the connection is back.
const wait = seconds => new Promise(resolve => {
  const done = () => {
    removeEventListener('online', done);
    clearTimeout(timer);
    resolve();
  };
  const timer = setTimeout(done, seconds * 1000);
  addEventListener('online', done);
});

// ask asks until the outcome is known. tell hears why it takes long: waiting,
// offline or slow.
export const ask = async (path, body, options, tell = () => {}, pause = wait) => {
  for (let failures = 0; ; ) {
    let answer;
    try {
      answer = await post(path, body, options);
    } catch {
      tell('offline');
      await pause(Math.min(2 ** failures++, 15));
      continue;
    }
    const { status, body: { code }, retryAfter } = answer;
    if (status === 202 || code === 'idempotency_in_progress') {
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

// leave goes to a page of the gateway's or of the bank's. Whoever comes back
// with the browser's button finds this page as it is then.
export const leave = url => {
  addEventListener('pageshow', e => e.persisted && location.reload());
  location.assign(url);
};

// pageOf is where a payment sends the customer, if it does.
export const pageOf = payment =>
  (payment?.status === 'requires_action' && /^https?:/.test(payment.action_url ?? '') ? payment.action_url : null);

// A command on a subscription is kept in the tab until its outcome is known,
// so that a reload asks for it again. A sign-in that ran out in between leaves
// it there.
const name = 'okviz.command';

export const command = (subscription, verb, body = {}) => {
  const c = { subscription, verb, body: JSON.stringify(body), key: newKey() };
  sessionStorage.setItem(name, JSON.stringify(c));
  return c;
};

// unfinished is the command on this subscription whose outcome is not known.
export const unfinished = subscription => {
  const c = JSON.parse(sessionStorage.getItem(name));
  return c?.subscription === subscription ? c : null;
};

export const carryOut = async (c, tell, pause) => {
  const answer = await ask(`/v1/subscriptions/${c.subscription}/${c.verb}`, c.body, { key: c.key }, tell, pause);
  if (answer.status !== 401) sessionStorage.removeItem(name);
  return answer;
};
