// @ts-check
// The public API. An answer of any status is an answer; only a lost connection
// throws.
/** @import { Answer, Options, Reply, Send } from '../types/pages' */

const limit = () => AbortSignal.timeout(60_000);

/** @param {string} [token] @returns {Record<string, string>} */
const bearer = token => (token ? { Authorization: `Bearer ${token}` } : {});

/** @param {Response} response */
const bodyOf = async response => {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return {}; // a proxy's page, say: the status is all there is to know
  }
};

/**
 * send sends a body as it stands. The caller says what a good answer is.
 * @template T
 * @param {string} method
 * @param {string} address
 * @param {string} [body]
 * @param {Options} [options]
 * @returns {Promise<Reply<T>>}
 */
export const send = async (method, address, body, { key, token, signal } = {}) => {
  const response = await fetch(address, {
    method,
    body,
    signal: signal ?? limit(),
    headers: { 'Content-Type': 'application/json', ...(key && { 'Idempotency-Key': key }), ...bearer(token) },
  });
  return { ok: response.ok, status: response.status, body: await bodyOf(response), retryAfter: Number(response.headers.get('Retry-After')) || 0 };
};

/** @type {Send<'post'>} */
export const post = (address, body, options) => send('POST', address, JSON.stringify(body), options);
/** @type {Send<'patch'>} */
export const patch = (address, body, options) => send('PATCH', address, JSON.stringify(body), options);
/** @type {Send<'put'>} */
export const put = (address, body, options) => send('PUT', address, JSON.stringify(body), options);
/** @type {Send<'delete'>} */
export const remove = (address, body, options) => send('DELETE', address, JSON.stringify(body), options);

/** What an address does not hold is thrown, with the status that says why. */
export class NotRead extends Error {
  /** @param {string} address @param {number} status @param {string} [code] */
  constructor(address, status, code) {
    super(`${address}: ${status}`);
    this.status = status;
    this.code = code;
  }
}

/** @param {string} address @param {string} [token] */
const get = async (address, token) => {
  const response = await fetch(address, { signal: limit(), headers: bearer(token) });
  if (response.status !== 200) throw new NotRead(address, response.status, (await response.json().catch(() => ({}))).code);
  return response;
};

/**
 * read is what an address holds.
 * @template {string} A
 * @param {A} address
 * @param {Options} [options]
 * @returns {Promise<Answer<'get', A>>}
 */
export const read = async (address, { token } = {}) => bodyOf(await get(address, token));

/**
 * download saves a file that a link cannot lead to, since it needs a token.
 * @param {string} address
 * @param {Options} [options]
 */
export const download = async (address, { token } = {}) => {
  const answer = await get(address, token);
  const [, name = ''] = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') ?? '') ?? [];
  const url = URL.createObjectURL(await answer.blob());
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

export const products = async () => (await read('/v1/products')).data;
