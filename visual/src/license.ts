// What a visual knows about its licence without asking anyone: the token that was put
// into its file, whose signature is checked here. Nothing in this file draws, and
// nothing in it needs the network.

/**
 * What a visual may say about its licence.
 *
 * - `licensed`: paid, and inside the paid period.
 * - `trial`: inside the trial.
 * - `grace`: the paid period is over, the renewal's few days of grace are not.
 * - `expired`: the token's last instant has passed.
 * - `unlicensed`: the file carries no token; it came from elsewhere than the vendor's mail.
 * - `invalid`: there is a token and it is not a genuine one for this product.
 * - `unverified`: there is a token, and this browser cannot tell whether it is genuine:
 *   `crypto.subtle` is missing (a page under plain http), or it does not know Ed25519.
 *   Neither a good customer nor a forger can be told from it, so nothing is claimed.
 */
export type Status = "licensed" | "trial" | "grace" | "expired" | "unlicensed" | "invalid" | "unverified";

/** The claims of a genuine token that the visual uses. Instants are seconds since 1970, UTC. */
export interface Claims {
    aud: string;
    exp: number;
    period_end: number;
    trial: boolean;
    plan?: string;
}

/** What verifying found: the claims of a genuine token, or why there are none. */
export type Verified = { claims: Claims } | { status: "unlicensed" | "invalid" | "unverified" };

/**
 * The vendor's public Ed25519 keys by their RFC 7638 thumbprint: the one that signs now
 * and the one that will after the next rotation. They stay literals so that the engine
 * finds them in the built package.
 */
export const KEYS: Readonly<Record<string, string>> = {
    "MxA4nO0KWLlfkCKzeIiIAuEvZEY8f0LBd5N-HjMx7Jk": "yZtcseDbkboKW-slVQ9kegQdfTa9Iv0GTDDdkjZ_4PE",
    "K-uLQKbGPBdP0UAFYcXF0zk9WMpdktXlp0-NFSD5whE": "VnB9eRFhxhloxLV1zAgOsUBB4wPadWFbGzJ6JGpH43Y",
};

/** The guid without what the organisational store and the developer visual add to it. */
export function baseGuid(guid: string): string {
    return guid.replace(/(_OrgStore|_DEBUG)+$/, "");
}

/** The token that stamping left in the page for this visual, or null. */
export function embeddedToken(guid: string, page: object = globalThis): string | null {
    const tokens = (page as { okvizLicenses?: unknown }).okvizLicenses;
    if (typeof tokens !== "object" || tokens === null) {
        return null;
    }
    const own = baseGuid(guid);
    for (const [key, token] of Object.entries(tokens)) {
        if (baseGuid(key) === own && typeof token === "string" && token !== "") {
            return token;
        }
    }
    return null;
}

/** Checks that a token is a genuine one for the product; whether it is still in force is for {@link statusAt}. */
export async function verify(
    token: string | null,
    product: string,
    keys: Readonly<Record<string, string>> = KEYS,
    subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle,
): Promise<Verified> {
    if (token === null) {
        return { status: "unlicensed" };
    }
    const parts = token.split(".");
    const header = parseObject(parts[0]);
    const claims = parseObject(parts[1]);
    const signature = decode(parts[2]);
    const kid = header?.kid;
    if (parts.length !== 3 || !header || !claims || signature?.length !== 64 ||
        header.alg !== "EdDSA" || header.typ !== "okviz-license+jwt" || "crit" in header ||
        typeof kid !== "string" || !Object.keys(keys).includes(kid) ||
        claims.aud !== product || typeof claims.exp !== "number" ||
        typeof claims.period_end !== "number" || typeof claims.trial !== "boolean") {
        return { status: "invalid" };
    }
    if (!subtle) {
        return { status: "unverified" };
    }
    let genuine: boolean;
    try {
        const key = await subtle.importKey("raw", decode(keys[kid])!, { name: "Ed25519" }, false, ["verify"]);
        genuine = await subtle.verify("Ed25519", key, signature, new TextEncoder().encode(parts[0] + "." + parts[1]));
    } catch {
        return { status: "unverified" }; // this browser has no Ed25519
    }
    return genuine ? { claims: claims as unknown as Claims } : { status: "invalid" };
}

/** What to say about the licence at an instant. Each end is the first instant that is no longer covered. */
export function statusAt(verified: Verified, now: Date): Status {
    if (!("claims" in verified)) {
        return verified.status;
    }
    const { exp, period_end, trial } = verified.claims;
    const seconds = now.getTime() / 1000;
    if (seconds >= exp) {
        return "expired";
    }
    if (seconds >= period_end) {
        return "grace";
    }
    return trial ? "trial" : "licensed";
}

function parseObject(part: string | undefined): Record<string, unknown> | null {
    const bytes = decode(part);
    if (!bytes) {
        return null;
    }
    try {
        const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
        return typeof value === "object" && !Array.isArray(value) ? value as Record<string, unknown> | null : null;
    } catch {
        return null;
    }
}

/** Decodes base64url without padding; null if it is anything else. */
function decode(text: string | undefined) {
    if (!text || !/^[\w-]+$/.test(text)) {
        return null;
    }
    try {
        const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
        return Uint8Array.from(binary, (c) => c.charCodeAt(0));
    } catch {
        return null;
    }
}
