// The licence logic, compiled by `npm test`, with tokens signed by the development key.

import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, sign, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

import { baseGuid, embeddedToken, KEYS, statusAt, verify } from "../.tmp/build/license.js";

globalThis.crypto ??= webcrypto; // Node 18 has it under this name only

const [KID, NEXT_KID] = Object.keys(KEYS);
const read = (file) => createPrivateKey(readFileSync(new URL(`../../dev/keys/${file}`, import.meta.url)));
const current = read("signing-dev.pem");
const next = read("signing-dev-next.pem");

const seconds = (instant) => Date.parse(instant) / 1000;
const CLAIMS = {
    iss: "okviz", aud: "calendar-pro", sub: "lic_1", jti: "1", kind: "embedded", plan: "p", type: "users", quantity: 1,
    trial: false,
    period_end: seconds("2026-02-28T10:00:00Z"),
    exp: seconds("2026-03-03T10:00:00Z"),
};
const HEADER = { alg: "EdDSA", typ: "okviz-license+jwt", kid: KID };

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

function token(claims = {}, header = {}, key = current) {
    const signed = encode({ ...HEADER, ...header }) + "." + encode({ ...CLAIMS, ...claims });
    return signed + "." + sign(null, Buffer.from(signed), key).toString("base64url");
}

async function status(token, at = "2026-02-01T00:00:00Z") {
    return statusAt(await verify(token, "calendar-pro"), new Date(at));
}

test("a genuine token", async (t) => {
    for (const [name, claims, at, want] of [
        ["is licensed inside the paid period", {}, "2026-02-28T09:59:59Z", "licensed"],
        ["runs on grace from the period's end on", {}, "2026-02-28T10:00:00Z", "grace"],
        ["runs on grace until its last instant", {}, "2026-03-03T09:59:59Z", "grace"],
        ["has expired from exp on", {}, "2026-03-03T10:00:00Z", "expired"],
        ["of a trial says so", { trial: true, exp: CLAIMS.period_end }, "2026-02-28T09:59:59Z", "trial"],
        ["of a trial has no grace", { trial: true, exp: CLAIMS.period_end }, "2026-02-28T10:00:00Z", "expired"],
    ]) {
        await t.test(name, async () => assert.equal(await status(token(claims), at), want));
    }
    await t.test("of the next key is as good", async () => {
        assert.equal(await status(token({}, { kid: NEXT_KID }, next)), "licensed");
    });
});

test("what is no genuine token for this product", async (t) => {
    const [head, body, signature] = token().split(".");
    const stranger = generateKeyPairSync("ed25519").privateKey;
    for (const [name, text] of [
        ["empty", ""],
        ["no token", "hello"],
        ["two parts", `${head}.${body}`],
        ["four parts", `${head}.${body}.${signature}.${signature}`],
        ["without signature", `${head}.${body}.`],
        ["with a short signature", `${head}.${body}.${signature.slice(0, -4)}`],
        ["with changed claims", `${head}.${encode({ ...CLAIMS, exp: CLAIMS.exp + 1 })}.${signature}`],
        ["with padding", `${head}.${body}.${signature}==`],
        ["with claims that are no JSON", `${head}.${encode("{")}.${signature}`],
        ["with claims that are null", `${head}.${encode("null")}.${signature}`],
        ["signed by another's key", token({}, {}, stranger)],
        ["signed by the next key under the current kid", token({}, {}, next)],
        ["with an unknown kid", token({}, { kid: "other" })],
        ["with a kid that every object has", token({}, { kid: "constructor" })],
        ["without kid", token({}, { kid: undefined })],
        ["with alg none", token({}, { alg: "none" })],
        ["with alg HS256", token({}, { alg: "HS256" })],
        ["with another typ", token({}, { typ: "JWT" })],
        ["with a critical extension", token({}, { crit: ["x"] })],
        ["for another product", token({ aud: "bullet-chart" })],
        ["for several products", token({ aud: ["calendar-pro", "bullet-chart"] })],
        ["without exp", token({ exp: undefined })],
        ["with exp as text", token({ exp: String(CLAIMS.exp) })],
        ["without trial", token({ trial: undefined })],
    ]) {
        await t.test(`${name} is invalid`, async () => assert.equal(await status(text), "invalid"));
    }
});

test("without a token the visual is unlicensed", async () => {
    assert.equal(await status(null), "unlicensed");
});

test("a browser that cannot verify claims nothing", async (t) => {
    const now = new Date("2026-02-01T00:00:00Z");
    const keyless = { importKey: () => Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError")) };
    // verify() takes an absent subtle from the page, as under plain http, so it is taken from the page here.
    const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto");
    t.after(() => Object.defineProperty(globalThis, "crypto", crypto));
    await t.test("without Ed25519", async () => {
        assert.equal(statusAt(await verify(token(), "calendar-pro", KEYS, keyless), now), "unverified");
    });
    Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
    await t.test("without crypto.subtle", async () => assert.equal(await status(token()), "unverified"));
    await t.test("but knows what is no token for it", async () => {
        assert.equal(await status(token({ aud: "bullet-chart" })), "invalid");
        assert.equal(await status(null), "unlicensed");
    });
    assert.equal(statusAt(await verify(token(), "calendar-pro", KEYS, webcrypto.subtle), now), "licensed");
});

test("the embedded token", async (t) => {
    const page = { okvizLicenses: { other: "a.a.a", mine1: "b.b.b" } };
    for (const [name, guid, from, want] of [
        ["is found by the guid", "mine1", page, "b.b.b"],
        ["is found in the organisational store", "mine1_OrgStore", page, "b.b.b"],
        ["is found in the developer visual", "mine1_DEBUG", page, "b.b.b"],
        ["is found where the store renamed the prelude's guid", "mine1", { okvizLicenses: { mine1_OrgStore: "c.c.c" } }, "c.c.c"],
        ["of another visual is not taken", "mine", page, null],
        ["is not there in a page without any", "mine1", {}, null],
        ["is not there if the global is something else", "mine1", { okvizLicenses: "mine1" }, null],
        ["is no token if it is no text", "mine1", { okvizLicenses: { mine1: 1 } }, null],
        ["is not an inherited name", "constructor", page, null],
    ]) {
        await t.test(name, () => assert.equal(embeddedToken(guid, from), want));
    }
    assert.equal(baseGuid("a_OrgStoreX"), "a_OrgStoreX");
});
