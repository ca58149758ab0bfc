// Draws /openapi.json as a page to read.
const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};

const resolve = (doc, schema) => {
  for (;;) {
    if (schema?.$ref) schema = schema.$ref.slice(2).split('/').reduce((at, key) => at[key], doc);
    else if (schema?.anyOf) [schema] = schema.anyOf; // the other one is null
    else return schema ?? {};
  }
};

const type = (doc, schema) => {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.anyOf) return schema.anyOf.map(s => type(doc, s)).join(' or ');
  const kinds = [schema.type ?? 'any'].flat();
  return kinds.map(k => (k === 'array' ? `list of ${type(doc, schema.items ?? {})}` : k)).join(' or ');
};

const example = (doc, schema, depth = 0) => {
  const s = resolve(doc, schema);
  if (s.examples?.length) return s.examples[0];
  if (s.enum) return s.enum[0];
  if (depth > 5) return null;
  switch ([s.type].flat()[0]) {
    case 'object': return Object.fromEntries(Object.entries(s.properties ?? {}).map(([k, v]) => [k, example(doc, v, depth + 1)]));
    case 'array': return [example(doc, s.items ?? {}, depth + 1)];
    case 'integer': case 'number': return s.minimum ?? 0;
    case 'boolean': return false;
    default: return s.format === 'date-time' ? '2026-01-31T10:00:00Z' : '…';
  }
};

const table = (head, rows) => make('table', {},
  make('tr', {}, ...head.map(h => make('th', { textContent: h }))),
  ...rows.map(cells => make('tr', {}, ...cells.map(c => make('td', {}, c)))));

const fields = (doc, schema) => {
  const s = resolve(doc, schema);
  const required = new Set(s.required ?? []);
  return Object.entries(s.properties ?? {}).map(([name, f]) => {
    const r = resolve(doc, f);
    const notes = [f.description ?? r.description, r.enum && `one of ${r.enum.join(', ')}`].filter(Boolean).join(' – ');
    return [make('code', { textContent: name + (required.has(name) ? '' : '?') }), type(doc, f), notes];
  });
};

const operation = (doc, path, method, op) => {
  const article = make('article', { id: op.operationId },
    make('h3', { textContent: op.summary }),
    make('p', {}, make('code', {}, make('span', { className: 'method', textContent: method.toUpperCase() }), ` ${path}`)));
  if (op.description) article.append(make('p', { textContent: op.description }));
  const params = (op.parameters ?? []).map(p => [make('code', { textContent: p.name }), p.in, p.description ?? '']);
  if (params.length) article.append(table(['Parameter', 'in', ''], params));
  const body = op.requestBody?.content?.['application/json']?.schema;
  if (body) article.append(make('p', { textContent: 'Request' }), table(['Field', 'Type', ''], fields(doc, body)));
  for (const [status, answer] of Object.entries(op.responses ?? {})) {
    const schema = answer.content?.['application/json']?.schema;
    if (schema) article.append(make('p', { textContent: `${status} ${answer.description ?? ''}` }),
      make('pre', { textContent: JSON.stringify(example(doc, schema), null, 1) }));
  }
  return article;
};

function draw(doc) {
  document.getElementById('about').replaceChildren(`${doc.info.description} As a file: `, make('a', { href: '/openapi.json', textContent: 'openapi.json' }), '.');
  const groups = new Map();
  for (const [path, methods] of Object.entries(doc.paths)) for (const [method, op] of Object.entries(methods)) {
    const tag = op.tags?.[0] ?? 'Other';
    groups.set(tag, [...(groups.get(tag) ?? []), [path, method, op]]);
  }
  for (const [tag, ops] of groups) {
    document.getElementById('nav').append(make('h2', { textContent: tag }), ...ops.map(([, , op]) => make('a', { href: `#${op.operationId}`, textContent: op.summary })));
    document.getElementById('main').append(make('h2', { textContent: tag }), ...ops.map(([path, method, op]) => operation(doc, path, method, op)));
  }
}

fetch('/openapi.json').then(answer => answer.json()).then(draw, () => {
  document.getElementById('about').textContent = 'The description could not be read.';
});
