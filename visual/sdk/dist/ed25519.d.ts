/**
 * Tells whether a signature of 64 bytes over a message was made with the private half of
 * a public key of 32 bytes. Like crypto.subtle and OpenSSL it takes a signature only in
 * its one canonical form: S below the group's order, and R byte for byte.
 */
export declare function verify(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean;
