import type { Storage } from "./license.js";
/** Rejects where a host does not answer. */
export declare function soon(answer: unknown): Promise<unknown>;
/** 128 random bits, as four numbers: "2147483648-7-…". */
export declare function random(): string;
/**
 * The id that is kept, or one that is made and then found to be kept; undefined where
 * storage does not work. Of frames that start together the last to write wins: while an
 * id is younger than {@link SETTLING} it is read once more.
 */
export declare function person(storage: Storage): Promise<string | undefined>;
