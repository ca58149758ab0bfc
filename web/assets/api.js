// The public API. Answers of any status are answers; only a lost connection
// throws.

const answerOf = async response => {
  const text = await response.text();
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    // a proxy's page, say: the status is all there is to know
  }
  return { status: response.status, body, retryAfter: Number(response.headers.get('Retry-After')) || 0 };
};

export const post = async (path, body, { key, token, signal } = {}) => answerOf(await fetch(path, {
  method: 'POST',
  body,
  signal: signal ?? AbortSignal.timeout(60_000),
  headers: {
    'Content-Type': 'application/json',
    ...(key && { 'Idempotency-Key': key }),
    ...(token && { Authorization: `Bearer ${token}` }),
  },
}));

// read is what an address holds. What it does not hold is thrown, with the
// status that says why.
export const read = async path => {
  const { status, body } = await answerOf(await fetch(path, { signal: AbortSignal.timeout(60_000) }));
  if (status !== 200) throw Object.assign(new Error(`${path}: ${status}`), { status });
  return body;
};

export const products = async () => (await read('/v1/products')).data;

export const putSites = async (license, sites) => answerOf(await fetch(`/v1/licenses/${license}/sites`, {
  method: 'PUT', body: JSON.stringify({ sites }), headers: { 'Content-Type': 'application/json' }, signal: AbortSignal.timeout(60_000),
}));
