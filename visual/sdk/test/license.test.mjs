// The licence as a visual sees it, in a page that the tests make: the file's token, the
// service, the storage and the clock.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign, webcrypto } from "node:crypto";
import { afterEach, beforeEach, test as timeless } from "node:test";

import { License } from "../dist/index.js";

globalThis.crypto ??= webcrypto; // Node 18 has it under this name only

const test = (name, run) => timeless(name, { timeout: 20_000 }, run); // and so each test inside

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
let clock, questions, answers, serviceClock;
const setClock = (instant) => { clock = Date.parse(instant); };
const later = (seconds) => { clock += 1000 * seconds; };

beforeEach(() => {
    setClock(IN_PERIOD);
    serviceClock = undefined; // as this machine's
    Date.now = () => clock;
    // A storage that answers does so at once; nobody waits for the others.
    globalThis.setTimeout = (done, ms) => realTimeout(done, ms < 10_000 ? 0 : ms);
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

/** What the service says in the paid period. A question with a nonce gets a token of its own. */
function says(change = {}, claims = {}) {
    const iat = (serviceClock === undefined ? clock : Date.parse(serviceClock)) / 1000, nonce = questions.at(-1)?.body.nonce;
    return {
        v: 1, valid: true, code: "ACTIVE", valid_until: "2026-03-03T10:00:00Z", now: new Date(iat * 1000).toISOString().slice(0, 19) + "Z", refresh_after: 86400,
        token: token({ kind: nonce ? "answer" : "lease", nonce, iat, exp: Math.min(iat + 14 * 86400, CLAIMS.exp), ...claims }), ...change,
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
        ["of another issuer", token({ iss: "fabrikam" })],
        ["without issuer", token({ iss: undefined })],
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
        ["no lease, because this build knows no key", () => says({ token: null }), "outdated ok ACTIVE"],
        ["an end", () => refuses("EXPIRED"), "expired ok EXPIRED"],
        ["a revocation", () => refuses("REVOKED"), "revoked ok REVOKED"],
        ["a dispute", () => refuses("SUSPENDED"), "revoked ok SUSPENDED"],
        ["far more users than paid for", () => refuses("BLOCKED_OVER_LIMIT"), "invalid ok BLOCKED_OVER_LIMIT"],
        ["another site", () => refuses("WRONG_SITE"), "invalid ok WRONG_SITE"],
        ["another product", () => refuses("WRONG_PRODUCT"), "invalid ok WRONG_PRODUCT"],
        ["no such licence, though its file is genuine", () => refuses("UNKNOWN_LICENSE"), "licensed unknown null"],
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
    await t.test("no lease: the file decides whether the visual works", async () => {
        answers = () => respond(says({ token: null }));
        const license = openOnline(token());
        assert.deepEqual([license.state.works, (await license.check()).works], [true, true]);
        setClock("2026-03-10T00:00:00Z");
        assert.deepEqual([license.state.status, license.state.works], ["outdated", false]);
        assert.equal(license.state.until.toISOString(), "2026-03-03T10:00:00.000Z", "what is not signed promises nothing");
    });
    await t.test("an unsigned answer lifts no refusal", async () => {
        answers = (n) => respond(n === 1 ? refuses("REVOKED") : says({ token: null }));
        const license = openOnline(token());
        await license.check();
        later(300);
        assert.equal(show(await license.check()), "revoked unreachable REVOKED");
    });
    await t.test("no such licence leaves what was revoked before", async () => {
        answers = (n) => respond(refuses(n === 1 ? "REVOKED" : "UNKNOWN_LICENSE"));
        const license = openOnline(token());
        await license.check();
        later(300);
        assert.equal(show(await license.check()), "revoked unknown REVOKED");
        later(299);
        await license.check();
        assert.equal(questions.length, 2, "it asks again no earlier than it may");
    });
});

test("time", async (t) => {
    const gone = () => { throw new TypeError("Failed to fetch"); };
    const opens = async (storage, answer, at, file = token()) => {
        answers = answer;
        setClock(at);
        return show(await openOnline(file, { storage }).check());
    };
    const AHEAD = "2026-03-22T09:00:00Z"; // 40 days
    await t.test("is corrected by an answer with the nonce of this question, and the correction is kept", async () => {
        const storage = memory();
        serviceClock = IN_PERIOD;
        assert.equal(await opens(storage, () => respond(says()), AHEAD), "licensed ok ACTIVE");
        assert.deepEqual([questions.length, questions[0].body.nonce], [2, undefined]);
        assert.match(questions[1].body.nonce, /^[\w-]{16,64}$/);
        assert.equal(await opens(storage, gone, "2026-03-22T10:00:00Z"), "licensed ok ACTIVE");
        assert.equal(await opens(storage, gone, "2026-04-05T08:59:00Z"), "licensed unreachable ACTIVE", "the lease's 14 days by the service's clock");
    });
    await t.test("is asked for with another nonce each time", async () => {
        serviceClock = IN_PERIOD;
        await opens(memory(), () => respond(says()), AHEAD);
        await opens(memory(), () => respond(says()), AHEAD);
        assert.notEqual(questions[1].body.nonce, questions[3].body.nonce);
    });
    await t.test("is left alone where the clocks differ by a day", async () => {
        serviceClock = IN_PERIOD;
        await opens(memory(), () => respond(says()), "2026-02-11T09:00:00Z");
        await opens(memory(), () => respond(says()), "2026-02-09T09:00:00Z");
        assert.equal(questions.length, 2);
    });
    for (const [name, claims] of [
        ["a lease that is sent again", { nonce: undefined, kind: "lease" }],
        ["an answer to another's nonce", { nonce: "0123456789abcdef" }],
        ["the file's token", { kind: "embedded" }],
    ]) {
        await t.test(`is not corrected by ${name}`, async () => {
            serviceClock = IN_PERIOD;
            assert.equal(await opens(memory(), (n) => respond(n === 1 ? says() : says({}, claims)), AHEAD), "expired unreachable null");
            assert.equal(questions.length, 2);
        });
    }
    await t.test("is not corrected by what an answer says unsigned", async () => {
        for (const change of [{ token: null }, { valid: false, code: "WRONG_SITE", token: null }]) {
            answers = () => respond(says({ now: IN_PERIOD, ...change }));
            setClock(AHEAD);
            const license = openOnline(token());
            assert.equal((await license.check()).works, false);
            answers = gone;
            later(7 * 86400);
            assert.equal((await license.check()).works, false);
        }
    });
    await t.test("does not begin before a token was signed", async () => {
        setClock("2020-01-01T00:00:00Z");
        const file = token({ iat: seconds("2026-03-01T00:00:00Z") });
        assert.equal(openOffline(file).state.status, "grace", "the file's");
        assert.equal(await opens(memory(), gone, "2020-01-01T00:00:00Z", file), "grace unreachable null");
        serviceClock = "2026-03-05T00:00:00Z";
        const lease = { exp: seconds("2026-03-19T00:00:00Z"), period_end: seconds("2026-03-06T00:00:00Z") };
        const storage = memory();
        await opens(storage, () => questions.at(-1).body.nonce ? gone() : respond(says({ valid_until: null }, lease)), "2020-01-01T00:00:00Z");
        assert.equal(await opens(storage, gone, "2020-01-02T00:00:00Z"), "expired unreachable null", "a lease's, though it was not taken");
    });
    await t.test("does not go back behind what was seen", async () => {
        const storage = memory();
        assert.equal(await opens(storage, gone, "2026-03-10T00:00:00Z"), "expired unreachable null");
        assert.equal(await opens(storage, gone, IN_PERIOD), "expired unreachable null", "in the next session");
        const license = openOffline(token(), { storage: memory() });
        setClock("2026-03-10T00:00:00Z");
        assert.equal(license.state.status, "expired");
        setClock(IN_PERIOD);
        assert.equal(license.state.status, "expired", "in the same one");
        const offline = memory();
        setClock("2026-03-10T00:00:00Z");
        await openOffline(token(), { storage: offline }).check();
        setClock(IN_PERIOD);
        assert.equal((await openOffline(token(), { storage: offline }).check()).status, "expired", "without a service");
    });
    await t.test("that was seen by mistake is corrected by the service", async () => {
        const storage = memory();
        await opens(storage, gone, "2031-01-01T00:00:00Z");
        assert.equal(await opens(storage, () => respond(says()), IN_PERIOD), "licensed ok ACTIVE");
        assert.equal(await opens(storage, gone, "2026-02-10T10:00:00Z"), "licensed ok ACTIVE");
    });
    await t.test("runs on after a clock that was ahead when it was corrected is set right", async () => {
        const storage = memory();
        serviceClock = IN_PERIOD;
        assert.equal(await opens(storage, () => respond(says()), "2036-02-10T09:00:00Z"), "licensed ok ACTIVE");
        assert.equal(await opens(storage, gone, "2026-03-10T00:00:00Z"), "expired unreachable ACTIVE");
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
        ["a lease under another's key", () => respond(says({ token: token({ kind: "lease" }, {}, stranger) }))],
        ["another licence's lease", () => respond(says({}, { sub: "lic_2" }))],
        ["another product's lease", () => respond(says({}, { aud: "bullet-chart" }))],
        ["another issuer's lease", () => respond(says({}, { iss: "fabrikam" }))],
        ["the file's token as a lease", () => respond(says({}, { kind: "embedded" }))],
        ["a lease that is no text", () => respond(says({ token: 7 }))],
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
        globalThis.setTimeout = (done, ms) => ms === 10_000 ? (seen.stop = done, 0) : realTimeout(done);
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
        assert.deepEqual(questions.map(({ body }) => !!body.nonce), [false, false, true], "and again, since the clock has shown another year");
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
    await t.test("is each licence's own", async () => {
        const storage = memory(), other = token({ sub: "lic_2" });
        await session(storage, () => respond(refuses("REVOKED")));
        assert.equal(show(await session(storage, gone, other)), "licensed unreachable null");
        await session(storage, () => respond(says({}, { sub: "lic_2" })), other);
        assert.equal(show(await session(storage, gone)), "revoked unreachable REVOKED");
        assert.equal(show(await session(storage, gone, other)), "licensed ok ACTIVE");
        const lease = JSON.parse(storage.kept["okviz.lic_2"]).answer;
        storage.kept["okviz.lic_1"] = JSON.stringify({ answer: lease });
        assert.equal(show(await session(storage, gone)), "licensed unreachable null", "what is kept under its name is held to it");
    });
    await t.test("is a refusal only until the report is opened again", async () => {
        const storage = memory();
        await session(storage, () => respond(refuses("SUSPENDED")));
        assert.equal(show(await session(storage, () => respond(says()))), "licensed ok ACTIVE");
    });
    for (const kept of ['{"user": 7}', '{"answer": 7}', '{"answer": {"valid": true, "code": 7, "at": 9e9, "next": 9e15, "token": 7}, "seen": "x", "skew": [], "at": {}}', "[]", '"x"', "7"]) {
        await t.test(`may be ${kept}`, async () => {
            const anything = () => memory({ "okviz.lic_1": kept, "okviz.user": kept });
            assert.equal(show(await session(anything(), () => respond(says()))), "licensed ok ACTIVE");
            assert.match(questions[0].body.user, /^\d[\d-]+$/);
            setClock("2026-03-10T00:00:00Z");
            assert.equal(show(await session(anything(), gone)), "expired unreachable null");
        });
    }
    await t.test("was tampered with", async () => {
        const storage = memory();
        setClock("2026-03-10T00:00:00Z");
        await session(storage, () => respond(refuses("EXPIRED")));
        for (const lease of [token({ kind: "lease", exp: 9e9, iat: 9e9 }, {}, stranger), null, 7]) {
            const kept = JSON.parse(storage.kept["okviz.lic_1"]);
            Object.assign(kept.answer, { valid: true, code: "ACTIVE", token: lease, until: 9e9 });
            later(301);
            const { status } = await session(memory({ "okviz.lic_1": JSON.stringify(kept) }), gone);
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
        const never = () => new Promise(() => {});
        assert.equal(show(await session({ get: never, set: never }, () => respond(says()))), "licensed ok ACTIVE");
    });
});

test("people", async (t) => {
    const opens = async (storage, options = {}) => {
        answers = () => respond(says());
        await openOnline(token(), { storage, ...options }).check();
        return questions.at(-1).body.user;
    };
    const no = () => Promise.reject(new Error("no")), never = () => new Promise(() => {});
    for (const [name, broken] of [
        ["is denied", { ...memory(), status: async () => 3 }],
        ["does not say", { ...memory(), status: no }],
        ["never says", { ...memory(), status: never }],
        ["rejects", { status: async () => 0, get: no, set: no }],
        ["throws", { status: async () => 0, get() { throw new Error("no"); }, set() { throw new Error("no"); } }],
        ["hangs", { status: async () => 0, get: never, set: never }],
        ["hangs when written", { ...memory(), status: async () => 0, set: never }],
        ["forgets", { status: async () => 0, get: no, set: async () => ({ success: true }) }],
        ["cannot be written", { ...memory(), status: async () => 0, set: no }],
    ]) {
        await t.test(`are not told apart where storage ${name}`, async () => {
            for (let n = 0; n < 20; n++) {
                assert.equal(await opens(broken), undefined);
            }
            assert.ok(!("user" in questions[0].body));
        });
    }
    await t.test("are not told apart without storage", async () => assert.equal(await opens(undefined), undefined));
    await t.test("have a name that says nothing, and keep it", async () => {
        const storage = memory();
        const first = await opens(storage);
        assert.match(first, /^\d[\d-]{15,}$/);
        later(86400);
        assert.equal(await opens(storage), first);
        assert.notEqual(await opens(memory()), first);
        assert.equal(await opens(memory(), { user: "u1" }), "u1");
    });
    await t.test("are asked for in this order", async () => {
        const order = [], storage = memory();
        await opens({
            status: async () => { order.push("status"); return 0; },
            get: (key) => { order.push("get " + key); return storage.get(key); },
            set: (key, value) => { order.push("set " + key); return storage.set(key, value); },
        });
        assert.deepEqual(order, ["get okviz.lic_1", "status", "get okviz.user", "set okviz.user", "get okviz.user", "set okviz.lic_1"]);
    });
    await t.test("are looked for once, also by an answer that is asked for anew", async () => {
        const order = [], storage = memory();
        serviceClock = "2026-02-20T09:00:00Z"; // ten days on: the answer contradicts this clock
        await opens({ ...storage, status: async () => { order.push("status"); return 1; } });
        assert.equal(questions.length, 2);
        assert.deepEqual(order, ["status"]);
    });
    await t.test("are not looked for where the licence counts nobody", async () => {
        for (const type of ["capacity", "site"]) {
            const { kept, ...storage } = memory();
            answers = () => respond(says({}, { type }));
            await openOnline(token({ type }), { storage }).check();
            assert.ok(!("user" in questions.at(-1).body));
            assert.deepEqual(Object.keys(kept), ["okviz.lic_1"]);
        }
    });
    await t.test("are one where fifty visuals start together", async () => {
        const timers = [], began = clock, wait = (ms) => new Promise((done) => setTimeout(done, ms));
        globalThis.setTimeout = (done, ms = 0) => { timers.push({ done, at: clock + ms }); };
        const kept = {};
        let calls = 0;
        const slow = async (act) => (await wait(calls++ * 37 % 400), act()); // as a host that is asked by fifty
        const storage = { status: async () => 0, get: (key) => slow(() => kept[key]), set: (key, value) => slow(() => { kept[key] = value; }) };
        answers = () => respond(says());
        let open = 50;
        for (let n = 0; n < 50; n++) {
            void wait(n * 53 % 900).then(() => openOnline(token(), { storage }).check()).then(() => open--);
        }
        while (open) { // time passes when there is nothing else to do
            await new Promise((done) => setImmediate(done));
            timers.sort((a, b) => a.at - b.at);
            if (timers[0]?.at < began + 9000) {
                clock = timers[0].at;
                timers.shift().done();
            }
        }
        const users = questions.map(({ body }) => body.user);
        assert.equal(users.length, 50);
        assert.deepEqual([...new Set(users)], [kept["okviz.user"].split("@")[0]]);
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
                answers = () => respond(says({ token: token({ kind: "lease", period_end: 9e9 }, {}, stranger) }));
                assert.equal(show(await openOnline(token()).check()), "grace unreachable null");
            } finally {
                Object.defineProperty(globalThis, "crypto", crypto);
            }
        });
    }
    assert.equal(asked, 2, "the browser's own is used where it is there");
});
