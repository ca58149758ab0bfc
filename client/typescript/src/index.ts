import { keyed, type components, type paths } from './schema.js';

export type { components, paths } from './schema.js';

/** The API's objects by their names: `Schemas['Subscription']`. */
export type Schemas = components['schemas'];
/** What every refusal says. `code` is for programs. */
export type Problem = Schemas['Problem'];

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never }[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;
type Part<O, K extends string> = O extends { parameters: infer A } ? (K extends keyof A ? A[K] : undefined) : undefined;
type Json<R> = R extends { content: infer C } ? ('application/json' extends keyof C ? C['application/json'] : Blob) : undefined;
type Good<O> = O extends { responses: infer R } ? { [S in keyof R]: S extends 200 | 201 | 202 | 204 ? Json<R[S]> : never }[keyof R] : never;
type Body<O> = O extends { requestBody?: { content: infer C } } ? ('application/json' extends keyof C ? C['application/json'] : BodyInit) : undefined;
type Given<K extends string, V> = [undefined] extends [V] ? { [N in K]?: V } : { [N in K]: V };

/** What a call takes besides its route. */
export type Input<P extends keyof paths, M extends Method> = Given<'path', Part<Operation<P, M>, 'path'>> &
  Given<'query', Part<Operation<P, M>, 'query'>> &
  Given<'body', Body<Operation<P, M>>> & {
    /** 16 to 255 visible ASCII characters. Keep it before you send a command, and a crash does not buy twice. Absent: a new one. */
    idempotencyKey?: string;
    signal?: AbortSignal;
  };
type Call<P extends keyof paths, M extends Method> = {} extends Input<P, M> ? [input?: Input<P, M>] : [input: Input<P, M>];
type Listed<O> = Good<O> extends { data: (infer T)[] } ? T : never;

/** A refusal: `error.problem.code` tells why. */
export class OkvizError extends Error {
  constructor(readonly status: number, readonly problem: Problem) {
    super([problem.code, problem.detail, ...(problem.errors ?? []).map(e => `${e.field} ${e.detail}`)].filter(Boolean).join(': '));
    this.name = 'OkvizError';
  }
}

/** A command's outcome is not known yet: it may have been carried out. The same command under the same key tells later. */
export class OutcomeUnknown extends Error {
  constructor(readonly idempotencyKey: string, readonly answer: unknown) {
    super('the outcome of the command is not known yet');
    this.name = 'OutcomeUnknown';
  }
}

export interface Options {
  /** The installation's address, such as https://licensing.example.com. */
  url: string;
  /** An API key, or an order's or a quote's token; absent: nobody's. */
  key?: string;
  /** How often a request is sent at most; 5 by default. */
  attempts?: number;
  fetch?: typeof fetch;
}

const longestWait = 30; // seconds; a longer Retry-After is the caller's

const pause = (seconds: number, signal?: AbortSignal) => new Promise<void>((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal?.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

/**
 * Calls an installation's routes. What may be repeated safely is repeated after a lost connection,
 * 429 and 5xx; commands under their first Idempotency-Key, until their outcome is known.
 */
export class Okviz {
  constructor(private readonly options: Options) {}

  /** The same client with another key, or the token of an order or a quote. */
  as(key: string): Okviz { return new Okviz({ ...this.options, key }); }

  get<P extends PathsWith<'get'>>(path: P, ...[input]: Call<P, 'get'>) { return this.send<Good<Operation<P, 'get'>>>('get', path, input); }
  post<P extends PathsWith<'post'>>(path: P, ...[input]: Call<P, 'post'>) { return this.send<Good<Operation<P, 'post'>>>('post', path, input); }
  put<P extends PathsWith<'put'>>(path: P, ...[input]: Call<P, 'put'>) { return this.send<Good<Operation<P, 'put'>>>('put', path, input); }
  patch<P extends PathsWith<'patch'>>(path: P, ...[input]: Call<P, 'patch'>) { return this.send<Good<Operation<P, 'patch'>>>('patch', path, input); }
  delete<P extends PathsWith<'delete'>>(path: P, ...[input]: Call<P, 'delete'>) { return this.send<Good<Operation<P, 'delete'>>>('delete', path, input); }

  /** Goes through all pages of a list. */
  async *list<P extends PathsWith<'get'>>(path: P, ...[input]: Call<P, 'get'>): AsyncGenerator<Listed<Operation<P, 'get'>>> {
    type Page = { data: Listed<Operation<P, 'get'>>[]; next_cursor: string | null };
    const place = path === '/v1/events' || path === '/v1/operator/audit' ? 'after' : 'cursor';
    for (let query = { ...(input as Untyped)?.query }; ;) {
      const page = await this.send<Page>('get', path, { ...(input as Untyped), query });
      yield* page.data;
      if (page.next_cursor === null) return;
      query = { ...query, [place]: page.next_cursor };
    }
  }

  private async send<T>(method: Method, path: string, input: Untyped = {}): Promise<T> {
    const { url, key, attempts = 5, fetch = globalThis.fetch } = this.options;
    const address = new URL(path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(input.path?.[name]))), url);
    for (const [name, value] of Object.entries(input.query ?? {})) if (value !== undefined) address.searchParams.set(name, String(value));
    const idempotencyKey = input.idempotencyKey ?? crypto.randomUUID();
    const headers: Record<string, string> = {};
    if (key) headers.Authorization = `Bearer ${key}`;
    if (method === 'post' && keyed.includes(path)) headers['Idempotency-Key'] = idempotencyKey;
    let body = input.body as BodyInit | undefined;
    if (body !== undefined && typeof body !== 'string' && !(body instanceof FormData) && !(body instanceof Blob)) {
      body = JSON.stringify(body);
      headers['Content-Type'] = 'application/json';
    }
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= attempts;
      let answer: Response;
      try {
        answer = await fetch(address, { method: method.toUpperCase(), headers, body, signal: input.signal, credentials: 'omit' });
      } catch (error) {
        if (last || input.signal?.aborted || !safe(method, path)) throw error;
        await pause(2 ** (attempt - 2), input.signal);
        continue;
      }
      const told = answer.headers.get('Retry-After');
      const wait = told === null ? 2 ** (attempt - 2) : Number(told);
      const again = told === null ? answer.status >= 500 : wait <= longestWait;
      if (again && !last && (safe(method, path) || answer.status === 429)) {
        await answer.body?.cancel();
        await pause(wait, input.signal);
        continue;
      }
      const kind = answer.headers.get('Content-Type') ?? '';
      const content = kind.includes('json') ? await answer.json() : answer.ok && answer.status !== 204 && kind ? await answer.blob() : undefined;
      if (!answer.ok) throw new OkvizError(answer.status, content?.code ? content : { type: 'about:blank', title: answer.statusText, status: answer.status, code: 'unknown' });
      if (answer.status === 202 && told !== null) throw new OutcomeUnknown(idempotencyKey, content);
      return content as T;
    }
  }
}

type Untyped = { path?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown; idempotencyKey?: string; signal?: AbortSignal };

/** Whether a request may be carried out twice without harm. */
const safe = (method: Method, path: string) => method !== 'post' || keyed.includes(path);
