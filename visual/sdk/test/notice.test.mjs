// What a visual shows of its licence, in words and as elements of a page that is just
// large enough.

import assert from "node:assert/strict";
import { afterEach, test as timeless } from "node:test";

import { kind, Notice, words } from "../dist/index.js";

const test = (name, run) => timeless(name, { timeout: 20_000 }, run);
const state = (status, change = {}) => ({
    status, works: ["licensed", "trial", "grace"].includes(status), online: "ok", code: null, license: "lic_1", licensee: null, plan: null,
    until: new Date("2026-03-03T12:00:00Z"), ...change,
});

const STATES = [
    [state("licensed"), "none", "", ""],
    [state("trial"), "badge", "Trial until March 3, 2026", "In prova fino al 3 marzo 2026"],
    [state("grace"), "banner", "The licence's renewal is due. The visual works until March 3, 2026.", "La licenza è da rinnovare. L'oggetto visivo funziona fino al 3 marzo 2026."],
    [state("outdated", { works: true }), "banner", /too old.*update/, /troppo vecchia.*Aggiorna/],
    [state("outdated"), "overlay", /too old.*update/, /troppo vecchia.*Aggiorna/],
    [state("expired"), "overlay", /has ended/, /scaduta/],
    [state("revoked", { code: "REVOKED" }), "overlay", /revoked/, /revocata/],
    [state("revoked", { code: "SUSPENDED" }), "overlay", /suspended/, /sospesa/],
    [state("invalid"), "overlay", /not valid/, /non è valida/],
    [state("invalid", { code: "SHINY" }), "overlay", /not valid/, /non è valida/],
    [state("invalid", { code: "WRONG_SITE" }), "overlay", /other sites/, /altri siti/],
    [state("invalid", { code: "WRONG_LICENSEE" }), "overlay", /another licensee/, /intestata ad altri/],
    [state("invalid", { code: "WRONG_TENANT" }), "overlay", /another organisation/, /un'altra organizzazione/],
    [state("invalid", { code: "NOT_ACTIVATED" }), "overlay", /not been activated/, /non è ancora stata attivata/],
    [state("invalid", { code: "BLOCKED_OVER_LIMIT" }), "overlay", /More people/, /più persone/],
    [state("unlicensed"), "overlay", /no licence/, /non ha una licenza/],
    [state("licensed", { code: "OVER_LIMIT" }), "none", "", ""],
];

test("every state in both languages", async (t) => {
    for (const [said, shown, english, italian] of STATES) {
        await t.test(`${said.status} ${said.code ?? ""} ${said.works ? "that works" : ""}`, () => {
            assert.equal(kind(said), shown);
            for (const [locale, want] of [["en-US", english], ["it-IT", italian]]) {
                const text = words(said, locale);
                if (want instanceof RegExp) {
                    assert.match(text, want);
                } else {
                    assert.equal(text, want);
                }
            }
            assert.match(words(said, "ja-JP"), english instanceof RegExp ? english : /^([A-Z].*)?$/, "English for everybody else");
        });
    }
});

function element() {
    return {
        style: {}, children: [], attributes: {}, changes: 0,
        appendChild(child) { this.children.push(child); },
        setAttribute(key, value) { this.attributes[key] = value; },
        addEventListener(event, listener) { this[event] = listener; },
        set textContent(text) { this.text = text; this.children = []; this.changes++; },
        get textContent() { return this.text; },
    };
}
afterEach(() => delete globalThis.document);

test("a notice", async (t) => {
    const open = (options) => {
        globalThis.document = { createElement: element };
        const parent = element(), notice = new Notice(parent, options);
        return { notice, shown: parent.children[0] };
    };
    await t.test("shows what is said last", () => {
        const { notice, shown } = open({ locale: "it" });
        notice.show(state("trial"));
        assert.deepEqual([shown.className, shown.text, shown.attributes.role], ["okviz-notice okviz-badge", "In prova fino al 3 marzo 2026", "status"]);
        notice.show(state("expired"));
        assert.deepEqual([shown.className, shown.text], ["okviz-notice okviz-overlay", "La licenza di questo oggetto visivo è scaduta."]);
        notice.show(state("licensed"));
        assert.deepEqual([shown.className, shown.text], ["okviz-notice okviz-none", ""]);
        assert.match(shown.style.cssText, /display:none/);
    });
    await t.test("leaves a page alone that shows it already", () => {
        const { notice, shown } = open();
        notice.show(state("expired"));
        notice.show(state("expired"));
        assert.equal(shown.changes, 1);
    });
    await t.test("has a button to renew where there is something to renew", () => {
        const renewed = [];
        for (const status of ["trial", "grace", "expired", "revoked", "invalid", "unlicensed", "outdated"]) {
            const { notice, shown } = open({ renew: (s) => renewed.push(s.status) });
            notice.show(state(status));
            shown.children.forEach((button) => button.click());
        }
        assert.deepEqual(renewed, ["grace", "expired"]);
        const { notice, shown } = open();
        notice.show(state("expired"));
        assert.deepEqual(shown.children, []);
    });
});
