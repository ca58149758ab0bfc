// What a licence token says, and whether it is genuine.

import { verify } from "./ed25519.js";

/** The vendor's public Ed25519 keys, base64url, by their RFC 7638 thumbprint. */
export type Keys = Readonly<Record<string, string>>;

/** The claims of a token that a visual uses. Instants are seconds since 1970, UTC. */
export interface Claims {
    /** The product. */
    aud: string;
    /** The licence's id. */
    sub: string;
    /** When it was signed. */
    iat: number;
    /** The first instant at which it no longer counts. */
    exp: number;
    /** The end of what has been paid for; from then until `exp` the licence runs on grace. */
    period_end: number;
    trial: boolean;
    plan?: string;
    type?: "users" | "capacity" | "site";
    sites?: string[];
    tenant?: string;
    licensee?: string;
}

/** A token of the right form, whose signature has yet to be checked. */
export interface Unverified {
    claims: Claims;
    key: Uint8Array<ArrayBuffer>;
    signed: Uint8Array<ArrayBuffer>;
    signature: Uint8Array<ArrayBuffer>;
}

/** The guid without what the organisational store and the developer visual add to it. */
export function baseGuid(guid: string): string {
    return guid.replace(/(_OrgStore|_DEBUG)+$/, "");
}

/** The token that the engine put into the file of this visual, or null. */
export function embeddedToken(guid: string): string | null {
    const tokens = (globalThis as { okvizLicenses?: unknown }).okvizLicenses;
    if (typeof tokens === "object" && tokens !== null) {
        for (const [key, token] of Object.entries(tokens)) {
            if (baseGuid(key) === baseGuid(guid) && typeof token === "string" && token) {
                return token;
            }
        }
    }
    return null;
}

/** Reads a token for a product, which goes by its id or its guid; null if it is none. */
export function parse(token: string, product: string, guid: string, keys: Keys): Unverified | null {
    const parts = token.split(".");
    const header = parseObject(parts[0]);
    const claims = parseObject(parts[1]);
    const signature = decode(parts[2]);
    const kid = header?.kid;
    const key = typeof kid === "string" && Object.keys(keys).includes(kid) ? decode(keys[kid]) : null;
    if (parts.length !== 3 || !header || !claims || signature?.length !== 64 || key?.length !== 32 ||
        header.alg !== "EdDSA" || header.typ !== "okviz-license+jwt" || "crit" in header ||
        typeof claims.aud !== "string" || claims.aud !== product && baseGuid(claims.aud) !== baseGuid(guid) ||
        typeof claims.sub !== "string" || typeof claims.iat !== "number" || typeof claims.exp !== "number" ||
        typeof claims.period_end !== "number" || typeof claims.trial !== "boolean") {
        return null;
    }
    return { claims: claims as unknown as Claims, key, signed: new TextEncoder().encode(parts[0] + "." + parts[1]), signature };
}

/** Checks the signature at once. */
export function genuine(token: Unverified): boolean {
    return verify(token.signature, token.signed, token.key);
}

/** Checks the signature with the browser's own Ed25519 where there is one. */
export async function genuineSoon(token: Unverified): Promise<boolean> {
    try {
        const { subtle } = crypto; // undefined under plain http
        const key = await subtle.importKey("raw", token.key, "Ed25519", false, ["verify"]);
        return await subtle.verify("Ed25519", key, token.signature, token.signed);
    } catch {
        return genuine(token);
    }
}

function parseObject(part: string | undefined): Record<string, unknown> | null {
    try {
        const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(decode(part)!));
        return typeof value === "object" && !Array.isArray(value) ? value as Record<string, unknown> | null : null;
    } catch {
        return null;
    }
}

/** Decodes base64url without padding; null if it is anything else. */
function decode(text: string | undefined): Uint8Array<ArrayBuffer> | null {
    if (!text || !/^[\w-]+$/.test(text)) {
        return null;
    }
    try {
        return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    } catch {
        return null;
    }
}
