// The licence of one visual: what its file says at once, and what the service says later.
import { embeddedToken, genuine, genuineSoon, parse } from "./token.js";
const PATIENCE = 10_000; // milliseconds
const RETRY = 300; // seconds, at least, after no answer
const DAY = 86_400;
/** PowerBI's CustomVisualHostEnv: Embed, and the hosts that no site licence covers: Web, PublishToWeb, ReportServer, DashboardHost. */
const EMBED = 8, OUTSIDE_SITES = 1 | 2 | 16 | 128;
export class License {
    options;
    id;
    file = null;
    fake = false;
    api;
    asks;
    loaded;
    answer = null;
    lease = null;
    online;
    user;
    next = 0;
    skew = 0;
    asking;
    /** Reads and verifies the file's token, which takes some milliseconds. {@link state} is known when it returns. */
    constructor(options) {
        this.options = options;
        const embedded = embeddedToken(options.guid);
        if (embedded !== null) {
            const token = this.parse(embedded);
            this.fake = !token || !genuine(token);
            this.file = this.fake ? null : token.claims;
        }
        this.id = this.file?.sub ?? options.license ?? null;
        this.user = options.user;
        this.api = (options.api ?? "").replace(/\/+$/, "");
        // An id is no credential: that of a forged token must not fetch a genuine one.
        this.asks = this.api !== "" && this.id !== null && !this.fake;
        this.online = this.asks ? "pending" : "off";
        this.loaded = this.load();
    }
    /** What is known now. Cheap: read it in every update(), since a licence may end while a report stands open. */
    get state() {
        const { answer, file, lease } = this;
        const now = Date.now() / 1000 + this.skew;
        const claims = lease && now < lease.exp ? lease : file ?? lease;
        const wrong = claims && this.misplaced(claims);
        const until = answer?.until ?? claims?.exp;
        return {
            status: this.status(claims, wrong, now),
            online: this.online,
            code: answer && !answer.valid ? answer.code : wrong ?? answer?.code ?? null,
            license: this.id,
            licensee: claims?.licensee ?? null,
            plan: claims?.plan ?? null,
            until: until ? new Date(until * 1000) : null,
        };
    }
    /**
     * Asks the service, unless its last answer still holds; call it in every update(). It
     * never rejects, and never makes a genuine licence worse because nobody answered.
     */
    check() {
        return this.asking ??= this.ask().finally(() => this.asking = undefined);
    }
    status(claims, wrong, now) {
        const { answer } = this;
        if (this.fake) {
            return "invalid";
        }
        if (answer && !answer.valid) {
            return final(answer.code) ?? "invalid";
        }
        if (!claims) {
            return "unlicensed";
        }
        if (wrong) {
            return "invalid";
        }
        // An answer beats the file, so what it said of the end binds a file that says more.
        if (now >= claims.exp || now >= (answer?.until ?? Infinity)) {
            return "expired";
        }
        if (now >= claims.period_end || answer?.code === "PAST_DUE") {
            return "grace";
        }
        return claims.trial ? "trial" : "licensed";
    }
    /** The code that the service would answer because of where and for whom the visual runs. */
    misplaced({ licensee, tenant, type, sites }) {
        const { options } = this;
        const env = options.env || EMBED, hosts = hostsAround();
        if (options.licensee !== undefined && licensee && licensee !== options.licensee) {
            return "WRONG_LICENSEE";
        }
        if (options.tenant !== undefined && tenant && tenant.toLowerCase() !== options.tenant.toLowerCase()) {
            return "WRONG_TENANT";
        }
        if (type === "site" && (env & OUTSIDE_SITES || !(hosts.length
            ? hosts.some((host) => sites?.some((site) => site.startsWith("*.") ? host.endsWith(site.slice(1)) : host === site))
            : env === EMBED))) {
            return "WRONG_SITE";
        }
        return null;
    }
    parse(token) {
        const { product, guid, keys } = this.options;
        return parse(token, product, guid, keys);
    }
    /** Takes up what the service said in an earlier session, unless the file was signed after that. */
    async load() {
        const { storage } = this.options;
        if (!storage) {
            return;
        }
        try {
            const nothing = new Promise((done) => setTimeout(done, 2000)); // a host may never answer
            const kept = JSON.parse(String(await Promise.race([storage.get(this.place), nothing])));
            this.user ??= kept.user;
            const answer = kept.answer;
            if (this.asks && answer && answer.license === this.id && answer.at >= (this.file?.iat ?? 0)) {
                await this.take(answer);
                this.say(this.due() ? "pending" : "ok");
            }
        }
        catch {
            // Nothing was kept, or nothing can be: the service is asked.
        }
    }
    get place() {
        return "okviz." + this.options.product;
    }
    due() {
        const wait = this.next - Date.now();
        return wait <= 0 || wait > 7 * DAY * 1000; // the clock has been put back
    }
    async ask() {
        await this.loaded;
        if (!this.asks || !this.due()) {
            return this.state;
        }
        this.say(await this.fetch());
        return this.state;
    }
    /** Asks once, and says how it went. */
    async fetch() {
        const { product, version, storage, env, licensee, tenant } = this.options;
        const claims = this.file ?? this.lease;
        if (storage) {
            this.user ??= Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
        }
        let wait = 0, blocked = false;
        const stop = new AbortController();
        const timer = setTimeout(() => stop.abort(), PATIENCE);
        const violated = (event) => {
            blocked ||= String(event.blockedURI).startsWith(this.api);
        };
        globalThis.addEventListener?.("securitypolicyviolation", violated);
        try {
            const response = await fetch(this.api + "/v1/licenses/check", {
                method: "POST",
                headers: { "Content-Type": "text/plain" }, // anything else costs a preflight each time
                credentials: "omit",
                signal: stop.signal,
                body: JSON.stringify({
                    v: 1, license: this.id, product, version, env, user: this.user, sites: hostsAround().slice(0, 32),
                    licensee: licensee ?? claims?.licensee, tenant: tenant ?? claims?.tenant,
                }),
            });
            wait = Number(response.headers.get("Retry-After")) || 0;
            if (response.status === 200 && await this.understand(await response.json())) {
                return "ok";
            }
        }
        catch {
            await new Promise((done) => setTimeout(done)); // a violation is told after the refusal
        }
        finally {
            clearTimeout(timer);
            globalThis.removeEventListener?.("securitypolicyviolation", violated);
        }
        this.next = Date.now() + 1000 * (blocked ? DAY : Math.min(Math.max(RETRY, wait), DAY));
        return blocked ? "blocked" : "unreachable";
    }
    /** Takes an answer and keeps it; false where it makes no sense. */
    async understand(said) {
        const { v, valid, code, refresh_after, token } = said;
        const at = seconds(said.now);
        if (v !== 1 || typeof valid !== "boolean" || typeof code !== "string" || typeof refresh_after !== "number" || !at) {
            return false;
        }
        const answer = {
            license: this.id, at, next: Date.now() + 1000 * Math.min(Math.max(60, refresh_after), 7 * DAY),
            valid, code, until: seconds(said.valid_until), token: typeof token === "string" ? token : null,
        };
        if (!await this.take(answer)) {
            return false;
        }
        this.skew = at - Date.now() / 1000; // this machine's clock may be wrong
        void this.keep(valid || final(code) ? answer : undefined); // what is wrong here may be right at the next place
        return true;
    }
    async keep(answer) {
        try {
            await this.options.storage?.set(this.place, JSON.stringify({ user: this.user, answer }));
        }
        catch {
            // The next session asks again.
        }
    }
    /** Makes an answer the one that counts; false where its lease is not genuine. */
    async take(answer) {
        let lease = null;
        if (answer.valid && answer.token !== null) {
            const token = this.parse(answer.token);
            if (!token || token.claims.sub !== this.id || !await genuineSoon(token)) {
                return false;
            }
            lease = token.claims;
        }
        this.answer = answer;
        this.lease = lease;
        this.next = answer.next;
        return true;
    }
    say(online) {
        this.online = online;
        this.options.changed?.(this.state);
    }
}
/** What a refusal that is the same wherever the visual runs comes to. */
function final(code) {
    return code === "EXPIRED" ? "expired" : code === "REVOKED" || code === "SUSPENDED" ? "revoked" : undefined;
}
/** The hosts of the pages around the visual's frame, where the browser tells them. */
function hostsAround() {
    return Array.from(globalThis.location?.ancestorOrigins ?? [], (origin) => origin.replace(/^\w+:\/\/|:\d+$/g, "").replace(/\.$/, ""))
        .filter((host) => host !== "null");
}
/** An instant of the service's in seconds, or null. */
function seconds(instant) {
    const ms = typeof instant === "string" ? Date.parse(instant) : NaN;
    return ms ? ms / 1000 : null;
}
