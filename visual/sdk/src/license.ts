// The licence of one visual: what its file says at once, and what the service says later.

import { person, random, soon } from "./person.js";
import { Claims, embeddedToken, genuine, genuineSoon, Keys, parse } from "./token.js";

/**
 * What a visual may say about its licence.
 *
 * - `licensed`: paid, and inside the paid period.
 * - `trial`: inside the trial.
 * - `grace`: the paid period is over, or a payment has failed; the few days that follow are not over.
 * - `expired`: it has ended.
 * - `outdated`: the service calls it valid, but this build knows none of the keys that sign now.
 *   The visual must be updated; until then it works as long as its file does.
 * - `revoked`: the vendor has revoked or suspended it.
 * - `invalid`: there is a token that is not genuine, or the licence is not for this product,
 *   licensee, tenant or site; `code` says which.
 * - `unlicensed`: there is no licence of this vendor's service at all. A visual that is also
 *   sold through AppSource asks Microsoft's own licence check now.
 */
export type Status = "licensed" | "trial" | "grace" | "expired" | "outdated" | "revoked" | "invalid" | "unlicensed";

/**
 * How asking the service goes.
 *
 * - `off`: it is not asked: no `api` was given, or there is no genuine licence to ask about.
 * - `pending`: it has not been asked yet, or has not answered yet.
 * - `ok`: it has answered, now or not longer ago than an answer holds.
 * - `unreachable`: no answer, or one that makes no sense. A licence stays what it was.
 * - `unknown`: the service does not know a licence that it has signed. It stays what it was.
 * - `blocked`: the page's Content-Security-Policy forbids asking: in Power BI, a missing
 *   WebAccess privilege or a tenant that allows none.
 */
export type Online = "off" | "pending" | "ok" | "unreachable" | "unknown" | "blocked";

/** What is known about the licence at the instant when it was read. */
export interface State {
    readonly status: Status;
    /** The visual may work: `licensed`, `trial`, `grace`, or `outdated` with a file that has not ended. */
    readonly works: boolean;
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

/** Where answers are kept between sessions, in Power BI `host.storageV2Service`. It may be slow, and may fail. */
export interface Storage {
    /** Power BI's PrivilegeStatus; anything but 0 means that nothing can be kept. */
    status?(): unknown;
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
    /** The person who looks, as a name that says nothing; absent: a random one, if `storage` can keep it. */
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
    at: number;
    next: number;
    valid: boolean;
    code: string;
    until: number | null;
    token: string | null;
}

/** What is kept of a licence, under its id. Instants are seconds. */
interface Kept {
    answer?: Answer;
    seen?: number;
    skew?: number;
    at?: number;
}

const PLACE = "okviz.", VIOLATION = "securitypolicyviolation";
const PATIENCE = 10_000; // milliseconds
const RETRY = 300; // seconds, at least, after no answer
const HOUR = 3600, DAY = 86_400;

/** PowerBI's CustomVisualHostEnv: Embed, and the hosts that no site licence covers: Web, PublishToWeb, ReportServer, DashboardHost. */
const EMBED = 8, OUTSIDE_SITES = 1 | 2 | 16 | 128;

export class License {
    readonly #options: Options;
    readonly #id: string | undefined;
    readonly #file: Claims | undefined;
    readonly #fake: boolean;
    /** Where to ask; undefined or empty: nobody is asked. */
    readonly #api: string | undefined;
    readonly #loaded: Promise<void>;
    #answer: Answer | undefined;
    #lease: Claims | undefined;
    #online: Online;
    #user: string | undefined;
    #next = 0;
    #asking: Promise<State> | undefined;
    /** The last instant that was seen, or that a genuine token tells. No later one comes before it. */
    #seen = 0;
    #seenKept = 0;
    /** What a signed answer found this machine's clock to lack, and what that clock showed then. */
    #skew = 0;
    #correctedAt = 0;

    /** Reads and verifies the file's token, which takes some milliseconds. {@link state} is known when it returns. */
    constructor(options: Options) {
        this.#options = options;
        const embedded = embeddedToken(options.guid);
        const token = parse(embedded, options);
        if (token && genuine(token)) {
            this.#file = token.claims;
            this.#seen = token.claims.iat;
        }
        this.#fake = embedded !== null && !this.#file;
        // An id is no credential: that of a forged token must not fetch a genuine one.
        this.#id = this.#fake ? undefined : this.#file?.sub ?? options.license;
        this.#user = options.user;
        this.#api = this.#id && options.api?.replace(/\/+$/, "");
        this.#online = this.#api ? "pending" : "off";
        this.#loaded = this.#load();
    }

    /** What is known now. Cheap: read it in every update(), since a licence may end while a report stands open. */
    get state(): State {
        const answer = this.#answer, file = this.#file, lease = this.#lease;
        const now = this.#see();
        const claims = lease && now < lease.exp ? lease : file ?? lease;
        const wrong = claims && misplaced(claims, this.#options);
        const until = lease && answer?.until || claims?.exp;
        const status = this.#status(claims, wrong, now);
        return {
            status: answer?.valid && !lease && status !== "invalid" ? "outdated" : status,
            works: ["licensed", "trial", "grace"].includes(status),
            online: this.#online,
            code: answer && !answer.valid ? answer.code : wrong ?? answer?.code ?? null,
            license: this.#id ?? null,
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
        return this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
    }

    #status(claims: Claims | undefined, wrong: string | null | undefined, now: number): Status {
        const answer = this.#answer;
        if (answer && !answer.valid) {
            return final(answer.code) ?? "invalid";
        }
        if (!claims && !this.#fake) {
            return "unlicensed";
        }
        if (!claims || wrong) {
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

    /** This machine's clock as a signed answer corrected it, unless it has been put back since. */
    #clock(): number {
        const local = Date.now() / 1000;
        return local < this.#correctedAt - DAY ? local : local + this.#skew;
    }

    /** Lets time be no earlier than an instant, and returns it. */
    #see(instant = this.#clock()): number {
        return this.#seen = Math.max(this.#seen, instant);
    }

    /** Takes up what was kept in an earlier session; of the answer only if the file was not signed after it. */
    async #load(): Promise<void> {
        const { storage } = this.#options;
        const signed = this.#file?.iat ?? 0;
        if (!storage || !this.#id) {
            return;
        }
        try {
            const { answer, seen, skew, at }: Kept = JSON.parse(await soon(storage.get(PLACE + this.#id)) as string);
            this.#seenKept = +seen! || 0;
            this.#seen = signed;
            this.#see(this.#seenKept);
            this.#skew = +skew! || 0;
            this.#correctedAt = +at! || 0;
            const lease = answer?.valid ? await this.#verify(answer.token) : undefined;
            if (this.#api && answer && answer.at >= signed && (lease || !answer.valid)) {
                this.#take(answer, lease);
                this.#next = lease ? answer.next : 0; // a refusal may have been taken back
                this.#say(this.#due() ? "pending" : "ok");
            }
        } catch {
            // Nothing was kept, or nothing can be: the service is asked.
        }
    }

    /** Keeps the answer, unless it is a refusal of this place alone, and how late it is. */
    async #keep(): Promise<void> {
        const answer = this.#answer, { storage } = this.#options;
        const kept: Kept = { answer: this.#lease || answer && final(answer.code) ? answer : undefined, seen: this.#see(), skew: this.#skew, at: this.#correctedAt };
        this.#seenKept = kept.seen!;
        try {
            await (this.#id && storage?.set(PLACE + this.#id, JSON.stringify(kept)));
        } catch {
            // The next session asks again.
        }
    }

    #due(): boolean {
        const wait = this.#next - Date.now();
        return wait <= 0 || wait > 7 * DAY * 1000; // the clock has been put back
    }

    async #ask(): Promise<State> {
        await this.#loaded;
        if (this.#api && this.#due()) {
            const { storage } = this.#options, claims = this.#file ?? this.#lease, type = claims?.type;
            if (!type || type === "users") { // nobody counts who uses the others
                this.#user ??= storage && await person(storage);
            }
            this.#say(await this.#fetch(claims) ?? (await this.#fetch(claims, random()))!);
        }
        if (this.#see() > this.#seenKept + HOUR) {
            void this.#keep();
        }
        return this.state;
    }

    /** Asks once, and says how it went; undefined where the answer and this machine's clock contradict each other. */
    async #fetch(claims: Claims | undefined, nonce?: string): Promise<Online | undefined> {
        const { product, version, env, licensee, tenant } = this.#options;
        let wait = 0, blocked = false;
        const stop = new AbortController();
        const timer = setTimeout(() => stop.abort(), PATIENCE);
        const violated = (event: SecurityPolicyViolationEvent) => {
            blocked ||= event.blockedURI.startsWith(this.#api!);
        };
        globalThis.addEventListener?.(VIOLATION, violated);
        try {
            const response = await fetch(this.#api + "/v1/licenses/check", {
                method: "POST",
                headers: { "Content-Type": "text/plain" }, // anything else costs a preflight each time
                credentials: "omit",
                signal: stop.signal,
                body: JSON.stringify({
                    v: 1, license: this.#id, product, version, env, user: this.#user, nonce, sites: hostsAround().slice(0, 32),
                    licensee: licensee ?? claims?.licensee, tenant: tenant ?? claims?.tenant,
                }),
            });
            wait = +response.headers.get("Retry-After")! || 0;
            if (response.status === 200) {
                return await this.#understand(await response.json(), nonce);
            }
        } catch {
            await new Promise((done) => setTimeout(done)); // a violation is told after the refusal
        } finally {
            clearTimeout(timer);
            globalThis.removeEventListener?.(VIOLATION, violated);
        }
        this.#next = Date.now() + 1000 * (blocked ? DAY : Math.min(Math.max(RETRY, wait), DAY));
        return blocked ? "blocked" : "unreachable";
    }

    /** Takes an answer and keeps it; throws where it makes no sense. */
    async #understand(said: Record<string, unknown>, nonce: string | undefined): Promise<Online | undefined> {
        const { v, valid, code, refresh_after, token } = said;
        const at = seconds(said.now), local = Date.now();
        if (v !== 1 || typeof valid !== "boolean" || typeof code !== "string" || typeof refresh_after !== "number" || !at) {
            throw new Error();
        }
        const next = local + 1000 * Math.min(Math.max(60, refresh_after), 7 * DAY);
        if (code === "UNKNOWN_LICENSE" && (this.#file ?? this.#lease)) {
            this.#next = next;
            return "unknown";
        }
        if (valid && !token && this.#answer?.valid === false) { // what is not signed only takes away
            throw new Error();
        }
        let lease: Claims | undefined;
        if (valid && token) {
            lease = await this.#verify(token);
            if (!lease || lease.nonce !== nonce) {
                throw new Error();
            }
            if (nonce) { // nobody else can have been given it: this is the service's now
                this.#seen = this.#file?.iat ?? 0;
                this.#correctedAt = local / 1000;
                this.#skew = lease.iat - this.#correctedAt;
            } else if (Math.max(Math.abs(this.#clock() - lease.iat), this.#seen - lease.iat) > DAY) {
                this.#see(lease.iat);
                return;
            }
        }
        this.#take({ at, next, valid, code, until: seconds(said.valid_until), token: lease ? token as string : null }, lease);
        void this.#keep();
        return "ok";
    }

    /** The claims of a genuine lease of this licence. */
    async #verify(lease: unknown): Promise<Claims | undefined> {
        const token = parse(lease, this.#options);
        return token && token.claims.sub === this.#id && token.claims.kind !== "embedded" && await genuineSoon(token) ? token.claims : undefined;
    }

    /** Makes an answer the one that counts. */
    #take(answer: Answer, lease: Claims | undefined): void {
        this.#answer = answer;
        this.#lease = lease;
        this.#next = answer.next;
        this.#see(lease?.iat ?? 0);
    }

    #say(online: Online): void {
        this.#online = online;
        this.#options.changed?.(this.state);
    }
}

/** The code that the service would answer because of where and for whom the visual runs. */
function misplaced({ licensee, tenant, type, sites }: Claims, options: Options): string | null {
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

/** What a refusal that is the same wherever the visual runs comes to. */
function final(code: string): Status | undefined {
    return code === "EXPIRED" ? "expired" : code === "REVOKED" || code === "SUSPENDED" ? "revoked" : undefined;
}

/** The hosts of the pages around the visual's frame, where the browser tells them. */
function hostsAround(): string[] {
    return Array.from(globalThis.location?.ancestorOrigins ?? [], (origin) => origin.replace(/^\w+:\/\/|\.?(:\d+)?$/g, ""))
        .filter((host) => host !== "null");
}

/** An instant of the service's in seconds, or null. */
function seconds(instant: unknown): number | null {
    return Date.parse(instant as string) / 1000 || null;
}
