// Verifying Ed25519 signatures (RFC 8032, 5.1.7) where the browser does not: under plain
// http there is no crypto.subtle. There are no secrets here, so nothing needs to take
// the same time whatever its input.

import { sha512 } from "./sha512.js";

const P = (1n << 255n) - 19n;
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** Extended coordinates: x = X/Z, y = Y/Z, T = XY/Z (RFC 8032, 5.1.4). */
type Point = [X: bigint, Y: bigint, Z: bigint, T: bigint];

const NEUTRAL: Point = [0n, 1n, 1n, 0n];
const BASE = decompress(mod(4n * power(5n, P - 2n)))!;

function mod(x: bigint, m = P): bigint {
    const rest = x % m;
    return rest < 0n ? rest + m : rest;
}

function power(base: bigint, exponent: bigint): bigint {
    let result = 1n;
    for (; exponent > 0n; exponent >>= 1n) {
        if (exponent & 1n) {
            result = mod(result * base);
        }
        base = mod(base * base);
    }
    return result;
}

/** Adds two points, the same ones too: the curve's formula is complete. */
function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
    const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2));
    const c = mod(2n * D * t1 * t2), d = mod(2n * z1 * z2);
    const e = b - a, f = d - c, g = d + c, h = b + a;
    return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

/** The point with this y, and x odd where bit 255 is set; null where there is none. */
function decompress(encoded: bigint): Point | null {
    const y = BigInt.asUintN(255, encoded);
    if (y >= P) {
        return null;
    }
    const u = mod(y * y - 1n), v = mod(D * y * y + 1n);
    let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n)); // RFC 8032, 5.1.3
    const square = mod(v * x * x);
    if (square !== u) {
        if (square !== mod(-u)) {
            return null;
        }
        x = mod(x * ROOT_OF_MINUS_ONE);
    }
    const odd = encoded >> 255n;
    if (x === 0n && odd) {
        return null;
    }
    if ((x & 1n) !== odd) {
        x = P - x;
    }
    return [x, y, 1n, mod(x * y)];
}

/** The other way round. */
function compress([x, y, z]: Point): bigint {
    const inverse = power(z, P - 2n);
    return mod(y * inverse) | ((mod(x * inverse) & 1n) << 255n);
}

/** A number from its bytes, the lowest first. */
function number(bytes: Uint8Array): bigint {
    return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/**
 * Tells whether a signature of 64 bytes over a message was made with the private half of
 * a public key of 32 bytes. Like crypto.subtle and OpenSSL it takes a signature only in
 * its one canonical form: S below the group's order, and R byte for byte.
 */
export function verify(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
    const s = number(signature.subarray(32));
    const a = decompress(number(key));
    if (signature.length !== 64 || key.length !== 32 || !a || s >= ORDER) {
        return false;
    }
    const hashed = new Uint8Array(64 + message.length);
    hashed.set(signature.subarray(0, 32));
    hashed.set(key, 32);
    hashed.set(message, 64);
    const k = number(sha512(hashed)) % ORDER;

    // S·B − k·A, both from the highest bit down.
    const minusA: Point = [P - a[0], a[1], a[2], P - a[3]];
    const both = add(BASE, minusA);
    let sum = NEUTRAL;
    for (let bit = 252n; bit >= 0n; bit--) {
        sum = add(sum, sum);
        const inS = (s >> bit) & 1n, inK = (k >> bit) & 1n;
        if (inS || inK) {
            sum = add(sum, !inK ? BASE : !inS ? minusA : both);
        }
    }
    return compress(sum) === number(signature.subarray(0, 32));
}
