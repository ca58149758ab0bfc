// Buys one product. Where the token comes from in a real page: Stripe.js, docs/integrators.md.
const product = 'calendar-pro';
const currency = 'USD';
const base = document.querySelector('meta[name="okviz-api"]').content;
const field = id => document.getElementById(id);
const say = text => { field('message').textContent = text; };
const money = m => new Intl.NumberFormat('en', { style: 'currency', currency: m.currency }).format(m.amount / 100); // JPY has no hundredths

async function call(method, path, body, headers = {}) {
  for (;;) {
    const answer = await fetch(base + path, {
      method, credentials: 'omit', body: body && JSON.stringify(body),
      headers: { ...(body && { 'Content-Type': 'application/json' }), ...headers },
    });
    const content = await answer.json();
    const wait = answer.headers.get('Retry-After');
    if ((answer.status === 202 || answer.status === 503) && wait) { // the outcome is not known yet: the same key asks for it
      await new Promise(resolve => setTimeout(resolve, wait * 1000));
      continue;
    }
    return { ok: answer.ok, status: answer.status, content };
  }
}

const plan = () => JSON.parse(field('plan').value);

async function preview() {
  const { ok, content } = await call('POST', '/v1/checkout/preview', { product, plan: plan(), currency, billing: { country: field('country').value } });
  field('total').textContent = ok ? `${money(content.total)}, tax included` : content.errors?.map(e => `${e.field} ${e.detail}`).join(', ') ?? content.detail;
}

// One key for one press of the button, kept so that a reload does not buy twice.
let declined; // the order that waits for another card
async function buy(event) {
  event.preventDefault();
  field('buy').disabled = true;
  const token = field('token').value;
  const body = declined ? { token } : {
    product, plan: plan(), currency, pay: 'now', payment: { method: 'card', token }, accept_terms: field('terms').checked,
    billing: { name: field('name').value, email: field('email').value, country: field('country').value },
  };
  const pressed = JSON.stringify([declined?.subscription_id, body]);
  if (sessionStorage.pressed !== pressed) Object.assign(sessionStorage, { pressed, key: crypto.randomUUID() });
  const headers = { 'Idempotency-Key': sessionStorage.key };
  const { ok, content } = declined
    ? await call('POST', `/v1/subscriptions/${declined.subscription_id}/payment-method`, body, { ...headers, Authorization: `Bearer ${declined.checkout_token}` })
    : await call('POST', '/v1/checkout', body, headers);
  field('buy').disabled = false;
  if (ok && content.payment?.action_url) location.assign(content.payment.action_url); // the bank asks
  else if (ok) say(`Thank you. Invoice ${content.invoice?.number}. The file is in your mail.`);
  else if (content.code === 'card_declined') {
    if (content.checkout_token) declined = content;
    say('The card was declined. Try another one.');
  } else say(content.errors?.map(e => `${e.field} ${e.detail}`).join(', ') ?? content.detail);
}

const { content: catalogue } = await call('GET', `/v1/products?currency=${currency}`);
for (const p of catalogue.data.find(p => p.id === product).plans.filter(p => p.type === 'users')) {
  field('plan').append(new Option(`${p.tier}, ${p.cycle}: ${money(p.prices[0])}`, JSON.stringify({ type: p.type, tier: p.tier, cycle: p.cycle })));
}
field('order').addEventListener('submit', buy);
field('order').addEventListener('change', preview);
await preview();
