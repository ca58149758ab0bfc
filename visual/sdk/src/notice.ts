// What a visual shows of its licence, ready made: a badge, a banner or an overlay, in
// plain DOM without a style sheet. A visual that imports only License carries none of it.

import type { State } from "./license.js";

/** How a state is shown; a banner and a badge leave the visual usable. */
export type Kind = "none" | "badge" | "banner" | "overlay";

export interface NoticeOptions {
    /** Power BI's `host.locale`; Italian for "it-…", otherwise English. */
    readonly locale?: string;
    /** Opens the page where the licence is renewed, with `host.launchUrl`; absent: no button. */
    readonly renew?: (state: State) => void;
}

type Texts = Readonly<Record<"trial" | "grace" | "outdated" | "expired" | "revoked" | "SUSPENDED" | "invalid" | "WRONG_SITE" |
    "WRONG_LICENSEE" | "WRONG_TENANT" | "NOT_ACTIVATED" | "BLOCKED_OVER_LIMIT" | "unlicensed" | "renew", string>>;

const ENGLISH: Texts = {
    trial: "Trial until {day}",
    grace: "The licence's renewal is due. The visual works until {day}.",
    outdated: "This version of the visual is too old to check its licence. Please update the visual.",
    expired: "The licence of this visual has ended.",
    revoked: "The licence of this visual has been revoked.",
    SUSPENDED: "The licence of this visual is suspended.",
    invalid: "The licence of this visual is not valid.",
    WRONG_SITE: "The licence of this visual is for other sites.",
    WRONG_LICENSEE: "The licence of this visual is another licensee's.",
    WRONG_TENANT: "The licence of this visual is for another organisation.",
    NOT_ACTIVATED: "The licence of this visual has not been activated yet.",
    BLOCKED_OVER_LIMIT: "More people use this visual than its licence covers.",
    unlicensed: "This copy of the visual has no licence.",
    renew: "Renew",
};

const ITALIAN: Texts = {
    trial: "In prova fino al {day}",
    grace: "La licenza è da rinnovare. L'oggetto visivo funziona fino al {day}.",
    outdated: "Questa versione dell'oggetto visivo è troppo vecchia per verificare la licenza. Aggiorna l'oggetto visivo.",
    expired: "La licenza di questo oggetto visivo è scaduta.",
    revoked: "La licenza di questo oggetto visivo è stata revocata.",
    SUSPENDED: "La licenza di questo oggetto visivo è sospesa.",
    invalid: "La licenza di questo oggetto visivo non è valida.",
    WRONG_SITE: "La licenza di questo oggetto visivo vale per altri siti.",
    WRONG_LICENSEE: "La licenza di questo oggetto visivo è intestata ad altri.",
    WRONG_TENANT: "La licenza di questo oggetto visivo è di un'altra organizzazione.",
    NOT_ACTIVATED: "La licenza di questo oggetto visivo non è ancora stata attivata.",
    BLOCKED_OVER_LIMIT: "Questo oggetto visivo è usato da più persone di quante la licenza preveda.",
    unlicensed: "Questa copia dell'oggetto visivo non ha una licenza.",
    renew: "Rinnova",
};

const STYLES: Readonly<Record<Kind, string>> = {
    none: "display:none",
    badge: "top:4px;right:4px;padding:2px 8px;border-radius:8px;background:#1f5fbf;color:#fff",
    banner: "left:0;right:0;bottom:0;padding:4px 8px;background:#fff2cc;color:#222",
    overlay: "inset:0;padding:8px;display:flex;flex-wrap:wrap;gap:8px;align-items:center;align-content:center;justify-content:center;text-align:center;background:#fff;color:#222",
};

/** How a state is to be shown: nothing while all is well, an overlay where the visual must not work. */
export function kind({ status, works }: State): Kind {
    return !works ? "overlay" : status === "licensed" ? "none" : status === "trial" ? "badge" : "banner";
}

/** What a state is in words; empty while all is well. */
export function words({ status, code, until }: State, locale = "en"): string {
    if (status === "licensed") {
        return "";
    }
    const texts = textsIn(locale);
    const text = (status === "invalid" || status === "revoked") && texts[code as keyof Texts] || texts[status];
    return text.replace("{day}", until?.toLocaleDateString(locale, { dateStyle: "long" }) ?? "");
}

/** A notice on top of a visual. The element that it is put into must be positioned, as with `position: relative`. */
export class Notice {
    readonly #element: HTMLElement;
    readonly #options: NoticeOptions;
    #shown = "";

    constructor(parent: HTMLElement, options: NoticeOptions = {}) {
        this.#options = options;
        this.#element = document.createElement("div");
        this.#element.setAttribute("role", "status"); // so that screen readers say it
        parent.appendChild(this.#element);
    }

    /** Shows a state; cheap where it is the same as before. */
    show(state: State): void {
        const { locale, renew } = this.#options;
        const shown = [state.status, state.works, state.code, state.until?.getTime()].join();
        if (this.#shown === shown) {
            return;
        }
        this.#shown = shown;
        const as = kind(state);
        this.#element.className = "okviz-notice okviz-" + as;
        this.#element.style.cssText = "position:absolute;z-index:1;box-sizing:border-box;font:12px 'Segoe UI',sans-serif;" + STYLES[as];
        this.#element.textContent = words(state, locale);
        if (renew && (state.status === "grace" || state.status === "expired")) {
            const button = document.createElement("button");
            button.textContent = textsIn(locale).renew;
            button.style.cssText = "margin-left:8px;border:0;background:none;color:#1f5fbf;font:inherit;text-decoration:underline;cursor:pointer";
            button.addEventListener("click", () => renew(state));
            this.#element.appendChild(button);
        }
    }
}

function textsIn(locale = "en"): Texts {
    return /^it\b/i.test(locale) ? ITALIAN : ENGLISH;
}
