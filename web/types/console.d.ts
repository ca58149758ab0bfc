// The types that the console's modules share.
import type { TemplateResult } from 'lit-html';
import type en from '../assets/operator/words/en.js';
import type { components } from './api';
import type { CommandResult, Content } from './pages';

type Schemas = components['schemas'];
export type Found = Schemas['Found'];
export type Mail = Schemas['Mail'];
export type Me = Schemas['OperatorMe'];
export type Note = Schemas['Note'];
export type Role = Me['role'];
export type KeptLine = Schemas['KeptLine'];
export type StatementLine = Schemas['StatementLine'];

/** A field of an action. */
export interface Field {
  name: string;
  label: string;
  type?: string;
  required?: boolean;
  value?: string;
  hint?: string;
  max?: number;
  /** values and their labels; the first is chosen */
  choices?: [string, string][];
}
/** Something that an operator can do. */
export interface Action {
  id: string;
  /** the key that opens it */
  letter: string;
  label: string;
  /** what it does, in words */
  lead: Content;
  confirm?: string;
  /** what is said once it is done */
  done: string;
  fields?: Field[];
  /** reads what the fields need, before it opens */
  prepare?: () => Promise<unknown>;
  method?: 'POST' | 'PUT';
  path: string | ((values: Record<string, string>) => string);
  /** what is sent; a text says what is wrong with what was typed */
  body?: (values: Record<string, string>) => object | string;
  /** what is shown of the answer */
  after?: (answer: Partial<CommandResult>) => TemplateResult;
}

type Translation<T> = T extends string ? string
  : T extends (...details: infer D) => string ? (...details: D) => string
    : T extends string[] ? string[]
      : { [K in keyof T]: Translation<T[K]> };
export type Dictionary = Translation<typeof en>;
