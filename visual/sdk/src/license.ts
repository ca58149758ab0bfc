// The licence of one visual: what its file says at once, and what the service says later.

import { Claims, embeddedToken, genuine, genuineSoon, Keys, parse } from "./token.js";

/**
 * What a visual may say about its licence.
 *
 * - `licensed`: paid, and inside the paid period.
 * - `trial`: inside the trial.
 * - `grace`: the paid period is over, or a payment has failed; the few days that follow are not over.
 * - `expired`: it has ended.
 * - `revoked`: the vendor has revoked or suspended it.
 * - `invalid`: there is a token that is not genuine, or the licence is not for this product,
 *   licensee, tenant or site; `code` says which.
 * - `unlicensed`: there is no licence of this vendor's service at all. A visual that is also
 *   sold through AppSource asks Microsoft's own licence check now.
 */
export type Status = "licensed" | "trial" | "grace" | "expired" | "revoked" | "invalid" | "unlicensed";

/**
 * How asking the service goes.
 *
 * - `off`: it is not asked: no `api` was given, or there is no genuine licence to ask about.
 * - `pending`: it has not been asked yet, or has not answered yet.
 * - `ok`: it has answered, now or not longer ago than an answer holds.
 * - `unreachable`: no answer, or one that makes no sense. A licence stays what it was.
 * - `blocked`: the page's Content-Security-Policy forbids asking: in Power BI, a missing
 *   WebAccess privilege or a tenant that allows none.
 */
export type Online = "off" | "pending" | "ok" | "unreachable" | "blocked";

/** What is known about the licence at the instant when it was read. */
export interface State {
    readonly status: Status;
    readonly online: Online;
    /** The service's last answer in one word (`ACTIVE`, `PAST_DUE`, `WRONG_SITE`, …), or what is wrong with the file; null: neither. */
    readonly code: string | null;
    /** The licence's id. It is no secret. */
    readonly license: string | null;
    readonly licensee: string | null;
    readonly plan: string | null;
    /** When the licence ends if nothing is renewed. */
    readonly until: Date | null;
}

/** Where answers are kept between sessions, in Power BI `host.storageV2Service`. Both may be slow, and may fail. */
export interface Storage {
    get(key: string): unknown;
    set(key: string, value: string): unknown;
}

export interface Options {
    /** The product's id in the catalogue: "calendar-pro". */
    readonly product: string;
    /** The guid of pbiviz.json. */
    readonly guid: string;
    /** The visual's version as it was uploaded: "2.4.2". */
    readonly version: string;
    /** The public keys: the one that signs now, and the one that will after the next rotation. */
    readonly keys: Keys;
    /** The service's address, as WebAccess names it; absent: the file alone decides. */
    readonly api?: string;
    /** Power BI's `host.hostEnv`. */
    readonly env?: number;
    /** Absent: answers are forgotten with the page, and people are not counted. */
    readonly storage?: Storage;
    /** Whoever looks, as a name that says nothing; absent: a random one, kept in `storage`. */
    readonly user?: string;
    /** The licence's id, where it is typed in and not in the file. */
    readonly license?: string;
    /** The licensee as the licence shows it, where it is typed in. */
    readonly licensee?: string;
    /** The Entra tenant, where the visual can know it. */
    readonly tenant?: string;
    /** Called whenever the service has, or has not, answered, and when an earlier answer was found in `storage`. */
    readonly changed?: (state: State) => void;
}

/** What the service said, as it is kept. Instants are seconds, but `next` is milliseconds of this machine's clock. */
interface Answer {
    license: string;
    at: number;
    next: number;
    valid: boolean;
    code: string;
    until: number | null;
    token: string | null;
}

const PATIENCE = 10_000; // milliseconds
const RETRY = 300; // seconds, at least, after no answer
const DAY = 86_400;

/** PowerBI's CustomVisualHostEnv: Embed, and the hosts that no site licence covers: Web, PublishToWeb, ReportServer, DashboardHost. */
const EMBED = 8, OUTSIDE_SITES = 1 | 2 | 16 | 128;

export class License {
    private readonly id: string | null;
    private readonly file: Claims | null = null;
    private readonly fake: boolean = false;
    private readonly api: string;
    private readonly asks: boolean;
    private readonly loaded: Promise<void>;
    private answer: Answer | null = null;
    private lease: Claims | null = null;
    private online: Online;
    private user: string | undefined;
    private next = 0;
    private skew = 0;
    private asking: Promise<State> | undefined;

    /** Reads and verifies the file's token, which takes some milliseconds. {@link state} is known when it returns. */
    constructor(private readonly options: Options) {
        const embedded = embeddedToken(options.guid);
        if (embedded !== null) {
            const token = this.parse(embedded);
            this.fake = !token || !genuine(token);
            this.file = this.fake ? null : token!.claims;
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
    get state(): State {
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
    check(): Promise<State> {
        return this.asking ??= this.ask().finally(() => this.asking = undefined);
    }

    private status(claims: Claims | null, wrong: string | null, now: number): Status {
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
    private misplaced({ licensee, tenant, type, sites }: Claims): string | null {
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

    private parse(token: string) {
        const { product, guid, keys } = this.options;
        return parse(token, product, guid, keys);
    }

    /** Takes up what the service said in an earlier session, unless the file was signed after that. */
    private async load(): Promise<void> {
        const { storage } = this.options;
        if (!storage) {
            return;
        }
        try {
            const nothing = new Promise((done) => setTimeout(done, 2000)); // a host may never answer
            const kept = JSON.parse(String(await Promise.race([storage.get(this.place), nothing])));
            this.user ??= kept.user;
            const answer: Answer | undefined = kept.answer;
            if (this.asks && answer && answer.license === this.id && answer.at >= (this.file?.iat ?? 0)) {
                await this.take(answer);
                this.say(this.due() ? "pending" : "ok");
            }
        } catch {
            // Nothing was kept, or nothing can be: the service is asked.
        }
    }

    private get place(): string {
        return "okviz." + this.options.product;
    }

    private due(): boolean {
        const wait = this.next - Date.now();
        return wait <= 0 || wait > 7 * DAY * 1000; // the clock has been put back
    }

    private async ask(): Promise<State> {
        await this.loaded;
        if (!this.asks || !this.due()) {
            return this.state;
        }
        this.say(await this.fetch());
        return this.state;
    }

    /** Asks once, and says how it went. */
    private async fetch(): Promise<Online> {
        const { product, version, storage, env, licensee, tenant } = this.options;
        const claims = this.file ?? this.lease;
        if (storage) {
            this.user ??= Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
        }
        let wait = 0, blocked = false;
        const stop = new AbortController();
        const timer = setTimeout(() => stop.abort(), PATIENCE);
        const violated = (event: Event) => {
            blocked ||= String((event as SecurityPolicyViolationEvent).blockedURI).startsWith(this.api);
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
        } catch {
            await new Promise((done) => setTimeout(done)); // a violation is told after the refusal
        } finally {
            clearTimeout(timer);
            globalThis.removeEventListener?.("securitypolicyviolation", violated);
        }
        this.next = Date.now() + 1000 * (blocked ? DAY : Math.min(Math.max(RETRY, wait), DAY));
        return blocked ? "blocked" : "unreachable";
    }

    /** Takes an answer and keeps it; false where it makes no sense. */
    private async understand(said: Record<string, unknown>): Promise<boolean> {
        const { v, valid, code, refresh_after, token } = said;
        const at = seconds(said.now);
        if (v !== 1 || typeof valid !== "boolean" || typeof code !== "string" || typeof refresh_after !== "number" || !at) {
            return false;
        }
        const answer: Answer = {
            license: this.id!, at, next: Date.now() + 1000 * Math.min(Math.max(60, refresh_after), 7 * DAY),
            valid, code, until: seconds(said.valid_until), token: typeof token === "string" ? token : null,
        };
        if (!await this.take(answer)) {
            return false;
        }
        this.skew = at - Date.now() / 1000; // this machine's clock may be wrong
        void this.keep(valid || final(code) ? answer : undefined); // what is wrong here may be right at the next place
        return true;
    }

    private async keep(answer: Answer | undefined): Promise<void> {
        try {
            await this.options.storage?.set(this.place, JSON.stringify({ user: this.user, answer }));
        } catch {
            // The next session asks again.
        }
    }

    /** Makes an answer the one that counts; false where its lease is not genuine. */
    private async take(answer: Answer): Promise<boolean> {
        let lease: Claims | null = null;
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

    private say(online: Online): void {
        this.online = online;
        this.options.changed?.(this.state);
    }
}

/** What a refusal that is the same wherever the visual runs comes to. */
function final(code: string): Status | undefined {
    return code === "EXPIRED" ? "expired" : code === "REVOKED" || code === "SUSPENDED" ? "revoked" : undefined;
}

/** The hosts of the pages around the visual's frame, where the browser tells them. */
function hostsAround(): string[] {
    return Array.from(globalThis.location?.ancestorOrigins ?? [], (origin) => origin.replace(/^\w+:\/\/|:\d+$/g, "").replace(/\.$/, ""))
        .filter((host) => host !== "null");
}

/** An instant of the service's in seconds, or null. */
function seconds(instant: unknown): number | null {
    const ms = typeof instant === "string" ? Date.parse(instant) : NaN;
    return ms ? ms / 1000 : null;
}
