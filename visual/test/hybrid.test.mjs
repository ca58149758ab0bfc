// The sample for a visual that AppSource sells, too: whom it asks, in which order, and
// what it shows.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, sign } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";

const visual = join(import.meta.dirname, ".."), timeout = 60_000;
const temp = mkdtempSync(join(visual, "node_modules", ".hybrid-")); // from there it finds okviz-license
after(() => rmSync(temp, { recursive: true, force: true }));

cpSync(join(visual, "sdk", "examples", "hybrid.ts"), join(temp, "hybrid.ts"));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const { status, stdout } = spawnSync(process.execPath, [tsc, "--strict", "--skipLibCheck", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler",
    "--lib", "es2022,dom", join(temp, "hybrid.ts")], { cwd: visual, encoding: "utf8", timeout });
test("the sample compiles", () => assert.equal(status, 0, stdout));
writeFileSync(join(temp, "package.json"), '{"type": "module"}');
const { HybridLicense } = await import("file://" + join(temp, "hybrid.js"));

const KID = "MxA4nO0KWLlfkCKzeIiIAuEvZEY8f0LBd5N-HjMx7Jk";
const key = createPrivateKey(readFileSync(join(visual, "..", "dev", "keys", "signing-dev.pem")));
const KEYS = { [KID]: "yZtcseDbkboKW-slVQ9kegQdfTa9Iv0GTDDdkjZ_4PE" }; // dev/keys/README.md
const LICENSEE = "Bea Bianchi <bea@contoso.example>";

function lease() {
    const now = Math.floor(Date.now() / 1000);
    const text = [{ alg: "EdDSA", typ: "okviz-license+jwt", kid: KID }, { iss: "okviz", kind: "lease", aud: "p", sub: "lic_1", iat: now, exp: now + 9e5, period_end: now + 9e5, trial: false, licensee: LICENSEE }]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return text + "." + sign(null, Buffer.from(text), key).toString("base64url");
}
const element = () => ({ style: {}, children: [], appendChild(c) { this.children.push(c); }, setAttribute() {}, addEventListener() {} });
const plan = (state) => ({ plans: [{ spIdentifier: "contoso.calendar-pro.premium", state }], isLicenseInfoAvailable: true, isLicenseUnsupportedEnv: false });
const NONE = { plans: [], isLicenseInfoAvailable: true, isLicenseUnsupportedEnv: false };
const ENDED = { valid: false, code: "EXPIRED", token: null };

for (const [name, typed, ours, microsoft, works, order, shown] of [
    ["a licence of this service: Microsoft is not asked", true, { valid: true, code: "ACTIVE" }, NONE, true, ["service"], "okviz-none"],
    ["an ended one, and a plan of AppSource", true, ENDED, plan(1), true, ["service", "plans"], "okviz-none"],
    ["an ended one alone: this service says so", true, ENDED, NONE, false, ["service", "plans"], "okviz-overlay"],
    ["a plan of AppSource alone", false, null, plan(1), true, ["plans"], "okviz-none"],
    ["a plan in its days of grace", false, null, plan(2), true, ["plans"], "okviz-none"],
    ["a suspended plan", false, null, plan(3), false, ["plans", "notify 2"], undefined],
    ["nothing: Microsoft says so", false, null, NONE, false, ["plans", "notify 2"], undefined],
    ["a host that knows no licences", false, null, { ...NONE, isLicenseUnsupportedEnv: true }, false, ["plans", "notify 1"], undefined],
    ["nobody who answers", true, null, null, true, ["service", "plans"], "okviz-none"],
]) {
    test(name, { timeout }, async () => {
        const asked = [], parent = element();
        globalThis.document = { createElement: element };
        globalThis.fetch = async () => {
            asked.push("service");
            if (!ours) {
                throw new TypeError("Failed to fetch");
            }
            return new Response(JSON.stringify({ v: 1, valid_until: null, now: new Date().toISOString(), refresh_after: 300, token: lease(), ...ours }));
        };
        const licenseManager = {
            getAvailableServicePlans: async () => { asked.push("plans"); if (!microsoft) { throw new Error("no"); } return microsoft; },
            notifyLicenseRequired: async (kind) => { asked.push("notify " + kind); return true; },
            clearLicenseNotification: async () => { asked.push("clear"); return true; },
        };
        const hybrid = new HybridLicense({ licenseManager, locale: "en-US", hostEnv: 1 }, parent,
            { product: "p", guid: "g", version: "1.0.0", keys: KEYS, api: "https://licensing.example" }, typed ? { license: "lic_1", licensee: LICENSEE } : {});
        assert.equal(hybrid.works, true, "while nobody has answered");
        await hybrid.update();
        await hybrid.update();
        assert.equal(hybrid.works, works);
        assert.deepEqual(asked, order);
        assert.equal(parent.children[0].className?.replace("okviz-notice ", ""), shown);
    });
}
