/** The vendor's public Ed25519 keys, base64url, by their RFC 7638 thumbprint. */
export type Keys = Readonly<Record<string, string>>;
/** The claims of a token that a visual uses. Instants are seconds since 1970, UTC. */
export interface Claims {
    /** The product. */
    aud: string;
    /** The licence's id. */
    sub: string;
    /** How it reached the visual: in its file, in the answer that all get, or in the answer to one question. */
    kind: "embedded" | "lease" | "answer";
    /** Of an answer: what the question named. */
    nonce?: string;
    /** When it was signed. */
    iat: number;
    /** The first instant at which it no longer counts. */
    exp: number;
    /** The end of what has been paid for; from then until `exp` the licence runs on grace. */
    period_end: number;
    trial: boolean;
    plan?: string;
    type?: "users" | "capacity" | "site";
    sites?: string[];
    tenant?: string;
    licensee?: string;
}
/** A token of the right form, whose signature has yet to be checked. */
export interface Unverified {
    claims: Claims;
    key: Uint8Array<ArrayBuffer>;
    signed: Uint8Array<ArrayBuffer>;
    signature: Uint8Array<ArrayBuffer>;
}
/** The guid without what the organisational store and the developer visual add to it. */
export declare function baseGuid(guid: string): string;
/** The token that the engine put into the file of this visual, or null. */
export declare function embeddedToken(guid: string): string | null;
/** Reads a token for a product, which goes by its id or its guid; null if it is none. */
export declare function parse(token: unknown, { product, guid, keys }: {
    product: string;
    guid: string;
    keys: Keys;
}): Unverified | null;
/** Checks the signature at once. */
export declare function genuine(token: Unverified): boolean;
/** Checks the signature with the browser's own Ed25519 where there is one. */
export declare function genuineSoon(token: Unverified): Promise<boolean>;
