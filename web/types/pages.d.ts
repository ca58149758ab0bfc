// The types that the modules of the pages share. Those of the API are in
// api.d.ts, which `make types` writes.
import type { TemplateResult } from 'lit-html';
import type en from '../assets/words/en.js';
import type { components, paths } from './api';

type Schemas = components['schemas'];
export type Invoice = Schemas['Invoice'];
export type License = Schemas['License'];
export type Me = Schemas['Me'];
export type Member = Schemas['Member'];
export type Money = Schemas['Money'];
export type Payment = Schemas['Payment'];
export type Plan = Schemas['Plan'];
export type PlanChoice = Schemas['PlanChoice'];
export type Problem = Schemas['Problem'];
export type Product = Schemas['Product'];
export type ProductPage = Schemas['ProductPage'];
export type Picture = Schemas['Picture'];
export type ProductPlan = Schemas['ProductPlan'];
export type Quote = Schemas['Quote'];
export type Subscription = Schemas['Subscription'];
export type Preview = Schemas['Preview'];
export type ChangePreview = Schemas['ChangePreview'];
export type SubscriptionEvent = Schemas['Event'];
export type Type = Plan['type'];
export type Cycle = Plan['cycle'];
/** What a command on a subscription answers. */
export type BillingDetails = Schemas['Details'];
export type VATCheck = Schemas['VATCheck'];
export type NextDocument = Schemas['NextDocument'];
export type CommandResult = Schemas['CommandResult'];

// ---- requests and answers, by the address that is asked ----

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
/** "/v1/licenses/{id}" as the address of any licence: `/v1/licenses/${string}`. */
type Filled<P extends string> = P extends `${infer Before}{${string}}${infer After}` ? `${Before}${string}${Filled<After>}` : P;
type WithoutQuery<A extends string> = A extends `${infer Path}?${string}` ? Path : A;
/** The described path of an address; never: there is none. */
type PathOf<A extends string> = {
  [P in keyof paths]: [WithoutQuery<A>, Filled<P>] extends [Filled<P>, WithoutQuery<A>] ? P : never
}[keyof paths];
type Operation<M extends Method, A extends string> = paths[PathOf<A>][M];

/** The body of a good answer. */
export type Answer<M extends Method, A extends string> =
  Operation<M, A> extends { responses: infer R }
    ? R extends { 200: { content: { 'application/json': infer T } } } ? T
      : R extends { 201: { content: { 'application/json': infer T } } } ? T
      : R extends { 202: { content: { 'application/json': infer T } } } ? T
        : undefined
    : never;
/** The body of a request. */
export type Body<M extends Method, A extends string> =
  Operation<M, A> extends { requestBody?: { content: { 'application/json': infer T } } } ? T : undefined;

/** An answer of any status. A proxy's error page has an empty body. */
export type Reply<T> = { status: number; retryAfter: number } & ({ ok: true; body: T } | { ok: false; body: Partial<Problem> });
export interface Options {
  /** the Idempotency-Key */
  key?: string;
  /** a bearer token */
  token?: string;
  /** of what is asked for until its outcome is known: POST where it says nothing */
  method?: 'POST' | 'PUT' | 'DELETE';
  signal?: AbortSignal;
  /** the body's media type, where it is not JSON; a form has its own */
  type?: string;
}
export type Send<M extends Method> = <A extends string>(address: A, body?: Body<M, A>, options?: Options) => Promise<Reply<Answer<M, A>>>;

// ---- pages ----

export type Content = TemplateResult | string;
/** Draws a page: its title and its content. */
export type Show = (title: string, content: TemplateResult) => void;
/** Draws the page of an address; id is what the address names. */
export type Draw = (show: Show, id: string) => unknown;

/** What every page of an account knows: whether it pays for anything, the products, and its own data. */
export interface Context<T> {
  pays: boolean;
  known: Product[];
  nameOf: (product: string) => string;
  data: T;
}

/** Why an outcome takes long. */
export type Delay = 'waiting' | 'offline' | 'slow';
export type Tell = (why: Delay) => void;
export type Pause = (seconds: number) => Promise<unknown>;

// ---- what is bought ----

/** What an address or a form asks for; any of it may be wrong or missing. */
export interface Wish {
  type?: string;
  cycle?: string;
  currency?: string;
  tier?: string | null;
  quantity?: string | number;
}
/** What is really sold. */
export interface Choice {
  type: Type;
  cycle: Cycle;
  currency: string;
  tier: string | null;
  quantity: number;
  plan: ProductPlan;
  /** The price of one. */
  price: Money;
}

/** What is known of an order that was carried out. */
export type Bought = Pick<Schemas['CheckoutResult'], 'subscription'> & {
  [P in 'invoice' | 'license' | 'payment']?: Schemas['CheckoutResult'][P] | null
};

interface Placed {
  key: string;
  body: string;
  at: string;
  to: string;
}
interface Unpaid extends Placed {
  subscription: string;
  token?: string;
}
export interface SentOrder extends Placed { state: 'sent'; holder?: string }
export interface RefusedOrder extends Placed { state: 'refused'; again: boolean }
export interface AwayOrder extends Unpaid { state: 'away'; action: string; result: Bought }
export interface DeclinedOrder extends Unpaid { state: 'declined'; decline?: string }
export interface PayingOrder extends Unpaid { state: 'paying'; card: { key: string; body: string } }
export interface DoneOrder<T extends Bought | Quote> { state: 'done'; body: string; result: T; at?: undefined; action?: undefined }
export type PendingOrder = SentOrder | RefusedOrder | AwayOrder | DeclinedOrder | PayingOrder | DoneOrder<Bought> | DoneOrder<Quote>;

/** A command on a subscription, as the tab keeps it. */
export interface PendingCommand {
  subscription: string;
  action: string;
  body: string;
  key: string;
}

// ---- words ----

/** A sentence of the pages, with what stands in it. */
type Sentence = (...details: (string | number)[]) => string;
/** What a line of a subscription's history may name, in words. */
export type EventWords = Partial<Record<'amount' | 'paid' | 'balance' | 'by' | 'until' | 'minute' | 'on' | 'plan' | 'oldPlan' | 'price' | 'oldPrice' | 'why', string>>;
export interface EventSentences { [kind: string]: (e: EventWords) => string }
/** Sentences, in groups. */
export interface Words { [name: string]: string | Sentence | Words }
/** What a translation has: the names of the English sentences, and what stands in them. */
type Translation<T> = T extends string ? string
  : T extends (...details: infer D) => string ? (...details: D) => string
    : { [K in keyof T]: Translation<T[K]> };
export type Dictionary = Translation<typeof en>;
