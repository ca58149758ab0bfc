export { License } from "./license.js";
export type { Online, Options, State, Status, Storage } from "./license.js";
export type { Keys } from "./token.js";
