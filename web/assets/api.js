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

const send = method => async (path, body, { key, token, signal } = {}) => answerOf(await fetch(path, {
  method,
  body,
  signal: signal ?? AbortSignal.timeout(60_000),
  headers: {
    'Content-Type': 'application/json',
    ...(key && { 'Idempotency-Key': key }),
    ...(token && { Authorization: `Bearer ${token}` }),
  },
}));

export const post = send('POST');
export const patch = send('PATCH');
export const remove = send('DELETE');
const put = send('PUT');

const get = async (path, token) => {
  const response = await fetch(path, { signal: AbortSignal.timeout(60_000), headers: token ? { Authorization: `Bearer ${token}` } : {} });
  if (response.status !== 200) throw Object.assign(new Error(`${path}: ${response.status}`), { status: response.status });
  return response;
};

// read is what an address holds. What it does not hold is thrown, with the
// status that says why.
export const read = async (path, { token } = {}) => (await answerOf(await get(path, token))).body;

// download saves a file that a link cannot lead to, since it needs a token.
export const download = async (path, name, { token } = {}) => {
  const url = URL.createObjectURL(await (await get(path, token)).blob());
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

export const products = async () => (await read('/v1/products')).data;

export const putSites = (license, sites) => put(`/v1/licenses/${license}/sites`, JSON.stringify({ sites }));
