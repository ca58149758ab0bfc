// What a licence token says, and whether it is genuine.
import { verify } from "./ed25519.js";
/** The guid without what the organisational store and the developer visual add to it. */
export function baseGuid(guid) {
    return guid.replace(/(_OrgStore|_DEBUG)+$/, "");
}
/** The token that the engine put into the file of this visual, or null. */
export function embeddedToken(guid) {
    const tokens = globalThis.okvizLicenses;
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
export function parse(token, product, guid, keys) {
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
    return { claims: claims, key, signed: new TextEncoder().encode(parts[0] + "." + parts[1]), signature };
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
function parseObject(part) {
    try {
        const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(decode(part)));
        return typeof value === "object" && !Array.isArray(value) ? value : null;
    }
    catch {
        return null;
    }
}
/** Decodes base64url without padding; null if it is anything else. */
function decode(text) {
    if (!text || !/^[\w-]+$/.test(text)) {
        return null;
    }
    try {
        return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    }
    catch {
        return null;
    }
}
