// A language that lacks a sentence would show none: node --test words_test.mjs
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import test from 'node:test';

// shape is the names of a dictionary, and how many words each sentence takes in.
const shape = words => Object.fromEntries(Object.entries(words).map(([name, w]) =>
  [name, typeof w === 'object' ? shape(w) : typeof w === 'function' ? w.length : 'text']).sort());

// details are all that an event may name; asking for anything else is a mistake.
const details = new Proxy(Object.fromEntries(['amount', 'paid', 'balance', 'by', 'until', 'minute', 'on', 'plan', 'oldPlan', 'price', 'oldPrice', 'why']
  .map(name => [name, `<${name}>`])), {
  get: (all, name) => all[name] ?? assert.fail(`no event names ${String(name)}`),
});

for (const file of await readdir(new URL('./assets/operator/words/', import.meta.url))) {
  test(`the console's ${file} has every sentence`, async () => {
    const [{ default: words }, { default: english }] = await Promise.all([import(`./assets/operator/words/${file}`), import('./assets/operator/words/en.js')]);
    assert.deepEqual(shape(words), shape(english));
  });
}

const { default: en } = await import('./assets/words/en.js');
for (const file of await readdir(new URL('./assets/words/', import.meta.url))) {
  test(`${file} has every sentence`, async () => {
    const { default: words } = await import(`./assets/words/${file}`);
    assert.deepEqual(shape(words), shape(en));
    for (const sentence of Object.values(words.account.event)) {
      assert.match(sentence(details), /^[A-ZÀ-Ý].*\.$/);
    }
  });
}
