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

export const products = async () => {
  const { status, body } = await answerOf(await fetch('/v1/products'));
  if (status !== 200) throw new Error(`products: ${status}`);
  return body.data;
};
