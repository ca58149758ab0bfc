// @ts-check
// Who has signed in, and the way there and back. The session itself is a
// cookie that no script can read: GET /v1/me tells.
import { post, read } from './api.js';
/** @import { Me } from '../types/pages' */

// The mailed link opens in a tab of its own, so where the visitor came from is
// kept in the browser, for as long as the link is good.
const item = 'okviz.next';
const life = 15 * 60_000;

/**
 * own holds a way back to the pages that need to know who it is.
 * @param {string} path
 */
export const own = path => {
  const url = URL.canParse(path, location.origin) && new URL(path, location.origin);
  return url && url.origin === location.origin && /^\/(account|quotes|checkout)(\/|$)/.test(url.pathname) ? url.pathname + url.search : '/account';
};

/** @param {string} path */
export const remember = path => localStorage.setItem(item, JSON.stringify({ path: own(path), until: Date.now() + life }));

// next is where the visitor wanted to go.
export const next = () => {
  const kept = JSON.parse(localStorage.getItem(item) ?? 'null');
  localStorage.removeItem(item);
  return own(kept && kept.until > Date.now() ? kept.path : '/account');
};

// signIn leaves a page that needs a session.
export const signIn = () => location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);

/** @type {Promise<Me | null> | undefined} */
let asked;

// me is the account, or null.
export const me = () => asked ??= read('/v1/me').catch(() => null);

/** @param {boolean} everywhere */
export const logOut = async everywhere => {
  await post('/v1/logout', { everywhere });
  location.assign('/');
};
