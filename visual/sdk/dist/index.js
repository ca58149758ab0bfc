export { License } from "./license.js";
export { kind, Notice, words } from "./notice.js";
