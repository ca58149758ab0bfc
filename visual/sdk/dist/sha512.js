// SHA-512 as FIPS 180-4 has it, in BigInt: slower than a browser's own, and small. A
// token has some hundred bytes.
/** The integer part of the square (n = 2) or cube (n = 3) root of x. */
function root(x, n) {
    // Newton's steps from above fall until they are there.
    for (let guess = 1n << 70n;;) {
        const power = n === 3n ? guess * guess : guess;
        const next = ((n - 1n) * guess + x / power) / n;
        if (next >= guess) {
            return guess;
        }
        guess = next;
    }
}
let start; // 5.3.5: the fractions of the square roots of the first 8 primes
let constants; // 4.2.3: the fractions of the cube roots of the first 80 primes
function prepare() {
    const primes = [];
    for (let n = 2n; primes.length < 80; n++) {
        if (primes.every((p) => n % p)) {
            primes.push(n);
        }
    }
    constants = primes.map((p) => word(root(p << 192n, 3n)));
    return primes.slice(0, 8).map((p) => word(root(p << 128n, 2n)));
}
const word = (x) => BigInt.asUintN(64, x);
// What they leave above 64 bits is cut off where a sum is stored.
const rotate = (x, n) => (x >> n) | (x << (64n - n));
const mix = (x, a, b, c) => rotate(x, a) ^ rotate(x, b) ^ rotate(x, c);
const shift = (x, a, b, c) => rotate(x, a) ^ rotate(x, b) ^ (x >> c);
/** The SHA-512 digest, 64 bytes. */
export function sha512(message) {
    start ??= prepare();
    let sums = start;
    // The message, a bit of 1, and its length in bits as the end of a block of 128 bytes.
    const blocks = new Uint8Array((message.length + 17 + 127) & ~127);
    const view = new DataView(blocks.buffer);
    blocks.set(message);
    blocks[message.length] = 0x80;
    view.setBigUint64(blocks.length - 8, BigInt(message.length) * 8n);
    for (let at = 0; at < blocks.length; at += 128) {
        const w = [];
        let [a, b, c, d, e, f, g, h] = sums;
        for (let t = 0; t < 80; t++) {
            w[t] = t < 16
                ? view.getBigUint64(at + 8 * t)
                : word(shift(w[t - 2], 19n, 61n, 6n) + w[t - 7] + shift(w[t - 15], 1n, 8n, 7n) + w[t - 16]);
            const first = h + mix(e, 14n, 18n, 41n) + ((e & f) ^ (~e & g)) + constants[t] + w[t];
            const second = mix(a, 28n, 34n, 39n) + ((a & b) ^ (a & c) ^ (b & c));
            [a, b, c, d, e, f, g, h] = [word(first + second), a, b, c, word(d + first), e, f, g];
        }
        sums = [a, b, c, d, e, f, g, h].map((x, i) => word(x + sums[i]));
    }
    const digest = new DataView(new ArrayBuffer(64));
    sums.forEach((x, i) => digest.setBigUint64(8 * i, x));
    return new Uint8Array(digest.buffer);
}
