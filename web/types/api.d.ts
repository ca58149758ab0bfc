// The API's types, which are made with its client.
export type * from '../../client/typescript/src/schema.js';
