export { License } from "./license.js";
export type { Online, Options, State, Status, Storage } from "./license.js";
export { kind, Notice, words } from "./notice.js";
export type { Kind, NoticeOptions } from "./notice.js";
export type { Keys } from "./token.js";
