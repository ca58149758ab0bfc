import type { State } from "./license.js";
/** How a state is shown; a banner and a badge leave the visual usable. */
export type Kind = "none" | "badge" | "banner" | "overlay";
export interface NoticeOptions {
    /** Power BI's `host.locale`; Italian for "it-…", otherwise English. */
    readonly locale?: string;
    /** Opens the page where the licence is renewed, with `host.launchUrl`; absent: no button. */
    readonly renew?: (state: State) => void;
}
/** How a state is to be shown: nothing while all is well, an overlay where the visual must not work. */
export declare function kind({ status, works }: State): Kind;
/** What a state is in words; empty while all is well. */
export declare function words({ status, code, until }: State, locale?: string): string;
/** A notice on top of a visual. The element that it is put into must be positioned, as with `position: relative`. */
export declare class Notice {
    #private;
    constructor(parent: HTMLElement, options?: NoticeOptions);
    /** Shows a state; cheap where it is the same as before. */
    show(state: State): void;
}
