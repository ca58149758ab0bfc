// The built packages as a browser would run them: each one's JavaScript, with the
// prelude that stamping puts before it, in a page that is just large enough.

import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

import { entries } from "../zip.mjs";

const file = (path) => readFileSync(new URL(path, import.meta.url));
const key = createPrivateKey(file("../../dev/keys/signing-dev.pem"));
const KID = "MxA4nO0KWLlfkCKzeIiIAuEvZEY8f0LBd5N-HjMx7Jk"; // dev/keys/README.md

for (const { id, name, version, guid } of JSON.parse(file("../products.json"))) {
    test(id, { timeout: 60_000 }, async (t) => {
        const { js } = JSON.parse(entries(file(`../dist/${id}-${version}.pbiviz`))[`resources/${guid}.pbiviz.json`]).content;
        const day = 86400, now = Math.floor(Date.now() / 1000);
        const claims = { iss: "okviz", kind: "embedded", aud: id, sub: "lic_1", iat: now - 9 * day, trial: false, period_end: now + day, exp: now + day };
        for (const [status, kind, words, token, how = ""] of [
            ["unlicensed", "overlay", /no licence/, null],
            ["licensed", "none", /^$/, signed(claims)],
            ["trial", "badge", /^Trial until .*20\d\d$/, signed({ ...claims, trial: true })],
            ["grace", "banner", /renewal is due.*20\d\d/, signed({ ...claims, period_end: now - day })],
            ["expired", "overlay", /has ended/, signed({ ...claims, period_end: now - day, exp: now - 1 })],
            ["invalid", "overlay", /not valid/, signed({ ...claims, aud: "other" })],
            ["invalid", "overlay", /not valid/, signed(claims, generateKeyPairSync("ed25519").privateKey), "with a forged signature"],
        ]) {
            await t.test(`shows ${status} ${how}`, { timeout: 20_000 }, () => {
                const prelude = token === null ? "" : `(globalThis.okvizLicenses=globalThis.okvizLicenses||{})['${guid}']='${token}';`;
                const { section, launched } = run(prelude + js, guid);
                assert.equal(section.attributes["data-licence"], status, "at once");
                const [title, chart, shown] = section.children;
                assert.equal(title.textContent, `${name} ${version}`);
                assert.deepEqual(chart.children.map((c) => c.textContent), ["North", "10", "South", "5"]);
                assert.deepEqual(chart.children.map((c) => c.style.width), [undefined, "100%", undefined, "50%"]);
                assert.equal(shown.className, `okviz-notice okviz-${kind}`);
                assert.match(shown.textContent, words);
                for (const link of shown.children) {
                    link.click();
                }
                assert.deepEqual(launched, status === "grace" || status === "expired" ? ["http://localhost:8080/account/licenses/lic_1"] : []);
            });
        }
        await t.test("may ask where it asks", { timeout: 20_000 }, () => {
            const { capabilities } = JSON.parse(entries(file(`../dist/${id}-${version}.pbiviz`))[`resources/${guid}.pbiviz.json`]);
            assert.deepEqual(capabilities.privileges.find(({ name }) => name === "WebAccess").parameters, ["http://localhost:8080"]);
            assert.ok(js.includes('"http://localhost:8080"'));
        });
    });
}

/** Runs a visual's code without a network, and updates it with two bars. */
function run(code, guid) {
    const launched = [];
    const page = vm.createContext({
        powerbi: {}, atob, TextEncoder, TextDecoder, AbortController, setTimeout, clearTimeout,
        document: { createElement: () => element() }, fetch: () => Promise.reject(new TypeError("Failed to fetch")),
    });
    page.window = page;
    vm.runInContext(code, page);
    const target = element();
    const host = {
        eventService: { renderingStarted() {}, renderingFinished() {}, renderingFailed: (_, reason) => assert.fail(reason) },
        launchUrl: (url) => launched.push(url),
    };
    const visual = page.powerbi.visuals.plugins[guid].create({ element: target, host });
    visual.update({
        dataViews: [{ categorical: { categories: [{ values: ["North", "South"] }], values: [{ values: [10, 5] }] } }],
    });
    return { section: target.children[0], launched };
}

function element() {
    return {
        style: {}, children: [], attributes: {},
        appendChild(child) { this.children.push(child); },
        replaceChildren() { this.children = []; },
        setAttribute(key, value) { this.attributes[key] = value; },
        addEventListener(kind, listener) { this[kind] = listener; },
        set textContent(text) { this.text = text; this.children = []; },
        get textContent() { return this.text; },
    };
}

function signed(claims, by = key) {
    const text = [{ alg: "EdDSA", typ: "okviz-license+jwt", kid: KID }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return text + "." + sign(null, Buffer.from(text), by).toString("base64url");
}
