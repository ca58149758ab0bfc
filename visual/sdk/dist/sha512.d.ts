/** The SHA-512 digest, 64 bytes. */
export declare function sha512(message: Uint8Array): Uint8Array;
