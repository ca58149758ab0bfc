// The built packages as a browser would run them: each one's JavaScript, with the
// prelude that stamping puts before it, in a page that is just large enough.

import assert from "node:assert/strict";
import { createPrivateKey, sign, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";
import { inflateRawSync } from "node:zlib";

const file = (path) => readFileSync(new URL(path, import.meta.url));
const key = createPrivateKey(file("../../dev/keys/signing-dev.pem"));
const KID = "MxA4nO0KWLlfkCKzeIiIAuEvZEY8f0LBd5N-HjMx7Jk"; // dev/keys/README.md

for (const { id, name, version, guid } of JSON.parse(file("../products.json"))) {
    test(id, async (t) => {
        const { js } = JSON.parse(unzip(file(`../dist/${id}-${version}.pbiviz`), `resources/${guid}.pbiviz.json`)).content;
        const day = 86400, now = Math.floor(Date.now() / 1000);
        for (const [status, sign, token] of [
            ["unlicensed", "sign banner", null],
            ["licensed", "sign none", signed({ aud: id, trial: false, period_end: now + day, exp: now + day })],
            ["trial", "sign badge", signed({ aud: id, trial: true, period_end: now + day, exp: now + day })],
            ["grace", "sign banner", signed({ aud: id, trial: false, period_end: now - day, exp: now + day })],
            ["expired", "sign overlay", signed({ aud: id, trial: false, period_end: now - day, exp: now - 1 })],
            ["invalid", "sign overlay", signed({ aud: "other", trial: false, period_end: now + day, exp: now + day })],
        ]) {
            await t.test(`shows ${status}`, async () => {
                const prelude = token === null ? "" : `(globalThis.okvizLicenses=globalThis.okvizLicenses||{})['${guid}']='${token}';`;
                const section = await run(prelude + js, guid);
                assert.equal(section.attributes["data-licence"], status);
                const [title, chart, shown] = section.children;
                assert.equal(title.textContent, `${name} ${version}`);
                assert.deepEqual(chart.children.map((c) => c.textContent), ["North", "10", "South", "5"]);
                assert.deepEqual(chart.children.map((c) => c.style.width), [undefined, "100%", undefined, "50%"]);
                assert.equal(shown.className, sign);
            });
        }
    });
}

/** Runs a visual's code, updates it with two bars and returns its element once its licence is known. */
function run(code, guid) {
    return new Promise((resolve, reject) => {
        const page = vm.createContext({
            powerbi: {}, crypto: webcrypto, atob, TextEncoder, TextDecoder,
            document: { createElement: () => element() },
        });
        page.window = page;
        vm.runInContext(code, page);
        const target = element();
        const host = {
            eventService: { renderingStarted() {}, renderingFinished() {}, renderingFailed: (_, reason) => reject(new Error(reason)) },
        };
        const visual = page.powerbi.visuals.plugins[guid].create({ element: target, host });
        target.children[0].known = () => resolve(target.children[0]);
        visual.update({
            dataViews: [{ categorical: { categories: [{ values: ["North", "South"] }], values: [{ values: [10, 5] }] } }],
        });
    });
}

function element() {
    return {
        style: {}, children: [], attributes: {},
        appendChild(child) { this.children.push(child); },
        replaceChildren() { this.children = []; },
        setAttribute(key, value) {
            this.attributes[key] = value;
            if (this.known) {
                queueMicrotask(this.known); // after the sign, which is drawn in the same turn
            }
        },
    };
}

function signed(claims) {
    const text = [{ alg: "EdDSA", typ: "okviz-license+jwt", kid: KID }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return text + "." + sign(null, Buffer.from(text), key).toString("base64url");
}

/** Reads one deflated entry of a zip by way of its directory. */
function unzip(zip, name) {
    const end = zip.lastIndexOf("PK\x05\x06", undefined, "latin1");
    let at = zip.readUInt32LE(end + 16);
    for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
        const [nameSize, extraSize, commentSize] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
        if (zip.toString("utf8", at + 46, at + 46 + nameSize) === name) {
            const local = zip.readUInt32LE(at + 42);
            const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
            return inflateRawSync(zip.subarray(data, data + zip.readUInt32LE(at + 20))).toString("utf8");
        }
        at += 46 + nameSize + extraSize + commentSize;
    }
    throw new Error(`no ${name} in the package`);
}
