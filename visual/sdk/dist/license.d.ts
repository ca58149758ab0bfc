import { Keys } from "./token.js";
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
export declare class License {
    #private;
    /** Reads and verifies the file's token, which takes some milliseconds. {@link state} is known when it returns. */
    constructor(options: Options);
    /** What is known now. Cheap: read it in every update(), since a licence may end while a report stands open. */
    get state(): State;
    /**
     * Asks the service, unless its last answer still holds; call it in every update(). It
     * never rejects, and never makes a genuine licence worse because nobody answered.
     */
    check(): Promise<State>;
}
