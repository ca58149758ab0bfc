export { License } from "./license.js";
