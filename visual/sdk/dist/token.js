// What a licence token says, and whether it is genuine.
import { verify } from "./ed25519.js";
/** The guid without what the organisational store and the developer visual add to it. */
export function baseGuid(guid) {
    return guid.replace(/(_OrgStore|_DEBUG)+$/, "");
}
/** The token that the engine put into the file of this visual, or null. */
export function embeddedToken(guid) {
    for (const [key, token] of Object.entries(globalThis.okvizLicenses ?? {})) {
        if (baseGuid(key) === baseGuid(guid) && typeof token === "string" && token) {
            return token;
        }
    }
    return null;
}
/** Reads a token for a product, which goes by its id or its guid; null if it is none. */
export function parse(token, { product, guid, keys }) {
    try {
        const parts = token.split(".");
        const [header, claims] = parts.map((part, i) => i < 2 && JSON.parse(new TextDecoder().decode(decode(part))));
        const key = decode(new Map(Object.entries(keys)).get(header.kid)), signature = decode(parts[2]);
        return parts.length === 3 && key.length === 32 && signature.length === 64 &&
            header.alg === "EdDSA" && header.typ === "okviz-license+jwt" && !("crit" in header) &&
            claims.iss === "okviz" && (claims.aud === product || baseGuid(claims.aud) === baseGuid(guid)) &&
            typeof claims.sub === "string" && [claims.iat, claims.exp, claims.period_end].every(Number.isFinite) && typeof claims.trial === "boolean"
            ? { claims, key, signed: new TextEncoder().encode(parts[0] + "." + parts[1]), signature } : null;
    }
    catch { // it is no text, no JSON, or lacks a part
        return null;
    }
}
/** Checks the signature at once. */
export function genuine(token) {
    return verify(token.signature, token.signed, token.key);
}
/** Checks the signature with the browser's own Ed25519 where there is one. */
export async function genuineSoon(token) {
    try {
        const { subtle } = crypto; // undefined under plain http
        const key = await subtle.importKey("raw", token.key, "Ed25519", false, ["verify"]);
        return await subtle.verify("Ed25519", key, token.signature, token.signed);
    }
    catch {
        return genuine(token);
    }
}
/** Decodes base64url without padding; throws where it is anything else. */
function decode(text) {
    if (!text || /[^\w-]/.test(text)) {
        throw new Error();
    }
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
}
