// The licence as a visual sees it, in a page that the tests make: the file's token, the
// service, the storage and the clock.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign, webcrypto } from "node:crypto";
import test, { afterEach, beforeEach } from "node:test";

import { License } from "../dist/index.js";

globalThis.crypto ??= webcrypto; // Node 18 has it under this name only

const [current, next, stranger] = [1, 2, 3].map(() => generateKeyPairSync("ed25519"));
const KEYS = Object.fromEntries([["now", current], ["next", next]].map(([kid, { publicKey }]) => [kid, publicKey.export({ format: "jwk" }).x]));

const seconds = (instant) => Date.parse(instant) / 1000;
const CLAIMS = {
    iss: "okviz", aud: "calendar-pro", sub: "lic_1", jti: "1", kind: "embedded", plan: "p", type: "users", quantity: 1, trial: false,
    iat: seconds("2026-01-31T10:00:00Z"), period_end: seconds("2026-02-28T10:00:00Z"), exp: seconds("2026-03-03T10:00:00Z"),
};
const IN_PERIOD = "2026-02-10T09:00:00Z";
const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

function token(claims = {}, header = {}, { privateKey } = current) {
    const signed = encode({ alg: "EdDSA", typ: "okviz-license+jwt", kid: "now", ...header }) + "." + encode({ ...CLAIMS, ...claims });
    return signed + "." + sign(null, Buffer.from(signed), privateKey).toString("base64url");
}

// The page.
const realNow = Date.now, realTimeout = globalThis.setTimeout;
let clock, questions, answers;
const setClock = (instant) => { clock = Date.parse(instant); };
const later = (seconds) => { clock += 1000 * seconds; };

beforeEach(() => {
    setClock(IN_PERIOD);
    Date.now = () => clock;
    questions = [];
    answers = () => assert.fail("nobody should ask");
    globalThis.fetch = async (address, request) => {
        questions.push({ address, ...request, body: JSON.parse(request.body) });
        return answers(questions.length, request);
    };
});
afterEach(() => {
    Date.now = realNow;
    globalThis.setTimeout = realTimeout;
    for (const name of ["okvizLicenses", "location", "fetch", "addEventListener", "removeEventListener"]) {
        delete globalThis[name];
    }
});

const OPTIONS = { product: "calendar-pro", guid: "calendarPro1", version: "2.4.2", keys: KEYS };
const API = "https://licensing.okviz.example";

function openOffline(embedded, options = {}) {
    globalThis.okvizLicenses = embedded === null ? undefined : { calendarPro1: embedded };
    return new License({ ...OPTIONS, ...options });
}
const openOnline = (embedded, options = {}) => openOffline(embedded, { api: API, ...options });

/** What the service says in the paid period. */
function says(change = {}, claims = {}) {
    return {
        v: 1, valid: true, code: "ACTIVE", valid_until: "2026-03-03T10:00:00Z", now: new Date(clock).toISOString().slice(0, 19) + "Z",
        refresh_after: 86400, token: token({ kind: "lease", iat: clock / 1000, exp: Math.min(clock / 1000 + 14 * 86400, CLAIMS.exp), ...claims }), ...change,
    };
}
const refuses = (code) => says({ valid: false, code, valid_until: null, token: null, refresh_after: 300 });
const respond = (body, status = 200, headers = {}) => new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });

function memory(kept = {}) {
    return { kept, get: async (key) => kept[key], set: async (key, value) => { kept[key] = value; } };
}
const show = ({ status, online, code }) => `${status} ${online} ${code}`;

test("the file alone says at once", async (t) => {
    for (const [name, claims, at, want] of [
        ["licensed inside the paid period", {}, "2026-02-28T09:59:59Z", "licensed"],
        ["grace from the period's end on", {}, "2026-02-28T10:00:00Z", "grace"],
        ["grace until its last instant", {}, "2026-03-03T09:59:59Z", "grace"],
        ["expired from exp on", {}, "2026-03-03T10:00:00Z", "expired"],
        ["trial in a trial", { trial: true, exp: CLAIMS.period_end }, "2026-02-28T09:59:59Z", "trial"],
        ["expired after a trial, which has no grace", { trial: true, exp: CLAIMS.period_end }, "2026-02-28T10:00:00Z", "expired"],
        ["licensed for the guid in place of the id", { aud: "calendarPro1" }, IN_PERIOD, "licensed"],
        ["licensed for the guid of the organisational store", { aud: "calendarPro1_OrgStore" }, IN_PERIOD, "licensed"],
    ]) {
        await t.test(name, () => {
            setClock(at);
            assert.equal(show(openOffline(token(claims)).state), `${want} off null`);
        });
    }
    await t.test("licensed under the next key", () => {
        assert.equal(openOffline(token({}, { kid: "next" }, next)).state.status, "licensed");
    });
    await t.test("licensed without crypto, as under plain http", () => {
        const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto");
        Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
        try {
            assert.equal(openOffline(token()).state.status, "licensed");
        } finally {
            Object.defineProperty(globalThis, "crypto", crypto);
        }
    });
    await t.test("unlicensed where there is none", () => assert.equal(show(openOffline(null).state), "unlicensed off null"));
    await t.test("whose licence it is, and until when", () => {
        const { license, licensee, plan, until } = openOffline(token({ licensee: "Bea <bea@contoso.example>" })).state;
        assert.deepEqual({ license, licensee, plan, until }, { license: "lic_1", licensee: "Bea <bea@contoso.example>", plan: "p", until: new Date("2026-03-03T10:00:00Z") });
    });
    await t.test("something else as time goes by", () => {
        const license = openOffline(token());
        setClock("2026-03-01T00:00:00Z");
        assert.equal(license.state.status, "grace");
    });
});

test("what is no genuine token for this product", async (t) => {
    const [head, body, signature] = token().split(".");
    for (const [name, text] of [
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
        ["without licence", token({ sub: undefined })],
        ["without exp", token({ exp: undefined })],
        ["with exp as text", token({ exp: String(CLAIMS.exp) })],
        ["without trial", token({ trial: undefined })],
    ]) {
        await t.test(`${name}: is invalid, and nobody is asked about it`, async () => {
            const license = openOnline(text, { license: "lic_1", storage: memory() });
            assert.equal(show(license.state), "invalid off null");
            assert.equal(show(await license.check()), "invalid off null");
        });
    }
});

test("the file's token is found by the guid", async (t) => {
    const page = { calendarPro1: token() };
    for (const [name, guid, tokens, want] of [
        ["as it was built", "calendarPro1", page, "licensed"],
        ["in the organisational store", "calendarPro1_OrgStore", page, "licensed"],
        ["in the developer visual", "calendarPro1_DEBUG", page, "licensed"],
        ["where the store renamed what the file says", "calendarPro1", { calendarPro1_OrgStore: token() }, "licensed"],
        ["and another visual's is not taken", "calendarPro", page, "unlicensed"],
        ["and one that only ends like it is not", "calendarPro1_OrgStoreX", page, "unlicensed"],
        ["and nothing where the page has something else", "calendarPro1", "calendarPro1", "unlicensed"],
        ["and nothing where it is no text", "calendarPro1", { calendarPro1: 1 }, "unlicensed"],
        ["and nothing where it is empty", "calendarPro1", { calendarPro1: "" }, "unlicensed"],
        ["and nothing that is inherited", "constructor", {}, "unlicensed"],
    ]) {
        await t.test(name, () => {
            globalThis.okvizLicenses = tokens;
            assert.equal(new License({ ...OPTIONS, guid }).state.status, want);
        });
    }
});

test("the question costs no preflight and carries no cookie", async () => {
    globalThis.location = { ancestorOrigins: ["https://app.contoso.example:8443", "null", "https://www.contoso.example."] };
    answers = () => respond(says());
    const license = openOnline(token({ licensee: "Bea <bea@contoso.example>" }), { api: API + "/", env: 8, user: "u1", tenant: "t1" });
    assert.equal(show(license.state), "licensed pending null");
    assert.equal(show(await license.check()), "licensed ok ACTIVE");
    const [{ address, method, headers, credentials, body }] = questions;
    assert.deepEqual({ address, method, headers, credentials, body }, {
        address: "https://licensing.okviz.example/v1/licenses/check", method: "POST", credentials: "omit", headers: { "Content-Type": "text/plain" },
        body: {
            v: 1, license: "lic_1", product: "calendar-pro", version: "2.4.2", licensee: "Bea <bea@contoso.example>", tenant: "t1",
            sites: ["app.contoso.example", "www.contoso.example"], user: "u1", env: 8,
        },
    });
});

test("the answer beats the file", async (t) => {
    for (const [name, answer, want] of [
        ["active", () => says(), "licensed ok ACTIVE"],
        ["a trial", () => says({ code: "TRIAL" }, { trial: true }), "trial ok TRIAL"],
        ["a failed payment", () => says({ code: "PAST_DUE" }), "grace ok PAST_DUE"],
        ["a cancellation, until its end", () => says({ code: "CANCELED" }), "licensed ok CANCELED"],
        ["more users than paid for", () => says({ code: "OVER_LIMIT" }), "licensed ok OVER_LIMIT"],
        ["a valid word that is yet to be invented", () => says({ code: "SHINY" }), "licensed ok SHINY"],
        ["no lease", () => says({ token: null }), "licensed ok ACTIVE"],
        ["an end", () => refuses("EXPIRED"), "expired ok EXPIRED"],
        ["a revocation", () => refuses("REVOKED"), "revoked ok REVOKED"],
        ["a dispute", () => refuses("SUSPENDED"), "revoked ok SUSPENDED"],
        ["far more users than paid for", () => refuses("BLOCKED_OVER_LIMIT"), "invalid ok BLOCKED_OVER_LIMIT"],
        ["another site", () => refuses("WRONG_SITE"), "invalid ok WRONG_SITE"],
        ["another product", () => refuses("WRONG_PRODUCT"), "invalid ok WRONG_PRODUCT"],
        ["no such licence", () => refuses("UNKNOWN_LICENSE"), "invalid ok UNKNOWN_LICENSE"],
        ["a refusal that is yet to be invented", () => refuses("SHINY"), "invalid ok SHINY"],
    ]) {
        await t.test(name, async () => {
            answers = () => respond(answer());
            const seen = [];
            const license = openOnline(token(), { changed: (state) => seen.push(show(state)) });
            assert.equal(license.state.status, "licensed");
            assert.equal(show(await license.check()), want);
            assert.deepEqual(seen, [want]);
        });
    }
    await t.test("renewed without a new file", async () => {
        setClock("2026-03-10T00:00:00Z");
        answers = () => respond(says({ valid_until: "2026-03-31T10:00:00Z" }, { exp: seconds("2026-03-24T00:00:00Z"), period_end: seconds("2026-03-28T10:00:00Z") }));
        const license = openOnline(token());
        assert.equal(license.state.status, "expired");
        const { status, until } = await license.check();
        assert.deepEqual({ status, until }, { status: "licensed", until: new Date("2026-03-31T10:00:00Z") });
    });
    await t.test("cancelled: its end binds, though the file says more", async () => {
        answers = () => respond(says({ code: "CANCELED", valid_until: "2026-02-28T10:00:00Z" }, { exp: CLAIMS.period_end }));
        const license = openOnline(token());
        await license.check();
        setClock("2026-02-28T09:59:59Z");
        assert.equal(license.state.status, "licensed");
        setClock("2026-02-28T10:00:00Z");
        assert.equal(license.state.status, "expired");
    });
    await t.test("a lease that has run out leaves it to the file", async () => {
        const file = token({ period_end: seconds("2027-01-31T10:00:00Z"), exp: seconds("2027-02-03T10:00:00Z") });
        answers = () => respond(says({ valid_until: "2027-02-03T10:00:00Z" }));
        const license = openOnline(file);
        await license.check();
        later(30 * 86400);
        assert.equal(license.state.status, "licensed");
    });
    await t.test("the service's clock beats this machine's", async () => {
        answers = () => respond(says({ now: IN_PERIOD }, { iat: seconds(IN_PERIOD), exp: seconds("2026-02-24T09:00:00Z") }));
        setClock("2031-01-01T00:00:00Z");
        const license = openOnline(token());
        assert.equal(license.state.status, "expired");
        assert.equal((await license.check()).status, "licensed");
    });
});

test("nothing that goes wrong makes a genuine licence worse", async (t) => {
    const failing = () => { throw new TypeError("Failed to fetch"); };
    for (const [name, answer] of [
        ["no connection", failing],
        ["500", () => respond({}, 500)],
        ["503", () => respond(refuses("EXPIRED"), 503)],
        ["429", () => respond({}, 429, { "Retry-After": "7" })],
        ["404", () => respond(says(), 404)],
        ["a login page", () => respond("<html>")],
        ["null", () => respond("null")],
        ["another protocol", () => respond({ ...refuses("EXPIRED"), v: 2 })],
        ["an answer that does not decide", () => respond({ ...refuses("EXPIRED"), valid: undefined })],
        ["an answer without an instant", () => respond({ ...refuses("EXPIRED"), now: undefined })],
        ["an answer that does not say when to ask again", () => respond({ ...refuses("EXPIRED"), refresh_after: "soon" })],
        ["a lease under another's key", () => respond(says({ token: token({}, {}, stranger) }))],
        ["another licence's lease", () => respond(says({}, { sub: "lic_2" }))],
        ["another product's lease", () => respond(says({}, { aud: "bullet-chart" }))],
    ]) {
        await t.test(name, async () => {
            answers = answer;
            const license = openOnline(token());
            assert.equal(show(await license.check()), "licensed unreachable null");
        });
        await t.test(`${name}, and an expired one stays expired`, async () => {
            setClock("2026-03-10T00:00:00Z");
            answers = answer;
            assert.equal(show(await openOnline(token()).check()), "expired unreachable null");
        });
    }
    await t.test("no answer in ten seconds", async () => {
        const seen = {};
        globalThis.setTimeout = (done, ms) => ms === 10_000 ? (seen.stop = done, 0) : realTimeout(done, ms);
        answers = (_, { signal }) => new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
            realTimeout(() => seen.stop());
        });
        assert.equal(show(await openOnline(token()).check()), "licensed unreachable null");
    });
    await t.test("a page that forbids asking", async () => {
        const page = new EventTarget();
        globalThis.addEventListener = page.addEventListener.bind(page);
        globalThis.removeEventListener = page.removeEventListener.bind(page);
        let blockedURI = API + "/v1/licenses/check";
        answers = () => {
            realTimeout(() => page.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI })));
            failing();
        };
        assert.equal(show(await openOnline(token()).check()), "licensed blocked null");
        blockedURI = "https://elsewhere.example/pixel.gif";
        assert.equal(show(await openOnline(token()).check()), "licensed unreachable null");
    });
    await t.test("a refusal stays when nobody answers later", async () => {
        answers = (n) => n === 1 ? respond(refuses("REVOKED")) : failing();
        const license = openOnline(token());
        await license.check();
        later(301);
        assert.equal(show(await license.check()), "revoked unreachable REVOKED");
    });
});

test("it asks no earlier than it may", async (t) => {
    for (const [name, answer, wait] of [
        ["after what the answer says", () => respond(says({ refresh_after: 3600 })), 3600],
        ["after what a refusal says", () => respond(refuses("EXPIRED")), 300],
        ["at least a minute", () => respond(says({ refresh_after: 0 })), 60],
        ["at most a week", () => respond(says({ refresh_after: 1e9 })), 7 * 86400],
        ["five minutes after an error", () => respond({}, 500), 300],
        ["after what a 429 says", () => respond({}, 429, { "Retry-After": "1800" }), 1800],
        ["at most a day after a 503", () => respond({}, 503, { "Retry-After": "9999999" }), 86400],
        ["five minutes where a 503 gives a date", () => respond({}, 503, { "Retry-After": "Wed, 11 Feb 2026 00:00:00 GMT" }), 300],
    ]) {
        await t.test(name, async () => {
            answers = answer;
            const license = openOnline(token({ exp: seconds("2027-01-01T00:00:00Z") }));
            await license.check();
            later(wait - 1);
            await license.check();
            assert.equal(questions.length, 1);
            later(1);
            await license.check();
            assert.equal(questions.length, 2);
        });
    }
    await t.test("once for many updates", async () => {
        answers = () => respond(says());
        const license = openOnline(token());
        await Promise.all([license.check(), license.check(), license.check()]);
        await license.check();
        assert.equal(questions.length, 1);
    });
    await t.test("but does where the clock was put back", async () => {
        answers = () => respond(says());
        setClock("2031-01-01T00:00:00Z");
        const license = openOnline(token());
        await license.check();
        setClock(IN_PERIOD);
        await license.check();
        assert.equal(questions.length, 2);
    });
});

test("what is kept", async (t) => {
    const session = async (storage, answer, file = token(), options = {}) => {
        answers = answer;
        const license = openOnline(file, { storage, ...options });
        return license.check();
    };
    const gone = () => { throw new TypeError("Failed to fetch"); };

    await t.test("is a lease, which carries the licence over the file's end", async () => {
        const storage = memory();
        setClock("2026-03-10T00:00:00Z");
        const renewed = { exp: seconds("2026-03-24T00:00:00Z"), period_end: seconds("2026-03-28T10:00:00Z") };
        await session(storage, () => respond(says({ valid_until: "2026-03-31T10:00:00Z" }, renewed)));
        later(3600);
        assert.equal(show(await session(storage, gone)), "licensed ok ACTIVE", "the answer still holds");
        assert.equal(questions.length, 1);
        later(86400);
        assert.equal(show(await session(storage, gone)), "licensed unreachable ACTIVE");
        later(14 * 86400);
        assert.equal(show(await session(storage, gone)), "expired unreachable ACTIVE");
    });
    await t.test("is not asked for before the answer holds no longer", async () => {
        const storage = memory();
        await session(storage, () => respond(says()));
        later(86399);
        await session(storage, gone);
        assert.equal(questions.length, 1);
        later(1);
        await session(storage, () => respond(says()));
        assert.equal(questions.length, 2);
    });
    for (const [code, want] of [["REVOKED", "revoked"], ["SUSPENDED", "revoked"], ["EXPIRED", "expired"]]) {
        await t.test(`is ${code}`, async () => {
            const storage = memory();
            await session(storage, () => respond(refuses(code)));
            later(301);
            assert.equal(show(await session(storage, gone)), `${want} unreachable ${code}`);
        });
    }
    await t.test("is no refusal of this place alone, nor the lease before it", async () => {
        const storage = memory();
        await session(storage, () => respond(says()));
        later(86400);
        await session(storage, () => respond(refuses("WRONG_SITE")));
        assert.equal(show(await session(storage, gone)), "licensed unreachable null");
        assert.equal(questions.length, 3);
    });
    await t.test("gives way to a file that was signed later", async () => {
        const storage = memory();
        await session(storage, () => respond(refuses("EXPIRED")));
        later(60);
        const file = token({ iat: clock / 1000 });
        assert.equal(show(await session(storage, gone, file)), "licensed unreachable null");
    });
    await t.test("is another licence's", async () => {
        const storage = memory();
        await session(storage, () => respond(refuses("REVOKED")));
        assert.equal(show(await session(storage, gone, token({ sub: "lic_2" }))), "licensed unreachable null");
    });
    await t.test("was tampered with", async () => {
        const storage = memory();
        setClock("2026-03-10T00:00:00Z");
        await session(storage, () => respond(refuses("EXPIRED")));
        for (const lease of [token({ exp: 9e9, iat: 9e9 }, {}, stranger), null, 7]) {
            const kept = JSON.parse(storage.kept["okviz.calendar-pro"]);
            Object.assign(kept.answer, { valid: true, code: "ACTIVE", token: lease, until: 9e9 });
            later(301);
            const { status } = await session(memory({ "okviz.calendar-pro": JSON.stringify(kept) }), gone);
            assert.equal(status, "expired");
        }
    });
    for (const [name, storage] of [
        ["nothing", { get: async () => undefined, set: async () => {} }],
        ["nothing that can be read", { get: async () => "{", set: async () => {} }],
        ["null", { get: async () => "null", set: async () => {} }],
        ["forbidden", { get: () => Promise.reject(new Error("no")), set: () => Promise.reject(new Error("no")) }],
        ["forbidden at once", { get() { throw new Error("no"); }, set() { throw new Error("no"); } }],
    ]) {
        await t.test(name, async () => assert.equal(show(await session(storage, () => respond(says()))), "licensed ok ACTIVE"));
    }
    await t.test("nothing, by a host that never answers", async () => {
        globalThis.setTimeout = (done, ms) => realTimeout(done, ms === 2000 ? 0 : ms);
        const never = () => new Promise(() => {});
        assert.equal(show(await session({ get: never, set: never }, () => respond(says()))), "licensed ok ACTIVE");
    });
    await t.test("a name for the person, which says nothing", async () => {
        const storage = memory();
        await session(storage, () => respond(says()));
        later(86400);
        await session(storage, () => respond(says()));
        await session(memory(), () => respond(says()));
        await session(undefined, () => respond(says()));
        await session(memory(), () => respond(says()), token(), { user: "u1" });
        const users = questions.map(({ body }) => body.user);
        assert.match(users[0], /^[0-9a-f]{32}$/);
        assert.equal(users[1], users[0]);
        assert.notEqual(users[2], users[0]);
        assert.deepEqual(users.slice(3), [undefined, "u1"]);
    });
});

test("a licence that is typed in", async (t) => {
    const LICENSEE = "Bea Bianchi <bea@contoso.example>";
    const typed = { license: "lic_1", licensee: LICENSEE };
    await t.test("is unlicensed until the service knows it", async () => {
        answers = () => respond(says({}, { licensee: LICENSEE }));
        const license = openOnline(null, typed);
        assert.equal(show(license.state), "unlicensed pending null");
        assert.equal(show(await license.check()), "licensed ok ACTIVE");
        assert.deepEqual([questions[0].body.license, questions[0].body.licensee], ["lic_1", LICENSEE]);
    });
    await t.test("is invalid for another licensee", async () => {
        answers = () => respond(refuses("WRONG_LICENSEE"));
        assert.equal(show(await openOnline(null, typed).check()), "invalid ok WRONG_LICENSEE");
    });
    await t.test("is kept for its own licensee", async () => {
        const storage = memory();
        answers = () => respond(says({}, { licensee: LICENSEE }));
        await openOnline(null, { ...typed, storage }).check();
        assert.equal(show(await openOnline(null, { ...typed, storage }).check()), "licensed ok ACTIVE");
        assert.equal(show(await openOnline(null, { license: "lic_1", licensee: "Eve <eve@fabrikam.example>", storage }).check()), "invalid ok WRONG_LICENSEE");
    });
    await t.test("has expired with its lease", async () => {
        const storage = memory();
        answers = () => respond(says({}, { licensee: LICENSEE }));
        await openOnline(null, { ...typed, storage }).check();
        later(20 * 86400);
        answers = () => { throw new TypeError(); };
        assert.equal(show(await openOnline(null, { ...typed, storage }).check()), "expired unreachable ACTIVE");
    });
    await t.test("is bound to its tenant", () => {
        const file = token({ tenant: "6F1C2B1E-0000-4000-8000-00000000000A" });
        assert.equal(show(openOffline(file, { tenant: "6f1c2b1e-0000-4000-8000-00000000000a" }).state), "licensed off null");
        assert.equal(show(openOffline(file, { tenant: "6f1c2b1e-0000-4000-8000-00000000000b" }).state), "invalid off WRONG_TENANT");
    });
});

test("a site licence", async (t) => {
    const named = ["reports.contoso.example", "*.fabrikam.example"];
    for (const [name, origins, env, want] of [
        ["works at its site", ["https://reports.contoso.example"], 8, "licensed off null"],
        ["works at its site on any port", ["http://reports.contoso.example:8080"], 8, "licensed off null"],
        ["works at its site inside another page", ["https://frames.example", "https://reports.contoso.example"], 8, "licensed off null"],
        ["works below a wildcard", ["https://b.a.fabrikam.example"], 8, "licensed off null"],
        ["works on a desktop where the site is around it", ["https://reports.contoso.example"], 4, "licensed off null"],
        ["does not elsewhere", ["https://reports.tailspin.example"], 8, "invalid off WRONG_SITE"],
        ["does not at what stands above a wildcard", ["https://fabrikam.example"], 8, "invalid off WRONG_SITE"],
        ["does not at a name that ends like it", ["https://evilfabrikam.example"], 8, "invalid off WRONG_SITE"],
        ["does not below a site", ["https://a.reports.contoso.example"], 8, "invalid off WRONG_SITE"],
        ["does not in the service", ["https://reports.contoso.example"], 1, "invalid off WRONG_SITE"],
        ["does not published to the web", ["https://reports.contoso.example"], 2, "invalid off WRONG_SITE"],
        ["does not on a report server", ["https://reports.contoso.example"], 16, "invalid off WRONG_SITE"],
        ["does not on a dashboard", ["https://reports.contoso.example"], 128, "invalid off WRONG_SITE"],
        ["is trusted where the browser tells no host", undefined, 8, "licensed off null"],
        ["is trusted where the host is opaque", ["null"], 8, "licensed off null"],
        ["is taken as embedded where the visual does not say", undefined, undefined, "licensed off null"],
        ["is not trusted on a desktop", undefined, 4, "invalid off WRONG_SITE"],
    ]) {
        await t.test(name, () => {
            globalThis.location = { ancestorOrigins: origins };
            assert.equal(show(openOffline(token({ type: "site", sites: named }), { env }).state), want);
        });
    }
    await t.test("works at a site that was named after the file was made", async () => {
        globalThis.location = { ancestorOrigins: ["https://new.contoso.example"] };
        answers = () => respond(says({}, { type: "site", sites: ["new.contoso.example"] }));
        const license = openOnline(token({ type: "site", sites: named }), { env: 8 });
        assert.equal(show(license.state), "invalid pending WRONG_SITE");
        assert.equal(show(await license.check()), "licensed ok ACTIVE");
    });
    await t.test("does not bind a licence by users", () => {
        globalThis.location = { ancestorOrigins: ["https://app.powerbi.com"] };
        assert.equal(show(openOffline(token({ sites: named }), { env: 1 }).state), "licensed off null");
    });
});

test("leases are judged alike with and without the browser's Ed25519", async (t) => {
    const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto");
    const { getRandomValues } = webcrypto;
    const keyless = { importKey: () => Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError")) };
    let asked = 0;
    const counted = { importKey: (...args) => webcrypto.subtle.importKey(...args), verify: (...args) => (asked++, webcrypto.subtle.verify(...args)) };
    for (const [name, value] of [["with it", { subtle: counted }], ["without it", { subtle: keyless }], ["without crypto.subtle", { getRandomValues }], ["without crypto", undefined]]) {
        await t.test(name, async () => {
            Object.defineProperty(globalThis, "crypto", { value, configurable: true });
            try {
                setClock("2026-03-01T00:00:00Z"); // the file is on grace, the lease is not
                answers = () => respond(says({}, { period_end: seconds("2026-03-28T10:00:00Z") }));
                assert.equal(show(await openOnline(token()).check()), "licensed ok ACTIVE");
                answers = () => respond(says({ token: token({ period_end: 9e9 }, {}, stranger) }));
                assert.equal(show(await openOnline(token()).check()), "grace unreachable null");
            } finally {
                Object.defineProperty(globalThis, "crypto", crypto);
            }
        });
    }
    assert.equal(asked, 2, "the browser's own is used where it is there");
});
